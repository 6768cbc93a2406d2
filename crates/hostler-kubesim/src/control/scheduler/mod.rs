//! Binds pods to nodes, oldest first, and says of the others why not.
//!
//! Pods with the same wants look for a node from where the last of them
//! stopped: what had no room for one has none for the next, as pods only come
//! within one turn.

mod fit;
mod refuse;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::facts::{PodFacts, Wants};
use super::scene::Scene;
use crate::catalog::{NAMESPACES, PODS};
use crate::json::{condition_set, map, text};
use crate::record::{self, Said};
use crate::world::World;

pub(crate) use fit::{Reasons, Seat, Spaces, bears, fits, is_avoided, suits};

pub(crate) fn turn(world: &mut World, scene: &Scene) {
    let waiting: Vec<_> = scene.pods.iter().filter(|pod| waits(world, pod)).collect();
    if waiting.is_empty() {
        return;
    }
    let spaces = spaces(world);
    let mut seats = seats(scene);
    let names: BTreeMap<String, usize> = (seats.iter().enumerate())
        .map(|(index, seat)| (seat.node.name.clone(), index))
        .collect();
    let mut searches: BTreeMap<&Wants, Search> = BTreeMap::new();
    for pod in waiting {
        let search = searches
            .entry(&pod.wants)
            .or_insert_with(|| Search::new(&pod.wants, &names));
        match search.next(pod, &seats, &spaces) {
            Some(index) => {
                seats[index].take(pod);
                bind(world, (&pod.space, &pod.name), &seats[index].node.name);
            }
            None => refuse::refuse(world, pod, &search.reasons, seats.len()),
        }
    }
}

fn waits(world: &World, pod: &PodFacts) -> bool {
    let waits = pod.node.is_empty() && pod.deletion.is_none() && !pod.is_over();
    waits
        && world
            .store
            .get(&PODS, &pod.space, &pod.name)
            .is_some_and(|pod| {
                text(pod.value(), "/spec/schedulerName") == "default-scheduler"
                    && crate::json::list(pod.value(), "/spec/schedulingGates").is_empty()
            })
}

/// Labels of the namespaces.
pub(crate) fn spaces(world: &World) -> Spaces {
    let all = world.store.list(&NAMESPACES, "");
    all.map(|one| {
        (
            one.name().to_owned(),
            one.value()["metadata"]["labels"].clone(),
        )
    })
    .collect()
}

/// All nodes, with what is on them.
fn seats(scene: &Scene) -> Vec<Seat> {
    let mut seats: BTreeMap<&str, Seat> = scene
        .nodes
        .values()
        .map(|node| (node.name.as_str(), Seat::empty(node)))
        .collect();
    for pod in scene.pods.iter().filter(|pod| !pod.is_over()) {
        if let Some(seat) = seats.get_mut(pod.node.as_str()) {
            seat.take(pod);
        }
    }
    seats.into_values().collect()
}

/// How far the search for nodes with some wants has come.
struct Search {
    at: usize,
    end: usize,
    reasons: Reasons,
}

impl Search {
    /// Who wants a node by name looks only at that one.
    fn new(wants: &Wants, names: &BTreeMap<String, usize>) -> Self {
        let named = match wants.node_terms.as_slice() {
            [term] => term.name.as_ref(),
            _ => None,
        };
        let (at, end) = match named.map(|name| names.get(name)) {
            None => (0, names.len()),
            Some(None) => (0, 0),
            Some(Some(index)) => (*index, index + 1),
        };
        Self {
            at,
            end,
            reasons: Reasons::default(),
        }
    }

    fn next(&mut self, pod: &Arc<PodFacts>, seats: &[Seat], spaces: &Spaces) -> Option<usize> {
        while self.at < self.end {
            match fits(&pod.wants, self.at, seats, spaces) {
                Ok(()) => break,
                Err(why) => self.reasons.add(why),
            }
            self.at += 1;
        }
        // Others may want to be apart from this pod, and not from the next.
        (self.at..self.end).find(|index| {
            let free = *index == self.at || fits(&pod.wants, *index, seats, spaces).is_ok();
            free && !is_avoided(pod, *index, seats, spaces)
        })
    }
}

/// Writes that a pod is on a node.
pub(crate) fn bind(world: &mut World, (space, name): (&str, &str), node: &str) {
    let now = world.now();
    world.change(&PODS, (space, name), |pod| {
        map(pod, "spec")["nodeName"] = json!(node);
        condition_set(pod, json!({"type": "PodScheduled", "status": "True"}), now);
    });
    world
        .memory
        .told
        .remove(&(space.to_owned(), name.to_owned()));
    let Some(pod) = world.store.get(&PODS, space, name).map(Arc::clone) else {
        return;
    };
    let said = Said {
        by: "default-scheduler",
        reason: "Scheduled",
        message: format!("Successfully assigned {space}/{name} to {node}"),
        warning: false,
    };
    record::event(world, pod.value(), &said);
}
