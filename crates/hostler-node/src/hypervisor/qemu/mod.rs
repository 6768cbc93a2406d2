//! Slots as microVMs: each a guest of QEMU with a kernel, the agent as its first
//! program, and one way out, to the node's NATS server.
//!
//! ```text
//!  agent ─▶ 10.0.2.100:4222 ─▶ QEMU's own network ─▶ relay ─▶ inner NATS on loopback
//! ```
//!
//! To the host a machine is a process, and is kept, found again, watched and
//! ended as the driver for processes does it. What is different is how it
//! is started and how its memory is limited: a balloon in the guest takes away
//! what the workload may not have, so that a hungry workload is ended by the
//! guest's kernel; the control group around QEMU holds whatever the guest does.
//!
//! What must never happen: a guest that reaches anything but the one port;
//! credentials on a command line.

mod arguments;
mod boot;
mod limit;
mod options;
mod probe;
mod qmp;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use hostler_core::id::SlotId;
use hostler_core::microvm::{Accelerator, GuestSize};

use super::process::Process;
use super::{BootError, BootSpec, Found, Isolation, KillError, LimitError, Limits, MicroVms};
use crate::rootfs::Rootfs;

pub(in crate::hypervisor) use limit::balloon;
pub use options::QemuOptions;
pub use probe::accelerator;
pub use qmp::QmpError;

/// The driver.
#[derive(Clone, Debug)]
pub struct Qemu {
    processes: Process,
    machine: Machine,
}

/// What all machines have in common.
#[derive(Clone, Debug)]
struct Machine {
    options: QemuOptions,
    rootfs: Rootfs,
    size: GuestSize,
    accelerator: Accelerator,
}

impl Qemu {
    /// A driver over the folder `slots`, which is made if it is missing.
    /// A kill is given up after `patience`.
    pub fn new(
        slots: PathBuf,
        options: QemuOptions,
        patience: Duration,
    ) -> Result<Self, BootError> {
        let rootfs = Rootfs::open(&options.rootfs)?;
        let machine = Machine {
            size: GuestSize {
                work: options.memory,
                files: rootfs.size,
            },
            accelerator: options.accelerator.unwrap_or_else(accelerator),
            rootfs,
            options,
        };
        Ok(Self {
            processes: Process::new(slots, PathBuf::new(), patience)?,
            machine,
        })
    }

    /// How the guests' processors are had.
    pub fn accelerator(&self) -> Accelerator {
        self.machine.accelerator
    }

    /// Removes what the driver itself keeps beside its machines.
    pub fn remove(&self) {
        self.processes.remove();
    }
}

#[async_trait]
impl MicroVms for Qemu {
    async fn boot(&self, slot: SlotId, spec: &BootSpec) -> Result<(), BootError> {
        let (spec, machine) = (spec.clone(), self.machine.clone());
        self.processes
            .start(slot, move |folder| machine.start(slot, &spec, folder))
            .await
    }

    async fn list(&self) -> io::Result<Vec<Found>> {
        self.processes.list().await
    }

    async fn ended(&self, slot: SlotId) {
        self.processes.ended(slot).await;
    }

    async fn limit(&self, slot: SlotId, limits: Limits) -> Result<(), LimitError> {
        self.processes.limit(slot, limits).await
    }

    async fn kill(&self, slot: SlotId) -> Result<(), KillError> {
        self.processes.kill(slot).await
    }

    async fn forget(&self, slot: SlotId) -> io::Result<()> {
        self.processes.forget(slot).await
    }

    fn isolation(&self) -> Isolation {
        let mut measures = match self.machine.accelerator {
            Accelerator::Kvm => vec!["kvm"],
            Accelerator::Emulation => vec!["emulation"],
        };
        measures.extend(self.processes.group_measures());
        Isolation {
            driver: "qemu",
            measures,
        }
    }
}
