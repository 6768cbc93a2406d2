//! What tasks are told, and what comes of orders.

use hostler_core::Generation;
use hostler_core::vm::VmGoal;
use hostler_wire::node_api::{VmDefinition, VmEnsure, VmEntry, VmOrder};
use tokio::sync::oneshot;

use super::book::BookError;

/// To the task of a VM.
pub(super) enum Mail {
    /// An order of the control plane.
    Order(Box<VmEnsure>, Answer),
    /// An order of somebody who asked this node: a new VM, or a new goal for
    /// one that is the node's own.
    Local(VmGoal, Option<Box<VmOrder>>, Answer),
    /// Somebody asks what it is.
    Tell(oneshot::Sender<Option<VmDefinition>>),
    /// The control plane has no more use for the tombstone.
    Forget(Generation),
    /// The lease has ended.
    Fence,
}

/// Where an answer goes.
pub(super) type Answer = oneshot::Sender<Result<VmEntry, VmEnsureError>>;

/// An order was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VmEnsureError {
    /// It makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// It was held up on its way.
    #[error("the order names no heartbeat of this node that is young enough")]
    Stale,
    /// This node holds no VMs.
    #[error("this node holds no VMs")]
    NoVms,
    /// Its ledger is lost, and with it what it was.
    #[error("this node has a machine of that id, and no word of what it was made by")]
    NotKept,
    /// There is none.
    #[error("there is no such VM on this node")]
    Unknown,
    /// The control plane orders it.
    #[error("this VM is the control plane's: ask there")]
    NotLocal,
    /// It could not be written down.
    #[error("the order could not be written down")]
    Book(#[from] BookError),
    /// The node is stopping.
    #[error("the node is stopping")]
    Stopping,
}
