//! What a driver is told and what it tells.

use std::path::PathBuf;

use hostler_core::id::SlotId;
use hostler_core::microvm::Accelerator;
use hostler_core::{Bytes, Cpu};

use super::qemu::accelerator;
use super::{Fake, QemuOptions};
use crate::rootfs::Rootfs;

/// How slots are made.
#[derive(Clone, Debug, Default)]
pub enum DriverChoice {
    /// The best that works on this machine.
    #[default]
    Best,
    /// A process of its own session and control group.
    Process,
    /// A microVM by QEMU.
    Qemu(QemuOptions),
    /// Agents in this very process, for tests and simulated nodes.
    Fake(Fake),
}

impl DriverChoice {
    /// The best that works here: microVMs where KVM runs guests and there is
    /// something for them to boot. Emulated ones only whoever asks for them gets.
    pub fn best(qemu: QemuOptions) -> Self {
        let boots = Rootfs::open(&qemu.rootfs).is_ok();
        if boots && accelerator() == Accelerator::Kvm {
            Self::Qemu(qemu)
        } else {
            Self::Process
        }
    }
}

/// What a machine needs at boot.
#[derive(Clone, Debug)]
pub struct BootSpec {
    /// Host of the inner NATS server, as the machine sees it.
    pub nats_host: String,
    /// Its port.
    pub nats_port: u16,
    /// The NATS credentials of this slot and no other, as text.
    pub credentials: String,
}

/// What a machine may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Processor; zero is no limit.
    pub cpu: Cpu,
    /// Memory; zero is no limit.
    pub memory: Bytes,
    /// Processes; zero is no limit.
    pub pids: u32,
}

/// A slot that has something left with the driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Which.
    pub slot: SlotId,
    /// Whether its agent lives.
    pub alive: bool,
}

/// What stands between a slot and its neighbours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Isolation {
    /// The driver's name.
    pub driver: &'static str,
    /// Every measure that works here, such as `session`, `cgroup-memory`.
    pub measures: Vec<&'static str>,
}

impl Isolation {
    /// Whether nothing at all keeps slots apart (tag `nex.unsafe`).
    pub fn is_unsafe(&self) -> bool {
        self.measures.is_empty()
    }

    /// The measures as one text, for a node's tags.
    pub fn text(&self) -> String {
        self.measures.join(",")
    }
}

/// Where a driver keeps what it knows of a slot.
pub(crate) fn slot_folder(slots: &std::path::Path, slot: SlotId) -> PathBuf {
    slots.join(slot.to_string())
}
