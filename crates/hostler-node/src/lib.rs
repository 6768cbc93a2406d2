//! The node daemon: runs work on one machine, for a control plane and for
//! requesters over NATS, and remembers on disk what it must run.
//!
//! Start reading at [`start`], which opens everything, and [`Service::run`].
//! The halves of the house:
//!
//! - what must run: `ledger` (on disk), `workloads` (a task for each piece of
//!   work), `fence` (the lease), `artifacts`, `triggers`, `services` (what functions may ask of the node)
//! - who asks for it: `api` (the control plane), `control` (NATS)
//! - who is told: `heartbeat` (the control plane), `relay` (events and logs)
//! - VMs of users: `vms` (ledger, a task for each), `images`, `seed`, [`guard`] (fences them when
//!   this daemon is dead)
//! - where it runs: [`slots`], and below it `pool`, `agents`, `inner`,
//!   [`hypervisor`]; what microVMs boot: [`rootfs`]

mod agents;
mod api;
mod artifacts;
mod backoff;
mod clock;
mod config;
mod control;
mod fence;
pub mod guard;
mod heartbeat;
mod host;
pub mod hypervisor;
mod identity;
mod images;
mod inner;
mod ledger;
mod node;
mod pool;
mod relay;
mod report;
pub mod rootfs;
mod seed;
mod services;
pub mod slots;
mod tags;
mod triggers;
mod vms;
mod workloads;

pub use artifacts::ArtifactError;
pub use clock::Clock;
pub use config::machine::{MachineConfig, MachineConfigError, Remark, Weight};
pub use config::{
    Admission, AtStop, Bounds, ControlOptions, JoinToken, NatsLogin, NatsOptions, NatsTls,
    NodeOptions,
};
pub use control::ControlError;
pub use fence::{Lease, LeaseError, Word as LeaseWord};
pub use host::capacity;
pub use hypervisor::process::clear;
pub use identity::{ApiKey, IdentityError, REGISTRATION_FILE, RegistrationError};
pub use ledger::{OpenError as LedgerError, Work};
pub use node::{ConnectError, Handle, Service, StartupError, start};
pub use services::{HttpOptions, MessagingOptions, ServiceOptions, StoreOptions};
pub use vms::{BookError, VmRoster, VmView, VmsOptions, holds_vms};
pub use workloads::{Roster, View};

/// The version that the node says it is.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
