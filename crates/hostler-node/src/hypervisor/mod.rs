//! Making, limiting and ending the short-lived machines that slots are. Those
//! that users own, and that live long, are in [`machines`].
//!
//! A driver knows machines by slot id and nothing of what runs in them: no
//! NATS, no workloads, no pool. Its machines outlive it: a driver that starts
//! over the same folder finds them again with [`MicroVms::list`], and
//! dropping a driver ends nothing.
//!
//! ```text
//!            boot             kill            forget
//!  (nothing) ────▶ alive ─────────▶ dead ───────────▶ (nothing)
//!                    └── by itself ──▲
//! ```
//!
//! What must never happen: `kill` saying done while a process of the slot is
//! left; a signal to a process that is not of the slot.

pub mod disks;
mod driver;
mod error;
pub mod fake;
pub mod machines;
pub mod process;
pub mod qemu;
pub mod qemu_img;
mod types;

use async_trait::async_trait;
use hostler_core::id::SlotId;

pub(crate) use driver::Driver;
pub use error::{BootError, KillError, LimitError};
pub use fake::Fake;
pub use qemu::QemuOptions;
pub use types::{BootSpec, DriverChoice, Found, Isolation, Limits};

/// A driver for short-lived machines.
#[async_trait]
pub trait MicroVms: Send + Sync {
    /// Starts a machine for a slot id never used before, and returns when it
    /// is started; that it works is shown by its handshake only.
    async fn boot(&self, slot: SlotId, spec: &BootSpec) -> Result<(), BootError>;

    /// Every slot that has something left here: a machine, or files of one.
    async fn list(&self) -> std::io::Result<Vec<Found>>;

    /// Returns when the slot's agent is dead; at once if it is or never was.
    async fn ended(&self, slot: SlotId);

    /// Sets what the machine may use, replacing earlier limits.
    async fn limit(&self, slot: SlotId, limits: Limits) -> Result<(), LimitError>;

    /// Ends the machine and all that runs in it, and makes sure of it. May
    /// be repeated, also for a slot that never was.
    async fn kill(&self, slot: SlotId) -> Result<(), KillError>;

    /// Removes what a killed machine left. May be repeated.
    async fn forget(&self, slot: SlotId) -> std::io::Result<()>;

    /// What stands between a machine and its neighbours, as found out by
    /// trying, not by asking for versions.
    fn isolation(&self) -> Isolation;
}
