//! Flags of microVMs: what they boot, and how they are made.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use hostler_core::Bytes;

/// What microVMs boot.
#[derive(Debug, Subcommand)]
pub(crate) enum RootfsCommand {
    /// Make a kernel and a first file system for microVMs, without root, from
    /// packages of the distribution and the agent
    Build(RootfsBuildArgs),
}

/// `hostler rootfs build`.
#[derive(Debug, Args)]
pub(crate) struct RootfsBuildArgs {
    /// The folder to make them in
    #[arg(long, value_name = "FOLDER")]
    pub out: PathBuf,
    /// A kernel; else the distribution's for clouds, which is downloaded
    #[arg(long, value_name = "FILE", requires = "modules")]
    pub kernel: Option<PathBuf>,
    /// The folder with its modules, such as /lib/modules/6.1.0
    #[arg(long, value_name = "FOLDER", requires = "kernel")]
    pub modules: Option<PathBuf>,
    /// The agent program; else beside this one
    #[arg(long, env = "HOSTLER_AGENT", value_name = "FILE")]
    pub agent: Option<PathBuf>,
}

/// How a node makes microVMs.
#[derive(Clone, Debug, Args)]
pub(crate) struct MicrovmArgs {
    /// What microVMs boot, of `hostler rootfs build`; else `rootfs` in the data folder
    #[arg(long, env = "HOSTLER_ROOTFS", value_name = "FOLDER")]
    pub rootfs: Option<PathBuf>,
    /// What a workload may have of a microVM's memory, at most
    #[arg(long, default_value = "512MiB", value_name = "AMOUNT")]
    pub microvm_memory: Bytes,
    /// Processors of a microVM
    #[arg(long, default_value_t = 1, value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=64))]
    pub microvm_cpus: u32,
}
