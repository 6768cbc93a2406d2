//! The node as a whole: [`start`] opens everything, [`Service::run`] works
//! until it is told to stop.
//!
//! Order of a start: settings are checked, then the ledger is opened (which
//! takes the data folder's lock), keys, lease, the API's port, the fleet (by a
//! node that must be told where its NATS is), the control NATS, slots; then the work is taken up; then requests are let in.
//!
//! Order of a stop: requests first, then the tasks that own work, then what is
//! still to be said, then the slots' tasks, then the ledger.

mod connect;
mod fleet_nats;
mod leftover;
mod service;
mod start;

use std::net::SocketAddr;

use crate::fence::Lease;
use crate::identity::{ApiKey, IdentityError, RegistrationError};
use crate::slots::Slots;
use crate::vms::{VmRoster, Vms};
use crate::workloads::{Roster, Workloads};
use tokio::sync::watch;

pub use connect::ConnectError;
pub use service::Service;
pub use start::start;

/// What others may ask of a running node. Cloning gives another handle.
#[derive(Clone)]
pub struct Handle {
    /// The node's public server key, its id on the NATS control API.
    pub node: String,
    /// The curve key that requesters seal environments for.
    pub xkey: String,
    /// Where its HTTP API listens.
    pub api: SocketAddr,
    workloads: Workloads,
    vms: Option<Vms>,
    slots: Slots,
    lease: Lease,
    key: watch::Receiver<Option<ApiKey>>,
}

impl Handle {
    /// All work; its readers are woken by changes.
    pub fn roster(&self) -> watch::Receiver<Roster> {
        self.workloads.roster()
    }

    /// All VMs, if this node holds any; its readers are woken by changes.
    pub fn vms(&self) -> Option<watch::Receiver<VmRoster>> {
        self.vms.as_ref().map(Vms::roster)
    }

    /// The slots.
    pub fn slots(&self) -> &Slots {
        &self.slots
    }

    /// The lease.
    pub fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Returns when the node has joined its fleet, with its key there.
    pub async fn joined(&self) -> Option<ApiKey> {
        let mut key = self.key.clone();
        let joined = key.wait_for(Option::is_some).await.ok()?;
        joined.clone()
    }
}

/// The node could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartupError {
    /// The settings are wrong.
    #[error(transparent)]
    Options(#[from] hostler_daemon::config::Mistakes),
    /// The data folder.
    #[error("could not make the data folder {path}")]
    Folder {
        /// Which.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] crate::ledger::OpenError),
    /// The ledger of VMs.
    #[error(transparent)]
    Vms(#[from] crate::vms::BookError),
    /// What is left over of an earlier fleet.
    #[error("could not drop what is left over of an earlier fleet")]
    Leftover(#[from] crate::ledger::AppendError),
    /// The keys.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The registration.
    #[error(transparent)]
    Registration(#[from] RegistrationError),
    /// The lease.
    #[error(transparent)]
    Lease(#[from] crate::fence::LeaseError),
    /// The API's port.
    #[error("could not listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The control plane's address.
    #[error("could not make a client of the control plane")]
    Control(#[from] hostler_wire::client::ClientError),
    /// The control NATS.
    #[error(transparent)]
    Nats(#[from] ConnectError),
    /// The key of its own for the control NATS.
    #[error("could not make the key for NATS")]
    NatsKey(#[from] hostler_daemon::secret::SecretError),
    /// What the control plane said of the control NATS.
    #[error("could not keep where NATS is")]
    NatsPlace(#[source] std::io::Error),
    /// The artifacts.
    #[error("could not open the artifact cache")]
    Artifacts(#[from] crate::artifacts::ArtifactError),
    /// The slots.
    #[error("could not start the slots")]
    Slots(#[from] crate::slots::SlotsError),
    /// The host services.
    #[error("could not offer host services")]
    Services(#[from] crate::slots::LinkError),
    /// The control API.
    #[error(transparent)]
    Requests(#[from] crate::control::ControlError),
}
