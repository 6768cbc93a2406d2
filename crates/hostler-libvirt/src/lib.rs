//! Long-lived machines through libvirt and QEMU; a leaf.
//!
//! Start reading at [`open`]. Calls of libvirt block, so each is made on a
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
mod snapshot;
mod xml;

use std::sync::Arc;

use hostler_node::hypervisor::disks::QemuDisks;
use hostler_node::hypervisor::machines::{About, Machinery};

pub use options::{DirectBoot, LibvirtOptions, NatNetwork};
pub use probe::{Accelerator, accelerator};

use link::Link;

/// Machines through libvirt. Cloning gives another handle to the same.
#[derive(Clone, Debug)]
pub struct Libvirt(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    link: Link,
    options: LibvirtOptions,
    disks: QemuDisks,
    about: About,
}

/// Machines could not be had.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Their folder.
    #[error("could not make the folder for the disks of VMs")]
    Folder(#[from] std::io::Error),
    /// libvirt.
    #[error("libvirt at {uri} does not answer")]
    Connect {
        /// Where.
        uri: String,
        /// Why.
        source: hostler_node::hypervisor::machines::MachineError,
    },
}

/// Machines as these options say. libvirt must answer.
pub async fn open(options: LibvirtOptions) -> Result<Libvirt, OpenError> {
    let disks = QemuDisks::open(&options.folder)?;
    let link = Link::new(&options.uri);
    let version = link.call(virt::connect::Connect::get_lib_version).await;
    let version = version.map_err(|source| OpenError::Connect {
        uri: options.uri.clone(),
        source,
    })?;
    let about = About {
        driver: "libvirt",
        accelerator: options.accelerator.word(),
        version: text_of(version),
    };
    Ok(Libvirt(Arc::new(Shared {
        link,
        options,
        disks,
        about,
    })))
}

impl Libvirt {
    /// All sides of it.
    pub fn machinery(&self) -> Machinery {
        Machinery {
            machines: Arc::new(self.clone()),
            disks: Arc::new(self.0.disks.clone()),
            screens: Arc::new(self.clone()),
            wants_images: true,
        }
    }
}

/// libvirt counts a million for each major version.
fn text_of(version: u32) -> String {
    let (major, minor) = (version / 1_000_000, version / 1_000 % 1_000);
    format!("{major}.{minor}.{}", version % 1_000)
}
