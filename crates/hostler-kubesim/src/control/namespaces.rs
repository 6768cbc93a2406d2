//! Ends namespaces: what is in them goes first, then they do, unless a
//! finalizer of somebody's holds them.

use std::sync::Arc;

use crate::catalog::{ALL, NAMESPACES};
use crate::json::{list, text};
use crate::store::Object;
use crate::world::World;

pub(crate) fn turn(world: &mut World) {
    let all = world.store.list(&NAMESPACES, "");
    let ending = all.filter(|one| text(one.value(), "/status/phase") == "Terminating");
    let ending: Vec<Arc<Object>> = ending.map(Arc::clone).collect();
    for space in ending {
        empty(world, space.name());
        let held = !list(space.value(), "/metadata/finalizers").is_empty();
        let is_left = |one: &&&crate::catalog::Resource| {
            one.namespaced && world.store.list(one, space.name()).next().is_some()
        };
        if !held && ALL.iter().find(is_left).is_none() {
            world.store.remove(&NAMESPACES, "", space.name());
        }
    }
}

fn empty(world: &mut World, space: &str) {
    for resource in ALL.iter().filter(|one| one.namespaced) {
        let inside: Vec<_> = world.store.list(resource, space).map(Arc::clone).collect();
        for object in inside {
            if resource.plural == "pods" {
                world.pod_delete(space, object.name(), 30);
            } else {
                world.store.remove(resource, space, object.name());
            }
        }
    }
}
