//! What can go wrong with a machine, one enum per operation.

use std::io;
use std::path::PathBuf;

use hostler_core::Bytes;
use hostler_core::microvm::Beyond;

use super::qemu::QmpError;
use crate::rootfs::RootfsError;

/// A machine could not be started.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// Its folder or a file in it could not be made.
    #[error("could not make {path}")]
    Files {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The agent's program could not be started.
    #[error("could not start {program}")]
    Spawn {
        /// Which.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Its control group could not be made.
    #[error("could not make a control group for the slot")]
    Group(#[source] io::Error),
    /// There is no kernel or first file system to boot.
    #[error("there is nothing to boot")]
    Rootfs(#[from] RootfsError),
    /// It was told to fail.
    #[error("the boot was made to fail")]
    Refused,
}

/// A machine could not be limited.
#[derive(Debug, thiserror::Error)]
pub enum LimitError {
    /// The kernel refused the value.
    #[error("could not write {value} to {path}")]
    Write {
        /// The file of the control group.
        path: PathBuf,
        /// What was to be written.
        value: String,
        /// Why not.
        source: io::Error,
    },
    /// A microVM is smaller than that.
    #[error(transparent)]
    Beyond(#[from] Beyond),
    /// Its monitor could not be told.
    #[error("could not have the monitor limit its guest")]
    Monitor(#[source] QmpError),
    /// The guest did not give up its memory.
    #[error("the guest did not shrink to {asked} in time")]
    Balloon {
        /// What it was to have.
        asked: Bytes,
    },
}

/// A machine could not be ended.
#[derive(Debug, thiserror::Error)]
pub enum KillError {
    /// Some processes were still there after the deadline.
    #[error("processes {pids:?} are still there")]
    Remains {
        /// Which.
        pids: Vec<i32>,
    },
    /// It could not be found out what is there.
    #[error("could not look at the processes of the slot")]
    Look(#[from] io::Error),
}
