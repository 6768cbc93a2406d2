//! One slot of the table: where it is in its life, and what it was given.

use std::sync::Arc;

use hostler_core::node::AgentClock;
use hostler_core::pool::{Slot, SlotState};
use tokio::time::Instant;

use crate::agents::Artifact;
use crate::hypervisor::Limits;

/// Where a slot is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Left by an earlier life; not yet known to be of use.
    Found,
    /// Started, no handshake yet.
    Booting,
    /// Waiting for work.
    Ready,
    /// Handed out.
    Claimed,
    /// Being ended; nobody gets it any more.
    Releasing,
}

/// What is known of a slot.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) slot: Slot,
    /// Left by an earlier life and not yet looked at.
    pub(super) found: bool,
    /// Being ended.
    pub(super) releasing: bool,
    /// What it may use, once it is claimed.
    pub(super) limits: Option<Limits>,
    /// What its agent's clock showed last.
    pub(super) clock: Option<AgentClock>,
    /// When its agent accepted a workload.
    pub(super) deployed: Option<Instant>,
    /// What its agent may fetch.
    pub(super) artifact: Option<Arc<Artifact>>,
    /// Log lines dropped and not yet reported.
    pub(super) dropped: u64,
    /// Held by whoever makes or ends it.
    pub(super) closing: Arc<tokio::sync::Mutex<()>>,
}

impl Place {
    /// A slot that nothing is known of yet.
    pub(super) fn new(slot: Slot, stage: Stage) -> Self {
        Self {
            slot,
            found: stage == Stage::Found,
            releasing: stage == Stage::Releasing,
            limits: None,
            clock: None,
            deployed: None,
            artifact: None,
            dropped: 0,
            closing: Arc::default(),
        }
    }

    /// Where it is in its life.
    pub(super) fn stage(&self) -> Stage {
        match self.slot.state() {
            SlotState::Gone => Stage::Releasing,
            _ if self.releasing => Stage::Releasing,
            _ if self.found => Stage::Found,
            SlotState::Booting(_) => Stage::Booting,
            SlotState::Ready(_) => Stage::Ready,
            SlotState::Claimed => Stage::Claimed,
        }
    }
}
