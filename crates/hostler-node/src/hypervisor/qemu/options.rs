//! What the driver is told. Whoever makes it has checked these values.

use std::path::PathBuf;

use hostler_core::Bytes;
use hostler_core::microvm::Accelerator;

/// How microVMs are made.
#[derive(Clone, Debug)]
pub struct QemuOptions {
    /// The folder with kernel and first file system, of `hostler rootfs build`.
    pub rootfs: PathBuf,
    /// What a workload may have at most.
    pub memory: Bytes,
    /// Processors of each machine.
    pub cpus: u32,
    /// How its processor is had; absent: as this machine can.
    pub accelerator: Option<Accelerator>,
    /// The monitor.
    pub program: PathBuf,
    /// The program that leads one connection of the guest to the node's NATS.
    pub relay: PathBuf,
}

impl QemuOptions {
    /// The usual settings over this folder.
    pub fn new(rootfs: impl Into<PathBuf>) -> Self {
        Self {
            rootfs: rootfs.into(),
            memory: Bytes::mib(512),
            cpus: 1,
            accelerator: None,
            program: PathBuf::from("qemu-system-x86_64"),
            relay: PathBuf::from("socat"),
        }
    }
}
