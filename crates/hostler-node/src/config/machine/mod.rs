//! The original's configuration file (protocol 5.1), read as the original reads
//! it: keys in any case, `null` for nothing, lists replaced, maps merged.
//!
//! ```text
//!  text ─read─▶ MachineConfig + a remark for each key that is not followed ─apply─▶ NodeOptions
//! ```
//!
//! The original ignores what it does not know. Here nothing is: each key is
//! followed, or there is a remark that says why not, and whether somebody may
//! have relied on it for safety. What must never happen: a list of who may
//! deploy that was read and is not kept to.

mod apply;
mod keys;
mod read;
mod remark;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

pub use read::MachineConfigError;
pub use remark::{Remark, Weight};

/// A file of the original. What is absent was not said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct MachineConfig {
    /// Folders with programs, searched before the usual ones.
    pub bin_path: Vec<PathBuf>,
    /// The network of machines.
    pub cni: Cni,
    /// Where kernel and root file system are, unless they are named.
    pub default_resource_dir: Option<PathBuf>,
    /// The kernel of machines.
    pub kernel_filepath: Option<PathBuf>,
    /// The same, as it was called before.
    kernel_path: Option<PathBuf>,
    /// The same, as it was called once.
    kernel_file: Option<PathBuf>,
    /// The root file system of machines.
    pub rootfs_filepath: Option<PathBuf>,
    /// The same, as it was called before.
    rootfs_path: Option<PathBuf>,
    /// The same, as it was called once.
    rootfs_file: Option<PathBuf>,
    /// How many slots are kept warm.
    pub machine_pool_size: Option<u32>,
    /// How large a machine is.
    pub machine_template: Template,
    /// Whether work runs in processes instead of machines.
    pub no_sandbox: Option<bool>,
    /// What is told of the node to everybody.
    pub tags: BTreeMap<String, String>,
    /// Public keys of issuers; empty: every issuer.
    pub valid_issuers: Vec<String>,
    /// Public curve keys of requesters; empty: every requester.
    pub requester_public_keys: Vec<String>,
    /// Types of work; empty: the usual ones.
    pub workload_types: Vec<String>,
    /// Patterns that no trigger may overlap.
    pub deny_trigger_subjects: Vec<String>,
    /// How much there may be.
    pub node_limits: NodeLimits,
    /// How long a slot may take from its start to its handshake.
    pub agent_handshake_timeout_ms: Option<u64>,
    /// How long an agent may take to answer a ping.
    pub agent_ping_timeout_ms: Option<u64>,
}

/// The network of machines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Cni {
    /// Folders with plugins.
    pub bin_path: Vec<PathBuf>,
    /// The network's name.
    pub network_name: Option<String>,
    /// The interface in a machine's name space.
    pub interface_name: Option<String>,
    /// Addresses of machines.
    pub subnet: Option<String>,
}

/// How large a machine is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Template {
    /// Processors.
    pub vcpu_count: Option<u32>,
    /// Memory in MiB.
    pub memsize_mib: Option<u32>,
}

/// How much there may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct NodeLimits {
    /// Workloads at once.
    pub max_workloads: Option<u32>,
    /// Bytes of one artifact.
    pub max_workload_bytes: Option<u64>,
}

impl MachineConfig {
    /// The kernel of machines, if any was said.
    pub fn kernel(&self) -> Option<PathBuf> {
        self.resource(self.kernel_filepath.as_ref(), "vmlinux")
    }

    /// The root file system of machines, if any was said.
    pub fn rootfs(&self) -> Option<PathBuf> {
        self.resource(self.rootfs_filepath.as_ref(), "rootfs.ext4")
    }

    fn resource(&self, named: Option<&PathBuf>, usual: &str) -> Option<PathBuf> {
        let folder = self.default_resource_dir.as_ref();
        named.cloned().or_else(|| Some(folder?.join(usual)))
    }

    /// The network's name.
    pub fn network(&self) -> &str {
        self.cni.network_name.as_deref().unwrap_or("fcnet")
    }

    /// Whether work is to run in machines.
    pub fn sandboxed(&self) -> bool {
        !self.no_sandbox.unwrap_or_default()
    }

    /// The node's name: its tag, if that can be one.
    pub fn name(&self) -> Option<String> {
        let tag = self.tags.get("node_name")?;
        let is_name = tag.parse::<hostler_core::Name>().is_ok();
        is_name.then(|| tag.clone())
    }
}
