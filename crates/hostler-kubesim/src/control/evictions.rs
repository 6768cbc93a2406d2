//! Evicts pods from nodes with `NoExecute` taints, once they no longer bear
//! them.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::facts::{NodeFacts, PodFacts};
use super::scene::Scene;
use super::scheduler::bears;
use crate::catalog::PODS;
use crate::json::condition_set;
use crate::world::World;

pub(crate) fn turn(world: &mut World, scene: &Scene) {
    for node in scene.nodes.values() {
        if node.taints.iter().all(|taint| taint.effect != "NoExecute") {
            continue;
        }
        for pod in scene.on(&node.name).filter(|pod| pod.deletion.is_none()) {
            match due(node, pod, world.now()) {
                Some(due) if due <= world.now() => evict(world, pod),
                Some(due) => world.wake_at(due),
                None => {}
            }
        }
    }
}

/// When a pod stops bearing its node's taints; none: never.
fn due(node: &NodeFacts, pod: &PodFacts, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let taints = node
        .taints
        .iter()
        .filter(|taint| taint.effect == "NoExecute");
    taints
        .filter_map(|taint| {
            let since = taint.added.unwrap_or(now);
            let bearing = pod.wants.tolerations.iter().filter(|one| bears(one, taint));
            let seconds: Vec<Option<i64>> = bearing.map(|one| one.seconds).collect();
            match seconds.iter().flatten().min() {
                _ if seconds.is_empty() => Some(since),
                None => None,
                Some(seconds) => Some(since + TimeDelta::seconds(*seconds)),
            }
        })
        .min()
}

fn evict(world: &mut World, pod: &PodFacts) {
    let now = world.now();
    let condition = json!({
        "type": "DisruptionTarget", "status": "True", "reason": "DeletionByTaintManager",
        "message": "Taint manager: deleting due to NoExecute taint",
    });
    let key = (pod.space.as_str(), pod.name.as_str());
    let mut grace = 30;
    world.change(&PODS, key, |pod| {
        condition_set(pod, condition, now);
        grace = pod["spec"]["terminationGracePeriodSeconds"]
            .as_i64()
            .unwrap_or(30);
    });
    world.pod_delete(key.0, key.1, grace);
}
