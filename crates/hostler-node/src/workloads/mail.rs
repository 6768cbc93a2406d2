//! What the task of a piece of work is told, and what it may answer.

use std::sync::Arc;

use hostler_core::Generation;
use hostler_core::id::SlotId;
use hostler_core::workload::Exit;
use hostler_wire::node_api::Entry;
use tokio::sync::oneshot;

use super::order::Order;
use crate::identity::VaultError;
use crate::ledger::AppendError;
use crate::slots::{ClaimError, DeployError};
use crate::triggers::ListenError;

/// Mail to a task. Sent under the lock of the mailboxes, so that a task that
/// ends has read all of it.
pub(super) enum Mail {
    /// The control plane's order.
    Order(Order, oneshot::Sender<Result<Entry, EnsureError>>),
    /// Its issuer wants it gone.
    Stop(oneshot::Sender<Result<(), StopError>>),
    /// The tombstone up to this generation is of no more use.
    Forget(Generation),
    /// The lease has ended.
    Fence(Arc<str>),
    /// Nothing is started again by itself.
    LameDuck,
    /// It ended by itself in this slot.
    Exited(SlotId, Exit),
    /// This slot died.
    Lost(SlotId, String),
}

/// An order was not followed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnsureError {
    /// It makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// It was held up for so long that it may be void.
    #[error("this order was decided on a heartbeat that is too old: decide again")]
    Stale,
    /// The id is that of work deployed over NATS.
    #[error("this workload was deployed over NATS and is not the control plane's")]
    NotFleet,
    /// The node takes no new work.
    #[error("this node is in lame duck mode and takes no new work")]
    LameDuck,
    /// It could not be written down.
    #[error("could not write the order down")]
    Ledger(#[from] AppendError),
    /// Its environment could not be sealed.
    #[error("could not seal the environment")]
    Seal(#[from] VaultError),
    /// The node is stopping.
    #[error("this node is stopping")]
    Stopping,
}

/// Work could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// No slot.
    #[error("could not get a slot")]
    Claim(#[from] ClaimError),
    /// The agent.
    #[error("could not deploy to the agent")]
    Deploy(#[from] DeployError),
    /// Its trigger subjects.
    #[error("could not listen on its trigger subjects")]
    Listen(#[from] ListenError),
    /// It could not be written down.
    #[error("could not write it down")]
    Ledger(#[from] AppendError),
    /// Its environment could not be opened.
    #[error("could not open its environment")]
    Environment(#[from] VaultError),
    /// The slot died.
    #[error("its agent was lost: {0}")]
    Lost(String),
    /// It was stopped before it ran, or the node is stopping.
    #[error("it was stopped before it ran")]
    Stopped,
}

impl StartError {
    /// Whether an agent may have been told of the work.
    pub(crate) fn may_have_run(&self) -> bool {
        !matches!(self, Self::Claim(_) | Self::Ledger(_))
    }
}

/// Work could not be stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StopError {
    /// The slot could not be ended.
    #[error("{0}")]
    Release(String),
    /// It could not be written down.
    #[error("could not write it down")]
    Ledger(#[from] AppendError),
    /// The node is stopping, or it has just ended by itself.
    #[error("it is no longer here")]
    Stopping,
}
