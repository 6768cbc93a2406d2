//! What a microVM boots: a kernel of the distribution, and a first file system
//! in memory with our agent as its first program, the libraries that it needs
//! and the kernel's modules for the devices of such a machine. Made without
//! root, without a container and without a network of our own: packages come
//! by the distribution's own tools.
//!
//! A folder holds one such pair. It is complete when its `rootfs.json` is there,
//! which is written last; a pair in use may be replaced, since a guest reads it
//! at its start only.

mod archive;
mod build;
mod error;
mod kernel;
mod libraries;
mod modules;
mod run;

use std::fs;
use std::path::{Path, PathBuf};

use hostler_core::Bytes;
use serde::{Deserialize, Serialize};

pub use build::{BuildOptions, KernelFiles, Step, build};
pub use error::RootfsError;

const KERNEL: &str = "vmlinuz";
const INITRAMFS: &str = "initramfs";
const RECORD: &str = "rootfs.json";

/// A pair to boot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rootfs {
    /// The kernel.
    pub kernel: PathBuf,
    /// The first file system, packed.
    pub initramfs: PathBuf,
    /// How large it is; it is not compressed, so in memory as well.
    pub size: Bytes,
}

/// What a pair was made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The kernel's version.
    pub kernel: String,
    /// The version of the program that made it.
    pub version: String,
    /// Bytes of the first file system.
    pub size: u64,
    /// Its SHA-256.
    pub sha256: String,
    /// The modules in it, in the order in which they are loaded.
    pub modules: Vec<String>,
    /// The libraries in it.
    pub libraries: Vec<PathBuf>,
}

impl Rootfs {
    /// The pair in this folder, if it is complete.
    pub fn open(folder: &Path) -> Result<Self, RootfsError> {
        let record = fs::read(folder.join(RECORD)).map_err(|source| RootfsError::Missing {
            folder: folder.to_path_buf(),
            source,
        })?;
        let record: Record = serde_json::from_slice(&record)?;
        let folder = fs::canonicalize(folder).map_err(RootfsError::file(folder))?;
        let rootfs = Self {
            kernel: folder.join(KERNEL),
            initramfs: folder.join(INITRAMFS),
            size: Bytes::new(record.size),
        };
        let size = fs::metadata(&rootfs.initramfs).map_err(RootfsError::file(&rootfs.initramfs))?;
        fs::metadata(&rootfs.kernel).map_err(RootfsError::file(&rootfs.kernel))?;
        if size.len() != record.size {
            return Err(RootfsError::Torn { folder });
        }
        Ok(rootfs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_used_only_when_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Rootfs::open(folder.path());
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        assert!(matches!(open(), Err(RootfsError::Missing { .. })));
        let record = Record {
            kernel: "6.1".into(),
            version: "0.1".into(),
            size: 5,
            sha256: String::new(),
            modules: Vec::new(),
            libraries: Vec::new(),
        };
        write(RECORD, &serde_json::to_string(&record).unwrap());
        assert!(matches!(open(), Err(RootfsError::File { .. })));
        write(INITRAMFS, "four");
        write(KERNEL, "k");
        assert!(matches!(open(), Err(RootfsError::Torn { .. })));
        write(INITRAMFS, "fives");
        assert_eq!(open().unwrap().size, Bytes::new(5));
        write(RECORD, "{");
        assert!(matches!(open(), Err(RootfsError::Record(_))));
    }
}
