//! Collects pods whose node is no longer there, some time after it went.

use std::collections::BTreeSet;

use serde_json::json;

use super::scene::Scene;
use crate::catalog::PODS;
use crate::json::condition_set;
use crate::world::World;

pub(crate) fn turn(world: &mut World, scene: &Scene) {
    let bound = scene.pods.iter().filter(|pod| !pod.node.is_empty());
    let missing: BTreeSet<&String> = bound
        .map(|pod| &pod.node)
        .filter(|node| !scene.nodes.contains_key(*node))
        .collect();
    world
        .memory
        .missing
        .retain(|node, _| missing.contains(node));
    let (now, wait) = (world.now(), world.options.timings.pod_gc);
    for node in missing {
        let since = *world.memory.missing.entry(node.clone()).or_insert(now);
        if now >= since + wait {
            collect(world, scene, node);
        } else {
            world.wake_at(since + wait);
        }
    }
}

fn collect(world: &mut World, scene: &Scene, node: &str) {
    let now = world.now();
    for pod in scene.on(node) {
        let condition = json!({
            "type": "DisruptionTarget", "status": "True", "reason": "DeletionByPodGC",
            "message": "PodGC: node no longer exists",
        });
        world.change(&PODS, (&pod.space, &pod.name), |pod| {
            pod["status"]["phase"] = json!("Failed");
            condition_set(pod, condition, now);
        });
        world.store.remove(&PODS, &pod.space, &pod.name);
    }
}
