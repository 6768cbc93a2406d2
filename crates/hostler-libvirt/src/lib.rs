//! Long-lived machines through libvirt and QEMU; a leaf.
//!
//! The program `hostler-machines` has this driver for a node, which starts it as a
//! child ([`hostler_node::hypervisor::machines::helper`]) and links nothing of
//! libvirt. Start reading at [`Libvirt::new`]. Calls of libvirt block, so each is made on a
//! thread of its own ([`link`]), with few at once; their deadlines are the
//! caller's. Definitions are trees that a real writer writes ([`xml`]), so that
//! no name can be more than a name. Files are the node's
//! [`hostler_node::hypervisor::disks::QemuDisks`].
//!
//! A machine is ours if its definition carries our mark with the id of this
//! node's data ([`mark`]); nothing else is ever touched. Domains are called
//! `{prefix}-{vm}`, their UUID is the VM's id.
//!
//! What must never happen: a domain without our mark changed; a port opened on
//! a network by a screen or a serial line.

mod filter;
mod life;
mod link;
mod look;
mod mark;
mod network;
mod options;
mod probe;
mod screen;
mod settings;
mod snapshot;
mod xml;

use std::sync::{Arc, OnceLock};

use hostler_node::hypervisor::disks::QemuDisks;
use hostler_node::hypervisor::machines::MachineError;

pub use options::{DirectBoot, LibvirtOptions, NatNetwork};
pub use probe::{Accelerator, accelerator};
pub use settings::{Settings, SettingsError};

use link::Link;

/// Machines through libvirt. Cloning gives another handle to the same.
#[derive(Clone, Debug)]
pub struct Libvirt(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    link: Link,
    options: LibvirtOptions,
    disks: QemuDisks,
    /// libvirt's own version, once it has said it.
    version: OnceLock<String>,
}

impl Libvirt {
    /// Machines as these options say; nobody is asked anything yet.
    pub fn new(options: LibvirtOptions) -> std::io::Result<Self> {
        Ok(Self(Arc::new(Shared {
            link: Link::new(&options.uri),
            disks: QemuDisks::open(&options.folder)?,
            options,
            version: OnceLock::new(),
        })))
    }

    /// Whether libvirt answers.
    pub async fn greet(&self) -> Result<(), MachineError> {
        let version = virt::connect::Connect::get_lib_version;
        let version = self.0.link.call(version).await?;
        self.0.version.get_or_init(|| text_of(version));
        Ok(())
    }
}

/// libvirt counts a million for each major version.
fn text_of(version: u32) -> String {
    let (major, minor) = (version / 1_000_000, version / 1_000 % 1_000);
    format!("{major}.{minor}.{}", version % 1_000)
}
