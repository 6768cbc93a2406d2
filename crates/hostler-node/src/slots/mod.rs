//! The slots of a node: warm places, each with an agent, each used once.
//!
//! One cheap handle, [`Slots`]. Behind it: the inner `nats-server`
//! ([`crate::inner`]), the link to the agents ([`crate::agents`]), a driver
//! that makes the machines ([`crate::hypervisor`]) and the keeper of the warm
//! pool ([`crate::pool`]).
//!
//! ```text
//!          handshake        claim            release, or death
//!  booting ────────▶ ready ──────▶ claimed ───────────────────▶ releasing ─▶ (gone)
//!     └── too late, or died ──────────────────────────────────────▲
//! ```
//!
//! Stopping (the token given to [`Slots::start`]) ends our tasks and nothing
//! else: agents, what runs in them and the inner server go on, and the next
//! start over the same data folder adopts them. [`Slots::shutdown_all`] is
//! the other way to stop: nothing is left but the data folder.
//!
//! What must never happen: one slot handed out twice, or again after use; a
//! slot handed out that has not shaken hands; a process left of a slot that
//! was reported released or lost; a lock held while waiting.

mod adopt;
mod boot;
mod claim;
mod deploy;
mod error;
mod lease;
mod load;
mod options;
mod place;
mod record;
mod release;
mod shared;
mod start;
mod table;
mod types;

use std::sync::Arc;
use std::time::Duration;

use hostler_core::id::SlotId;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::fence::Word;
use crate::hypervisor::Isolation;

pub use crate::agents::{DeployError, Deployment, LinkError, Trigger, TriggerError, TriggerReply};
pub use crate::inner::InnerError;
pub(crate) use boot::{NotReady, boot, boot_begin};
pub use error::{ClaimError, ReleaseError, SlotsError};
pub(crate) use lease::LeaseHeard;
pub use options::{Deadlines, PoolOptions, SlotsOptions};
pub(crate) use release::release;
pub(crate) use shared::Shared;
pub use types::{Released, SlotCounts, SlotEvent, SlotNeed, SlotState};

/// The slots of a node. Cloning gives another handle to the same slots.
#[derive(Clone)]
pub struct Slots {
    shared: Arc<Shared>,
}

impl Slots {
    /// Starts or adopts the inner server, adopts living agents of earlier
    /// starts, removes what dead ones left, and begins to fill the pool.
    ///
    /// Events arrive on the receiver in the order in which they happened,
    /// per slot. Cancelling `stop` ends our tasks and no agent.
    pub async fn start(
        options: SlotsOptions,
        stop: CancellationToken,
    ) -> Result<(Self, mpsc::Receiver<SlotEvent>), SlotsError> {
        start::start(options, stop).await
    }

    /// The claimed slots that were found alive at start.
    pub fn adopted(&self) -> Vec<SlotId> {
        self.shared.adopted.clone()
    }

    /// Hands out a ready slot with limits put on it; waits for a boot when
    /// none is ready. The claim is on disk before this returns.
    pub async fn claim(&self, need: &SlotNeed) -> Result<SlotId, ClaimError> {
        claim::claim(&self.shared, need).await
    }

    /// Has the agent of a claimed slot fetch, check and start a workload.
    /// The same request again gets the same answer from the agent.
    pub async fn deploy(&self, slot: SlotId, deployment: Deployment) -> Result<(), DeployError> {
        deploy::deploy(&self.shared, slot, deployment).await
    }

    /// Tells the slot's agent when leased work must have ended.
    pub(crate) async fn lease(&self, slot: SlotId, word: Word) -> Result<LeaseHeard, LinkError> {
        lease::lease(&self.shared, slot, word).await
    }

    /// Runs the slot's function once. Nothing is held while it runs.
    pub async fn trigger(
        &self,
        slot: SlotId,
        trigger: Trigger,
    ) -> Result<TriggerReply, TriggerError> {
        self.shared.table.check_claimed(slot)?;
        let patience = self.shared.options.deadlines.trigger;
        self.shared.link.trigger(slot, &trigger, patience).await
    }

    /// Ends what runs in the slot (SIGTERM, then SIGKILL after `grace`; zero
    /// kills at once) and removes the slot: processes, control group, files,
    /// credentials. Done twice it does nothing the second time.
    pub async fn release(&self, slot: SlotId, grace: Duration) -> Result<Released, ReleaseError> {
        release(&self.shared, slot, grace).await
    }

    /// Asks the slot's agent how it is.
    pub async fn probe(&self, slot: SlotId) -> SlotState {
        self.shared.probe(slot).await
    }

    /// The calls of host services that agents make, and the connection to
    /// answer them on.
    pub(crate) async fn host_calls(
        &self,
    ) -> Result<(async_nats::Client, async_nats::Subscriber), LinkError> {
        self.shared.link.host_calls().await
    }

    /// How many slots there are of each kind.
    pub fn counts(&self) -> SlotCounts {
        self.shared.table.counts()
    }

    /// What really stands between the slots here.
    pub fn isolation(&self) -> Isolation {
        self.shared.vms.isolation()
    }

    /// Releases every slot and stops the inner server. Afterwards only files
    /// of the data folder are left, and this handle is of no use.
    pub async fn shutdown_all(&self, grace: Duration) {
        start::shutdown_all(&self.shared, grace).await;
    }
}
