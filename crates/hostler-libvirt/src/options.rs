//! What the driver is told.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use crate::Accelerator;

/// Settings of the driver.
#[derive(Clone, Debug)]
pub struct LibvirtOptions {
    /// Which libvirt.
    pub uri: String,
    /// What the names of our domains, network and filters begin with.
    pub prefix: String,
    /// Names this node's data: machines of other nodes on the same libvirt are
    /// strangers.
    pub owner: String,
    /// Where the files of machines are.
    pub folder: PathBuf,
    /// How guests' processors are had.
    pub accelerator: Accelerator,
    /// The network behind address translation.
    pub nat: NatNetwork,
    /// A kernel to start instead of what is on the disk.
    pub direct_boot: Option<DirectBoot>,
}

/// A network of our own behind address translation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NatNetwork {
    /// The interface of its bridge.
    pub bridge: String,
    /// Its first 24 bits; the last 8 are given to guests.
    pub network: [u8; 3],
}

/// A kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectBoot {
    /// Its file.
    pub kernel: PathBuf,
    /// The first file system's.
    pub initrd: PathBuf,
    /// What it is told.
    pub command_line: String,
}

impl LibvirtOptions {
    /// The usual settings of a node with these data.
    pub fn new(folder: PathBuf, owner: impl Into<String>) -> Self {
        Self {
            uri: "qemu:///system".to_owned(),
            prefix: "hostler".to_owned(),
            owner: owner.into(),
            folder,
            accelerator: crate::accelerator(),
            nat: NatNetwork {
                bridge: "hostler0".to_owned(),
                network: [10, 213, 64],
            },
            direct_boot: None,
        }
    }
}

impl LibvirtOptions {
    /// Whether it is libvirt's own mock, whose machines are of another kind.
    pub(crate) fn is_mock(&self) -> bool {
        self.uri.starts_with("test:")
    }
}

impl NatNetwork {
    /// An address in it.
    pub(crate) fn address(&self, last: u8) -> Ipv4Addr {
        let [a, b, c] = self.network;
        Ipv4Addr::new(a, b, c, last)
    }
}
