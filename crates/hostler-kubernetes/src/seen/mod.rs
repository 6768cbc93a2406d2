//! From small copies to a snapshot: one pure function of what is known and the
//! time. It asks nobody.
//!
//! - `runner`: a placeholder as a runner's facts
//! - `machine`: the node it is on, as far as we may look
//! - `program`: which pod is its program
//! - `reasons`: what is said about it, the weightiest first
//! - `hosts`: all machines of the pools, and who is on them
//! - `health`: whether what is known is all, and how old

mod health;
mod hosts;
mod machine;
mod program;
mod reasons;
mod runner;

use std::collections::HashMap;
use std::sync::Arc;

use hostler_core::Timestamp;
use hostler_core::runner::{PoolName, RunnerFacts, RunnerId};
use hostler_runners::provider::Snapshot;

use crate::watch::{Event, Key, Phase, Placeholder, Program, State, World};

/// Whose runners are looked for, and where.
#[derive(Clone, Debug)]
pub(crate) struct Eye {
    pub(crate) namespace: String,
    pub(crate) manager: String,
    pub(crate) programs_in: String,
    /// The pool of what carries no pool's name.
    pub(crate) pool: Option<PoolName>,
}

/// The world, indexed for one look.
struct Look<'a> {
    world: &'a World,
    eye: &'a Eye,
    now: Timestamp,
    /// Placeholders of anybody by node, the oldest first.
    on_node: HashMap<&'a str, Vec<(&'a Key, &'a Placeholder)>>,
    /// Programs by node.
    programs: HashMap<&'a str, Vec<(&'a Key, &'a Program)>>,
    /// Events by pod.
    events: HashMap<&'a str, Vec<&'a Event>>,
}

/// All that is seen at `now`, and when to look again though nothing changed.
pub(crate) fn see(
    world: &World,
    eye: &Eye,
    before: &Snapshot,
    now: Timestamp,
) -> (Snapshot, Option<Timestamp>) {
    let look = Look::new(world, eye, now);
    let own = || {
        world
            .placeholders
            .rows
            .iter()
            .filter(|(key, one)| is_own(eye, key, one))
    };
    let (problem, stale_since) = health::problem(world);
    let snapshot = Snapshot {
        runners: own().filter_map(|one| look.shared(one, before)).collect(),
        hosts: hosts::all(&look),
        is_synced: health::is_synced(world),
        lacks: health::lacks(world),
        problem,
        stale_since,
    };
    let again = own()
        .filter_map(|(_, one)| machine::doubted_until(&look, one))
        .min();
    (snapshot, again)
}

/// Whether it is a runner of this manager: in its namespace, and labelled with
/// its name, or with nobody's, as the seed's service made them.
pub(crate) fn is_own(eye: &Eye, (namespace, _): &Key, one: &Placeholder) -> bool {
    let is_ours = one
        .manager
        .as_ref()
        .is_none_or(|manager| *manager == eye.manager);
    *namespace == eye.namespace && is_ours
}

impl<'a> Look<'a> {
    fn new(world: &'a World, eye: &'a Eye, now: Timestamp) -> Self {
        let mut look = Self {
            world,
            eye,
            now,
            on_node: HashMap::new(),
            programs: HashMap::new(),
            events: HashMap::new(),
        };
        for (key, one) in &world.placeholders.rows {
            if let Some(node) = one.node.as_deref().filter(|_| one.phase == Phase::Bound) {
                look.on_node.entry(node).or_default().push((key, one));
            }
        }
        for those in look.on_node.values_mut() {
            those.sort_by_key(|(key, one)| (one.created, *key));
        }
        for (key, one) in &world.programs.rows {
            look.programs.entry(&one.node).or_default().push((key, one));
        }
        for event in world.events.rows.values() {
            look.events.entry(&event.about).or_default().push(event);
        }
        look
    }

    /// Whether nodes can be seen at all.
    fn sees_nodes(&self) -> bool {
        self.world.nodes.is_listed && !matches!(self.world.nodes.state, State::Denied(_))
    }

    /// The facts; the same ones as before where nothing changed.
    fn shared(
        &self,
        (key, one): (&Key, &Placeholder),
        before: &Snapshot,
    ) -> Option<(RunnerId, Arc<RunnerFacts>)> {
        let id: RunnerId = key.1.parse().ok()?;
        let facts = runner::facts(self, id.clone(), key, one)?;
        let same = before.runners.get(&id).filter(|known| ***known == facts);
        let shared = same.map_or_else(|| Arc::new(facts), Arc::clone);
        Some((id, shared))
    }
}

#[cfg(test)]
mod tests;
