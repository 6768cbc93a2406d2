//! What can go wrong with slots, one enum per operation.

use std::io;
use std::path::PathBuf;

use crate::hypervisor::{BootError, KillError, LimitError};
use crate::inner::InnerError;

/// The slots could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SlotsError {
    /// A folder could not be made.
    #[error("could not make the folder {path}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No server for the agents.
    #[error("could not start the inner nats-server")]
    Inner(#[from] InnerError),
    /// No connection to it.
    #[error("could not connect to the inner nats-server")]
    Connect(#[source] crate::agents::LinkError),
    /// The driver does not work on this machine.
    #[error("could not prepare the driver for slots")]
    Driver(#[source] BootError),
}

/// No slot was handed out.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// As many slots as allowed are claimed.
    #[error("all {max} slots of this node are in use")]
    Full {
        /// How many there may be.
        max: u32,
    },
    /// None became ready in time.
    #[error("no slot became ready in {waited_ms} ms{}", problem.as_deref().map(|text| format!(": {text}")).unwrap_or_default())]
    Late {
        /// How long it was waited for.
        waited_ms: u128,
        /// Why the last boot failed, if it did.
        problem: Option<String>,
    },
    /// The limits could not be put on the slot.
    #[error("could not limit the slot's resources")]
    Limits(#[from] LimitError),
    /// The claim could not be written down.
    #[error("could not write down the claim of a slot")]
    Record(#[source] io::Error),
    /// The slots are being stopped.
    #[error("the node is stopping")]
    Stopping,
}

/// A slot could not be ended, or its end could not be confirmed. Asking again
/// continues where it failed.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// A process is left, or may be.
    #[error("could not end every process of the slot")]
    Kill(#[from] KillError),
    /// Files are left.
    #[error("could not remove what the slot left")]
    Files(#[source] io::Error),
}
