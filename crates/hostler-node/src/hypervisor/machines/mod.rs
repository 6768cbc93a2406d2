//! Long-lived machines: those that users own, with disks that outlive them.
//!
//! A driver knows machines by VM id and nothing of orders, leases or ledgers.
//! Its machines outlive it, and it touches none that does not carry our mark.
//! Every call may be repeated and comes to the same end; an error means that it
//! is not known whether anything happened, unless it is
//! [`MachineError::Refused`].
//!
//! Three traits, since not every driver can do everything: [`Machines`] is
//! their life, [`Disks`] their files, [`Screens`] what can be seen of them
//! (decision 0011). A driver may be in a process of its own ([`helper`]).
//!
//! What must never happen: a disk removed by anything but [`Disks::remove`]; a
//! look that shows less than there is without failing.

pub mod fake;
pub mod helper;
mod types;

use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use hostler_core::id::VmId;

pub use fake::FakeMachines;
pub use helper::{Helper, HelperOptions};
pub use types::{
    About, Channel, DiskFile, DiskOrigin, DiskPlan, DiskSeen, Files, MachineError, MachineSpec,
    PowerAct, Sight, SnapshotAct, Usage, Wire,
};

/// A driver for long-lived machines.
#[async_trait]
pub trait Machines: Send + Sync + Debug {
    /// What it is, as found out by trying.
    fn about(&self) -> About;

    /// Every machine there is, also those that are not ours.
    async fn look(&self) -> Result<Vec<Sight>, MachineError>;

    /// Makes a machine what is said here, from its next start on.
    async fn define(&self, spec: &MachineSpec) -> Result<(), MachineError>;

    /// Starts, ends or holds it. What it is already is no error.
    async fn power(&self, vm: VmId, act: PowerAct) -> Result<(), MachineError>;

    /// Takes, removes or goes back to a snapshot.
    async fn snapshot(&self, vm: VmId, act: SnapshotAct) -> Result<(), MachineError>;

    /// Has a machine that is on see its disk grow.
    async fn grow(&self, vm: VmId, disk: &str, bytes: u64) -> Result<(), MachineError>;

    /// Switches it off and forgets it, but for its disks.
    async fn remove(&self, vm: VmId) -> Result<(), MachineError>;
}

/// The files of machines.
#[async_trait]
pub trait Disks: Send + Sync + Debug {
    /// Makes a disk, whole or not at all; one that is there is left alone.
    async fn make(&self, plan: &DiskPlan) -> Result<(), MachineError>;

    /// Makes a disk of a machine that is off at least so large.
    async fn grow(&self, vm: VmId, disk: &str, bytes: u64) -> Result<(), MachineError>;

    /// Every file of a machine.
    async fn look(&self, vm: VmId) -> Result<Files, MachineError>;

    /// Removes every file of a machine.
    async fn remove(&self, vm: VmId) -> Result<(), MachineError>;

    /// Where a machine's files are.
    fn folder(&self, vm: VmId) -> PathBuf;
}

/// What can be seen of a machine that is on.
#[async_trait]
pub trait Screens: Send + Sync + Debug {
    /// Connects to its screen or its serial line.
    async fn open(&self, vm: VmId, channel: Channel) -> Result<Wire, MachineError>;

    /// What its screen shows, as PNG.
    async fn screenshot(&self, vm: VmId) -> Result<Vec<u8>, MachineError>;
}

/// One driver's three sides.
#[derive(Clone, Debug)]
pub struct Machinery {
    /// Their life.
    pub machines: Arc<dyn Machines>,
    /// Their files.
    pub disks: Arc<dyn Disks>,
    /// What can be seen of them.
    pub screens: Arc<dyn Screens>,
    /// Whether images are fetched at all; a fake has no use for them.
    pub wants_images: bool,
}

impl Machinery {
    /// Machines that are none.
    pub fn fake(fake: FakeMachines) -> Self {
        let fake = Arc::new(fake);
        Self {
            machines: fake.clone(),
            disks: fake.clone(),
            screens: fake,
            wants_images: false,
        }
    }
}
