//! What a claimed slot was given, and shows: limits, its agent's clock, an artifact to fetch, a workload
//! that runs, and lines of it that were dropped.

use std::sync::Arc;
use std::time::Duration;

use hostler_core::id::SlotId;
use hostler_core::node::AgentClock;
use tokio::time::Instant;

use super::place::Stage;
use super::table::Table;
use crate::agents::{Artifact, LinkError};
use crate::hypervisor::Limits;

impl Table {
    /// Refuses a slot whose agent is not there or about to go: what is sent
    /// to a dying agent is not answered by anybody.
    pub(crate) fn check_claimed(&self, slot: SlotId) -> Result<(), LinkError> {
        match self.stage(slot) {
            Some(Stage::Claimed) => Ok(()),
            _ => Err(LinkError::NoAgent),
        }
    }

    /// Notes what a claimed slot may use.
    pub(crate) fn limits_set(&self, slot: SlotId, limits: Limits) {
        if let Some(place) = self.places().slots.get_mut(&slot) {
            place.limits = Some(limits);
        }
    }

    /// What a claimed slot may use.
    pub(crate) fn limits(&self, slot: SlotId) -> Option<Limits> {
        self.places().slots.get(&slot)?.limits
    }

    /// Notes what a slot's agent says that its clock shows.
    pub(crate) fn clock_set(&self, slot: SlotId, clock: AgentClock) {
        if let Some(place) = self.places().slots.get_mut(&slot) {
            place.clock = Some(clock);
        }
    }

    /// What the clock of a slot's agent showed last, if it knows of leases.
    pub(crate) fn clock(&self, slot: SlotId) -> Option<AgentClock> {
        self.places().slots.get(&slot)?.clock
    }

    /// Lets a claimed slot's agent fetch an artifact; false for others.
    pub(crate) fn offer(&self, slot: SlotId, artifact: &Arc<Artifact>) -> bool {
        let mut places = self.places();
        let place = places.slots.get_mut(&slot);
        let Some(place) = place.filter(|place| place.stage() == Stage::Claimed) else {
            return false;
        };
        place.artifact = Some(Arc::clone(artifact));
        true
    }

    /// Takes an offer back, unless another has taken its place.
    pub(crate) fn offer_end(&self, slot: SlotId, artifact: &Arc<Artifact>) {
        if let Some(place) = self.places().slots.get_mut(&slot) {
            place.artifact.take_if(|held| Arc::ptr_eq(held, artifact));
        }
    }

    /// What a slot's agent may fetch.
    pub(crate) fn artifact(&self, slot: SlotId) -> Option<Arc<Artifact>> {
        self.places().slots.get(&slot)?.artifact.clone()
    }

    /// Notes that what was deployed has been running for so long.
    pub(crate) fn deployed(&self, slot: SlotId, uptime: Duration) {
        if let Some(place) = self.places().slots.get_mut(&slot) {
            let since = Instant::now().checked_sub(uptime);
            place.deployed = place.deployed.or(since);
        }
    }

    /// For how long what was deployed has been running, if that is known.
    pub(crate) fn running_for(&self, slot: SlotId) -> Option<Duration> {
        let places = self.places();
        places
            .slots
            .get(&slot)?
            .deployed
            .map(|since| since.elapsed())
    }

    /// Counts dropped log lines.
    pub(crate) fn lines_dropped_add(&self, slot: SlotId, count: u64) {
        if let Some(place) = self.places().slots.get_mut(&slot) {
            place.dropped += count;
        }
    }

    /// The dropped lines not yet reported, which now are.
    pub(crate) fn lines_dropped(&self, slot: SlotId) -> u64 {
        let mut places = self.places();
        let dropped = places.slots.get_mut(&slot).map(|place| &mut place.dropped);
        dropped.map(std::mem::take).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(number: u32) -> SlotId {
        SlotId::from_parts(number, [7; 8])
    }

    #[test]
    fn an_artifact_is_offered_to_a_claimed_slot_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        std::fs::write(&path, "a").expect("written");
        let artifact = Artifact::open(&path, "00".into()).expect("opened");
        let table = Table::default();
        table.insert(slot(1), Stage::Ready);
        assert!(!table.offer(slot(1), &artifact));
        table.claim();
        assert!(table.offer(slot(1), &artifact));
        assert!(table.artifact(slot(1)).is_some());
        table.release(slot(1));
        assert!(table.artifact(slot(1)).is_none());
    }
}
