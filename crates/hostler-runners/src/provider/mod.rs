//! What gives machines: the one trait that Kubernetes, a cloud or this machine
//! implement.
//!
//! A provider acts and reports; it decides nothing. Its duties:
//!
//! - **Facts only from answers.** A call that failed changes no snapshot; it
//!   goes into [`Snapshot::problem`], and no runner has failed by it.
//! - **Every order may be repeated.** `create` of what exists, `cordon` of what
//!   is cordoned, `release` of what is gone are `Ok`.
//! - **Exactly its own.** Whatever does not carry the labels of this manager is
//!   at most listed as a [`Host`], and never changed.
//! - **Prompt.** A call returns within its own deadline of some seconds, as
//!   [`ProviderError::Unreachable`] at the latest; it does not wait for the
//!   machine, nor does it retry for longer.

mod error;
pub mod fake;
pub mod local;
mod snapshot;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hostler_core::runner::{Mark, RunnerId, RunnerPool};
use tokio::sync::watch;

pub use error::ProviderError;
pub use snapshot::{Check, Host, Snapshot};

/// What sort of provider one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProviderInfo {
    /// Its name in answers: `kubernetes`, `aws`, `local`, `fake`.
    pub name: &'static str,
    /// How long after its creation a runner may be missing from the snapshots
    /// without being gone.
    pub lag: Duration,
    /// How many calls of `create` or `release` it takes at once.
    pub calls_at_once: usize,
}

/// A request for one machine.
#[derive(Clone, Debug)]
pub struct Order {
    /// What the runner is to be called.
    pub id: RunnerId,
    /// Whose it is; to be kept with the provider (labels, tags) and reported in
    /// the facts for as long as the runner is there.
    pub mark: Mark,
    /// The kind of machine.
    pub pool: Arc<RunnerPool>,
    /// The one machine it is to be on: adoption of one that is there already.
    pub machine: Option<String>,
}

/// Something that gives machines.
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    /// What sort of provider it is.
    fn info(&self) -> ProviderInfo;

    /// All that it sees, now and after every change. The first snapshot may be
    /// one that is not yet [`Snapshot::is_synced`]; nothing is concluded from
    /// what is missing in it.
    fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>>;

    /// Asks for a machine. `Ok`: the request is made, or one of this id was
    /// there already. After [`ProviderError::Unreachable`] it may have been made
    /// all the same: the caller asks again, or releases it.
    async fn create(&self, order: &Order) -> Result<(), ProviderError>;

    /// Closes the runner's machine to further runners, or opens it again.
    /// `Ok` when there is no machine (any more).
    async fn cordon(&self, id: &RunnerId, closed: bool) -> Result<(), ProviderError>;

    /// Takes back whatever keeps the machine (pins, protection) and gives it
    /// back. `Ok`: this is under way, or there is nothing of this id. That it is
    /// gone is seen by the snapshots.
    async fn release(&self, id: &RunnerId) -> Result<(), ProviderError>;

    /// Checks all that it needs (rights, pools, programs), for `/ready` and
    /// `hostler runners doctor`. Asks the other side anew.
    async fn check(&self, pools: &[Arc<RunnerPool>]) -> Vec<Check>;
}
