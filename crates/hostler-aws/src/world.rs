//! What was listed last, and what our own calls answered since: lists of EC2
//! lag behind its answers by some seconds, so a newborn is kept although a list
//! does not show it yet, and what was ended is not shown as alive again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hostler_core::Timestamp;
use hostler_core::runner::{Reason, RunnerId};
use hostler_runners::clock::Clock;
use hostler_runners::provider::Snapshot;
use tokio::sync::{Notify, watch};

use crate::cloud::{Group, Instance, State};
use crate::names::Tags;
use crate::seen::{Eye, Listed, see};

/// How long our own answers outweigh a list.
pub(crate) const LAG: Duration = Duration::from_mins(1);

#[derive(Default)]
struct Known {
    listed: Listed,
    /// Instances as our calls answered them, and when.
    answered: BTreeMap<String, (Instance, Timestamp)>,
    is_synced: bool,
    problem: Option<Reason>,
    stale_since: Option<Timestamp>,
}

/// What is known of the fleet's instances.
pub(crate) struct World {
    known: Mutex<Known>,
    seen: watch::Sender<Arc<Snapshot>>,
    eye: Eye,
    pub(crate) clock: Clock,
    /// Something was changed: list again soon.
    pub(crate) changed: Notify,
}

impl World {
    pub(crate) fn new(eye: Eye, clock: Clock) -> Self {
        Self {
            known: Mutex::default(),
            seen: watch::Sender::default(),
            eye,
            clock,
            changed: Notify::new(),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.seen.subscribe()
    }

    /// Whether everything was listed once.
    pub(crate) fn is_synced(&self) -> bool {
        self.known().is_synced
    }

    /// A copy of all that is known.
    pub(crate) fn listed(&self) -> Listed {
        self.known().listed.clone()
    }

    /// The runner's instances, the one that counts first, and how many it had.
    pub(crate) fn of_runner(&self, id: &RunnerId) -> (Vec<Instance>, u32) {
        let known = self.known();
        let all = known.listed.of_runner(id).into_iter().cloned().collect();
        (all, known.listed.generation(id))
    }

    /// Takes up a list.
    pub(crate) fn list(&self, mut listed: Listed) {
        let now = (self.clock)();
        let mut known = self.known();
        known.answered.retain(|_, (_, at)| now < *at + LAG);
        for (answer, _) in known.answered.values() {
            merge(&mut listed.instances, answer);
        }
        known.listed = listed;
        known.is_synced = true;
        (known.problem, known.stale_since) = (None, None);
        self.show(&known);
    }

    /// A list failed: what was seen before still stands.
    pub(crate) fn fail(&self, problem: Reason) {
        let now = (self.clock)();
        let mut known = self.known();
        known.problem = Some(problem);
        known.stale_since.get_or_insert(now);
        self.show(&known);
    }

    /// An instance as one of our calls answered, or left, it.
    pub(crate) fn answer(&self, instance: Instance) {
        let now = (self.clock)();
        let mut known = self.known();
        merge(&mut known.listed.instances, &instance);
        known.answered.insert(instance.id.clone(), (instance, now));
        self.show(&known);
        self.changed.notify_one();
    }

    /// Changes the tags of an instance that is known, after AWS has.
    pub(crate) fn retag(&self, instance: &str, change: impl FnOnce(&mut Tags)) {
        let found = self.known().listed.instances.get(instance).cloned();
        if let Some(mut one) = found {
            change(&mut one.tags);
            self.answer(one);
        }
    }

    /// A group as it was read, or left by one of our calls.
    pub(crate) fn group(&self, group: Group) {
        let mut known = self.known();
        known.listed.groups.insert(group.name.clone(), group);
        self.show(&known);
        self.changed.notify_one();
    }

    /// The group as it is known.
    pub(crate) fn group_known(&self, name: &str) -> Option<Group> {
        self.known().listed.groups.get(name).cloned()
    }

    fn show(&self, known: &Known) {
        let mut snapshot = see(&known.listed, &self.eye, known.problem.clone());
        snapshot.is_synced = known.is_synced;
        snapshot.stale_since = known.stale_since;
        self.seen.send_if_modified(|seen| {
            let is_new = **seen != snapshot;
            *seen = Arc::new(snapshot);
            is_new
        });
    }
}

/// The further an instance is, the newer the word of it: none comes back.
fn merge(instances: &mut BTreeMap<String, Instance>, answer: &Instance) {
    let listed = instances
        .entry(answer.id.clone())
        .or_insert_with(|| answer.clone());
    if age(listed.state) < age(answer.state) {
        *listed = answer.clone();
    } else if listed.tags != answer.tags {
        listed.tags.clone_from(&answer.tags);
    }
}

const fn age(state: State) -> u8 {
    match state {
        State::Pending => 0,
        State::Running | State::Stopped => 1,
        State::Ending => 2,
        State::Ended => 3,
    }
}

#[cfg(test)]
mod tests;
