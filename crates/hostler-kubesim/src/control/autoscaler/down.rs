//! Shrinking: a machine that nothing but daemons has needed for long enough
//! is given back. A pod that has no controller holds its node, unless it says
//! that it may be evicted; so does one that says that it may not.

use std::sync::Arc;

use super::size;
use crate::catalog::NODES;
use crate::control::facts::PodFacts;
use crate::control::machines;
use crate::control::scene::Scene;
use crate::json::pairs;
use crate::record::{self, Said};
use crate::world::World;

const DISABLED: &str = "cluster-autoscaler.kubernetes.io/scale-down-disabled";

pub(crate) fn turn(world: &mut World, scene: &Scene) {
    let Some(after) = world.options.timings.scale_down else {
        return;
    };
    let now = world.now();
    for name in world.memory.machines.keys().cloned().collect::<Vec<_>>() {
        if is_needed(world, scene, &name) {
            world.memory.unneeded.remove(&name);
            continue;
        }
        let since = *world.memory.unneeded.entry(name.clone()).or_insert(now);
        if now >= since + after && is_above_floor(world, &name) {
            remove(world, scene, &name);
        }
    }
}

fn is_needed(world: &World, scene: &Scene, name: &str) -> bool {
    let Some(node) = world.store.get(&NODES, "", name) else {
        return true;
    };
    let ready = scene
        .nodes
        .get(name)
        .is_some_and(|node| node.ready == Some(true));
    let disabled = pairs(node.value(), "/metadata/annotations")
        .any(|(key, value)| key == DISABLED && value == "true");
    !ready || disabled || scene.on(name).any(holds)
}

fn holds(pod: &Arc<PodFacts>) -> bool {
    !pod.is_daemon && !pod.is_over() && pod.deletion.is_none() && pod.evictable != Some(true)
}

fn is_above_floor(world: &World, name: &str) -> bool {
    let pool = world
        .memory
        .machines
        .get(name)
        .map(|machine| machine.pool.clone());
    let pools = &world.options.pools;
    pool.is_some_and(|pool| {
        let floor = pools
            .iter()
            .find(|one| one.name == pool)
            .map_or(0, |one| one.min);
        size(world, &pool) > floor
    })
}

fn remove(world: &mut World, scene: &Scene, name: &str) {
    if let Some(node) = world.store.get(&NODES, "", name).map(Arc::clone) {
        let said = Said {
            by: "cluster-autoscaler",
            reason: "ScaleDown",
            message: "node removed by cluster autoscaler".to_owned(),
            warning: false,
        };
        record::event(world, node.value(), &said);
    }
    for pod in scene.on(name).filter(|pod| !pod.is_daemon) {
        world.pod_delete(&pod.space, &pod.name, 0);
    }
    world.memory.unneeded.remove(name);
    machines::give_back(world, name);
}
