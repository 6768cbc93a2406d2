//! The agent as the first program of a machine of its own. There is nothing
//! but a kernel then, so it does what an init does:
//!
//! ```text
//!  mounts ─▶ modules ─▶ network ─▶ what the monitor says ─▶ the agent's life ─▶ power off
//!     └──────────┴──────────┴─────────────┴── failed ───────────────────────────▲
//! ```
//!
//! Orphans it buries as every agent does, since each is the reaper of what is
//! below it; here that is everything.
//!
//! What must never happen: the first program returning, which is a panic of the
//! kernel; a workload that can read what the monitor said.

mod line;
mod modules;
mod mounts;
mod netlink;
mod network;
mod slot;

use std::io;
use std::path::PathBuf;

use hostler_wire::agent::{AgentMetadata, ENV_SANDBOX};
use rustix::system::{RebootCommand, reboot};

/// Why a guest cannot work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GuestError {
    /// A file system could not be mounted.
    #[error("could not mount {target}: {source}")]
    Mount {
        target: &'static str,
        source: io::Error,
    },
    /// A module could not be loaded.
    #[error("could not load {path}: {source}")]
    Module { path: PathBuf, source: io::Error },
    /// A file could not be read or written.
    #[error("could not use {path}: {source}")]
    File { path: PathBuf, source: io::Error },
    /// The kernel line makes no sense.
    #[error(transparent)]
    Line(#[from] line::LineError),
    /// The network could not be set up.
    #[error("could not {what}: {source}")]
    Network {
        what: &'static str,
        source: io::Error,
    },
    /// What the monitor said cannot be read.
    #[error("could not read what the monitor says: {0}")]
    Metadata(#[from] hostler_wire::agent::DecodeError),
    /// The slot would change the meaning of a subject.
    #[error("the slot is '{0}', which is no word of a NATS subject")]
    Slot(String),
}

/// Whether this process is its machine's first one, and was not told to be a
/// plain process, as the first one of a container is.
pub(crate) fn is_init() -> bool {
    rustix::process::getpid().is_init() && std::env::var_os(ENV_SANDBOX).is_none()
}

/// Makes the machine one that an agent can live in; who it is there.
pub(crate) fn enter() -> Result<AgentMetadata, GuestError> {
    mounts::mount_all()?;
    modules::load_all()?;
    let line = slot::read("/proc/cmdline".as_ref())?;
    network::set_up(line::Line::parse(&String::from_utf8_lossy(&line))?)?;
    slot::learn()
}

/// Ends the machine. Returns only if the kernel refuses.
pub(crate) fn leave() {
    rustix::fs::sync();
    if let Err(error) = reboot(RebootCommand::PowerOff) {
        tracing::error!(%error, "could not power off");
    }
}
