//! What can go wrong with what microVMs boot.

use std::io;
use std::path::{Path, PathBuf};

/// A kernel and its first file system could not be made or used.
#[derive(Debug, thiserror::Error)]
pub enum RootfsError {
    /// There is none.
    #[error("{folder} holds no rootfs; make one with: hostler rootfs build")]
    Missing {
        /// Where it was looked for.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Its record is none.
    #[error("could not read the record of a rootfs")]
    Record(#[from] serde_json::Error),
    /// Its files are not those that its record speaks of.
    #[error("the rootfs in {folder} is torn; make it anew with: hostler rootfs build")]
    Torn {
        /// Where.
        folder: PathBuf,
    },
    /// A file could not be read or written.
    #[error("could not use {path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A program of the distribution could not be run.
    #[error("could not run {program}")]
    Run {
        /// Which.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// It failed.
    #[error("{program} failed: {said}")]
    Failed {
        /// Which.
        program: String,
        /// What it said.
        said: String,
    },
    /// The distribution has no such package, or its lists were never fetched.
    #[error("there is no package for a kernel of this kind; try: apt-get update")]
    NoPackage,
    /// A folder holds no kernel.
    #[error("there is no kernel in {0}")]
    NoKernel(PathBuf),
    /// A module that machines need is neither there nor built in.
    #[error("the kernel has no module '{0}'")]
    NoModule(String),
    /// A module is not one.
    #[error("{path} is no module")]
    Module {
        /// Which.
        path: PathBuf,
        /// Why.
        source: object::Error,
    },
    /// The agent needs a library that is not there.
    #[error("the agent needs {0}, which is not on this machine")]
    NoLibrary(String),
    /// A file is larger than an archive of this kind can hold.
    #[error("{0} is too large for a first file system")]
    TooLarge(PathBuf),
}

impl RootfsError {
    /// An error of this file.
    pub(super) fn file(path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_path_buf();
        move |source| Self::File { path, source }
    }
}
