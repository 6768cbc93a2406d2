//! What the manager asks of the fleet that its machines join, where there is
//! one: whether a runner's machine has registered, and to free it of its work.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use hostler_core::runner::RunnerId;
use tokio::sync::watch;

/// A runner's machine, as a node of the fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// How many workloads are on it.
    pub load: u32,
    /// Whether it takes new ones.
    pub is_open: bool,
}

/// The nodes of the fleet that are runners' machines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// Whether runners are to join a fleet at all.
    pub are_awaited: bool,
    /// By runner.
    pub nodes: BTreeMap<RunnerId, Member>,
}

/// The fleet did not do what it was asked; it is asked again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the fleet did not do it: {0}")]
pub struct FleetError(pub String);

/// A fleet of nodes. Every method may be repeated, and is `Ok` for a runner
/// that is no node.
#[async_trait]
pub trait Fleet: Send + Sync + 'static {
    /// The nodes, now and after every change.
    fn members(&self) -> watch::Receiver<Arc<Members>>;

    /// Gives the runner's node no new work, and moves away what it has; with
    /// `open`, takes both back.
    async fn schedule(&self, id: &RunnerId, open: bool) -> Result<(), FleetError>;

    /// Lets the runner's node go before its machine is given back, which was
    /// written down: it takes no seat and registers no more. Refused while
    /// there is work on it; with `force`, its work stays until the machine is
    /// gone, so that it never runs twice.
    async fn leave(&self, id: &RunnerId, force: bool) -> Result<(), FleetError>;

    /// Takes the runner's node off the books: its machine is gone.
    async fn forget(&self, id: &RunnerId) -> Result<(), FleetError>;
}

/// No fleet: runners are ready when their programs are.
#[derive(Debug)]
pub struct NoFleet(watch::Sender<Arc<Members>>);

impl Default for NoFleet {
    fn default() -> Self {
        Self(watch::Sender::new(Arc::default()))
    }
}

#[async_trait]
impl Fleet for NoFleet {
    fn members(&self) -> watch::Receiver<Arc<Members>> {
        self.0.subscribe()
    }

    async fn schedule(&self, _id: &RunnerId, _open: bool) -> Result<(), FleetError> {
        Ok(())
    }

    async fn leave(&self, _id: &RunnerId, _force: bool) -> Result<(), FleetError> {
        Ok(())
    }

    async fn forget(&self, _id: &RunnerId) -> Result<(), FleetError> {
        Ok(())
    }
}
