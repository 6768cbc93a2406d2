//! From what somebody asks for to a VM that can be written down. Every rule
//! about a single request is here; rules about other things (whether the name
//! is free, the image there, the disk as large as its image) are not.

mod fields;

use std::fmt;

use hostler_core::id::NodeId;
use hostler_core::placement::Rules;
use hostler_core::vm::{DiskOnLoss, Firmware, VmGoal, VmSize, bounds};
use hostler_core::workload::OnNodeLoss;
use hostler_core::{Bytes, Labels, Name};

use super::mistake::{Collector, Mistakes};
use super::new_workload::{fields as common, limits};
use crate::node_api::{Disk, Nic, Seed};
use crate::rest::VmCreate;

/// Milliseconds a guest has to shut down, if nothing else is said.
pub const DEFAULT_STOP_MS: u64 = 60_000;
const DEFAULT_MEMORY: u64 = 1 << 30;
const GIB: u64 = 1 << 30;

/// A VM to be made, in core's terms, each field good by itself and together
/// with the others.
#[derive(Clone, PartialEq, Eq)]
pub struct NewVm {
    /// Its name.
    pub name: Name,
    /// Its project.
    pub project: Name,
    /// What its owner calls the image of its first disk.
    pub image: Option<String>,
    /// What it may use; the disk is zero where it follows from the image.
    pub size: VmSize,
    /// What starts its system.
    pub firmware: Firmware,
    /// Further disks.
    pub disks: Vec<Disk>,
    /// Network cards, at least one.
    pub nics: Vec<Nic>,
    /// What the guest is told, without a password.
    pub seed: Seed,
    /// The user's password in clear, to be hashed.
    pub password: Option<String>,
    /// Keys and values for others to select by.
    pub labels: Labels,
    /// Where it may run.
    pub rules: Rules,
    /// The only node it may run on.
    pub pinned: Option<NodeId>,
    /// What to do when its node is lost.
    pub on_node_loss: OnNodeLoss,
    /// What to do when its disk is lost.
    pub disk_on_loss: DiskOnLoss,
    /// Whether its node starts it after its own start.
    pub autostart: bool,
    /// Milliseconds the guest has to shut down.
    pub stop_deadline_ms: u64,
    /// Whether deleting it is refused.
    pub is_protected: bool,
    /// Running or stopped.
    pub goal: VmGoal,
    /// Text for people.
    pub description: String,
}

impl fmt::Debug for NewVm {
    /// Without what the guest is told.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewVm")
            .field("project", &self.project)
            .field("name", &self.name)
            .field("image", &self.image)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl NewVm {
    /// What `wire` asks for; `random` gives the bytes that hardware addresses
    /// are made of.
    pub fn new(wire: VmCreate, random: impl FnMut() -> [u8; 3]) -> Result<Self, Mistakes> {
        let mut look = Collector::default();
        let name = common::name(&mut look, "name", &wire.name);
        let project = wire.project.as_deref().unwrap_or(limits::DEFAULT_PROJECT);
        let project = common::name(&mut look, "project", project);
        let size = size(&mut look, &wire);
        let stop_deadline_ms = wire.stop_deadline_ms.unwrap_or(DEFAULT_STOP_MS);
        fields::stop_deadline(&mut look, stop_deadline_ms);
        common::labels(&mut look, "labels", &wire.labels);
        common::rules(&mut look, &wire.placement);
        common::description(&mut look, &wire.description);
        let image = one_of(&mut look, ("image", &wire.image), ("os", &wire.os));
        fields::disks(&mut look, &wire.disks);
        let nics = fields::nics(&mut look, wire.nics.as_deref(), random);
        let seed = fields::seed(&mut look, &wire);
        let (name, project) = look.finish(name.zip(project))?;
        let running = wire.activate_at_start.unwrap_or(true);
        Ok(Self {
            name,
            project,
            image,
            size,
            firmware: wire.firmware,
            disks: wire.disks.into_iter().map(Disk::from).collect(),
            nics,
            seed,
            password: wire.password,
            labels: wire.labels,
            rules: wire.placement.into(),
            pinned: wire.slave_id,
            on_node_loss: wire.on_node_loss.unwrap_or(OnNodeLoss::Wait),
            disk_on_loss: wire.disk_on_loss,
            autostart: wire.autostart.unwrap_or(true),
            stop_deadline_ms,
            is_protected: wire.protected,
            goal: if running {
                VmGoal::Running
            } else {
                VmGoal::Stopped
            },
            description: wire.description,
        })
    }

    /// Bytes of its further disks.
    pub fn extra_disk(&self) -> Bytes {
        let sizes = self.disks.iter().map(|disk| disk.size.get());
        Bytes::new(sizes.fold(0, u64::saturating_add))
    }
}

impl From<crate::rest::VmDisk> for Disk {
    fn from(wire: crate::rest::VmDisk) -> Self {
        Self {
            name: wire.name,
            size: Bytes::new(wire.bytes),
        }
    }
}

/// The size that is asked for, in our fields or in the original's.
fn size(look: &mut Collector, wire: &VmCreate) -> VmSize {
    let gib = |amount: Option<u64>| amount.map(|gib| gib.saturating_mul(GIB));
    let cpus = one_of(look, ("cpus", &wire.cpus), ("vcpus", &wire.vcpus));
    let memory = one_of(
        look,
        ("memory_bytes", &wire.memory_bytes),
        ("mem", &gib(wire.mem)),
    );
    let disk = one_of(
        look,
        ("disk_bytes", &wire.disk_bytes),
        ("disk_size", &gib(wire.disk_size)),
    );
    let follows = disk.is_none();
    look.demand(
        !follows || wire.image.is_some() || wire.os.is_some(),
        "disk_bytes",
        "a VM without an image needs the size of its disk",
        "give disk_bytes, or an image",
    );
    let size = VmSize {
        cpus: cpus.unwrap_or(1),
        memory: Bytes::new(memory.unwrap_or(DEFAULT_MEMORY)),
        disk: Bytes::new(disk.unwrap_or(*bounds::DISK.start())),
    };
    fields::size(look, &size);
    VmSize {
        disk: if follows { Bytes::new(0) } else { size.disk },
        ..size
    }
}

/// The value of one of two fields that say the same.
fn one_of<T: Clone + PartialEq>(
    look: &mut Collector,
    (name, ours): (&str, &Option<T>),
    (other, theirs): (&str, &Option<T>),
) -> Option<T> {
    let agree = ours.is_none() || theirs.is_none() || ours == theirs;
    let hint = format!("give only one of {name} and {other}");
    look.demand(agree, name, &format!("{other} says otherwise"), &hint);
    ours.clone().or_else(|| theirs.clone())
}

/// All that is wrong with a size.
pub fn vm_size_check(size: &VmSize) -> Result<(), Mistakes> {
    let mut look = Collector::default();
    fields::size(&mut look, size);
    look.finish(Some(()))
}

/// All that is wrong with these labels.
pub fn labels_check(labels: &Labels) -> Result<(), Mistakes> {
    let mut look = Collector::default();
    common::labels(&mut look, "labels", labels);
    look.finish(Some(()))
}

/// The name in a field of its own.
pub fn name_of(field: &str, text: &str) -> Result<Name, Mistakes> {
    let mut look = Collector::default();
    let name = common::name(&mut look, field, text);
    look.finish(name)
}

#[cfg(test)]
mod tests;
