//! The autoscaler: looks every so often, asks for machines that would help
//! pods without a node, and gives unneeded ones back when that is wanted.
//!
//! While nothing needs it, it does not look; its first look comes one interval
//! after something does, so that what is asked for together is seen together.

mod down;
mod up;

use super::scene::Scene;
use crate::world::World;

pub(crate) fn turn(world: &mut World, scene: &Scene) {
    let shrinks = world.options.timings.scale_down.is_some();
    let waits = scene.pods.iter().any(|pod| pod.unschedulable);
    let boots = world
        .memory
        .machines
        .values()
        .any(|machine| !machine.registered);
    if !(shrinks || waits || boots) {
        world.memory.scanned = None;
        return;
    }
    let every = world.options.timings.scan;
    let now = world.now();
    let last = *world.memory.scanned.get_or_insert(now);
    if now < last + every {
        world.wake_at(last + every);
        return;
    }
    world.memory.scanned = Some(now);
    up::turn(world, scene);
    down::turn(world, scene);
    world.wake_at(now + every.max(std::time::Duration::from_secs(1)));
}

/// How many machines a pool has, whatever their state.
fn size(world: &World, pool: &str) -> usize {
    let machines = world.memory.machines.values();
    machines.filter(|machine| machine.pool == pool).count()
}
