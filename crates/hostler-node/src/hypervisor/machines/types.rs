//! What passes between a node and its driver of long-lived machines.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use hostler_core::id::{SnapshotId, VmId};
use hostler_core::vm::{Firmware, Power, VmSize};
use hostler_wire::node_api::Nic;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};

/// What a driver is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Its name.
    pub driver: String,
    /// `kvm`, `tcg` or `none`.
    pub accelerator: String,
    /// The version of what it drives.
    pub version: String,
}

/// Everything a machine is, apart from its state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineSpec {
    /// Whose it is.
    pub vm: VmId,
    /// Its name, for people: any text.
    pub name: String,
    /// Its project.
    pub project: String,
    /// Processors and memory.
    pub size: VmSize,
    /// What starts its system.
    pub firmware: Firmware,
    /// Its disks, in order; the first is started from.
    pub disks: Vec<DiskFile>,
    /// Its network cards, in order.
    pub nics: Vec<Nic>,
    /// The image with what its guest is told at its first start.
    pub seed: PathBuf,
    /// Where its sockets and logs go.
    pub folder: PathBuf,
}

/// A disk of a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskFile {
    /// Its name, unique within its VM.
    pub name: String,
    /// Where it is; qcow2.
    pub path: PathBuf,
}

/// What is done to a machine's power.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PowerAct {
    /// Start it.
    Start,
    /// Ask its guest to shut down.
    ShutDown,
    /// Switch it off.
    Off,
    /// Have its processors stand still.
    Pause,
    /// Have them go on.
    Resume,
}

/// What is done with a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SnapshotAct {
    /// Take it.
    Take {
        /// Which.
        id: SnapshotId,
        /// Whether going back brings the memory back too.
        memory: bool,
    },
    /// Remove it; one that is not there is no error.
    Remove {
        /// Which.
        id: SnapshotId,
    },
    /// Go back to it. One without memory leaves the machine off.
    Back {
        /// Which.
        id: SnapshotId,
        /// Whether the memory is brought back too.
        memory: bool,
    },
}

/// What is seen of a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sight {
    /// What the driver calls it.
    pub name: String,
    /// Its UUID there.
    pub uuid: Option<String>,
    /// Whose it is, if it carries our mark.
    pub vm: Option<VmId>,
    /// Its state.
    pub power: Power,
    /// Addresses that its guest or its network told.
    pub addresses: Vec<IpAddr>,
    /// Its snapshots of ours.
    pub snapshots: BTreeSet<SnapshotId>,
    /// What it has.
    pub size: VmSize,
    /// What it uses, while it is on.
    pub usage: Option<Usage>,
    /// Its definition, for people.
    pub details: BTreeMap<String, String>,
}

/// What a machine uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Nanoseconds of processor time since its start.
    pub cpu_ns: u64,
    /// Bytes of the host's memory.
    pub memory: u64,
}

/// What a disk is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiskOrigin {
    /// A layer over this file.
    Image {
        /// Where it is.
        path: PathBuf,
        /// `qcow2` or `raw`.
        format: String,
    },
    /// A copy of a machine's first disk; that machine must be off.
    Copy {
        /// Whose.
        of: VmId,
    },
    /// Nothing.
    Blank,
}

/// A disk that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskPlan {
    /// Whose.
    pub vm: VmId,
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// From what.
    pub origin: DiskOrigin,
}

/// A disk that is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskSeen {
    /// Its size as its machine sees it.
    pub bytes: u64,
    /// What it takes.
    pub used: u64,
}

/// The files of a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// Its disks by name.
    pub disks: BTreeMap<String, DiskSeen>,
    /// Names of the images that they lie over.
    pub bases: BTreeSet<String>,
    /// Whether anything at all is there.
    pub any: bool,
}

/// Which line to a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Channel {
    /// Its screen, by the RFB protocol.
    Vnc,
    /// Its serial line.
    Serial,
}

/// A line to a machine.
pub type Wire = Pin<Box<dyn Duplex>>;

/// Both directions of a line.
pub trait Duplex: AsyncRead + AsyncWrite + Send {}

impl<T: AsyncRead + AsyncWrite + Send> Duplex for T {}

/// Something could not be done to a machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MachineError {
    /// Nothing happened, and trying again will not help.
    #[error("{0}")]
    Refused(String),
    /// Trying again may help; perhaps it happened.
    #[error("{0}")]
    Failed(String),
    /// Whoever must be asked does not answer: this says nothing of the machine.
    #[error("{0}")]
    Away(String),
    /// No answer in time.
    #[error("{doing} took longer than {0:?}", doing = .1)]
    Late(Duration, &'static str),
}

impl MachineError {
    /// Whether trying again will not help.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    /// Whether it speaks of the machine at all.
    pub fn is_about_the_machine(&self) -> bool {
        !matches!(self, Self::Away(_))
    }
}
