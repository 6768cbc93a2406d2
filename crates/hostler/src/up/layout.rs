//! Where `hostler up` keeps things below its data folder.
//!
//! ```text
//! secrets/   the admin token, nkey seeds, the workloads' NATS password (0600)
//! run/       what the present life left: pids, ports, the lock, runners.toml
//! nats/      configuration and JetStream files of the NATS server
//! control/   the control plane's database, artifacts, sealing key, and machines
//! node/      the node's ledger, identity, artifacts and slots
//! ```

use std::fs::{self, File};
use std::io;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use hostler_daemon::port;
use rustix::fs::{FlockOperation, flock};

/// The folders of one fleet.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// The data folder.
    pub(crate) data: PathBuf,
}

impl Layout {
    /// Makes the folders, for their owner only.
    pub(crate) fn create(data: &Path) -> Result<Self> {
        let layout = Self {
            data: std::path::absolute(data)?,
        };
        for folder in ["secrets", "run", "nats", "control", "node"] {
            let folder = layout.data.join(folder);
            let made = fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&folder);
            made.with_context(|| format!("could not make {}", folder.display()))?;
        }
        Ok(layout)
    }

    /// A file with a secret.
    pub(crate) fn secret(&self, name: &str) -> PathBuf {
        self.data.join("secrets").join(name)
    }

    /// Where the control plane's local provider keeps its machines.
    pub(crate) fn machines(&self) -> PathBuf {
        self.data.join("control").join("machines")
    }

    /// A file about the present life.
    pub(crate) fn run(&self, name: &str) -> PathBuf {
        self.data.join("run").join(name)
    }

    /// Takes the folder for this process, until the returned file is dropped.
    pub(crate) fn lock(&self) -> Result<File> {
        let file = File::create(self.run("lock"))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(file),
            Err(rustix::io::Errno::WOULDBLOCK) => {
                bail!(
                    "a fleet runs here already, with its data in {}",
                    self.data.display()
                )
            }
            Err(error) => Err(io::Error::from(error)).context("could not lock the data folder"),
        }
    }

    /// The port that `name` has had since its first start: `preferred` if that
    /// was free then, else any free one.
    pub(crate) fn port(&self, name: &str, preferred: u16) -> Result<u16> {
        let path = self.data.join(format!("{name}.port"));
        if let Some(port) = fs::read_to_string(&path)
            .ok()
            .and_then(|text| text.trim().parse().ok())
        {
            return Ok(port);
        }
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let port = match TcpListener::bind((here, preferred)) {
            Ok(_) if preferred != 0 => preferred,
            _ => port::free(here).context("no port is free")?,
        };
        fs::write(&path, format!("{port}\n"))?;
        Ok(port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_chosen_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let layout = Layout::create(folder.path()).expect("made");
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bound");
        let preferred = taken.local_addr().expect("an address").port();
        let port = layout.port("nats", preferred).expect("a port");
        assert_ne!(port, preferred);
        drop(taken);
        assert_eq!(layout.port("nats", preferred).expect("a port"), port);
    }

    #[test]
    fn a_folder_belongs_to_one_fleet_at_a_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let layout = Layout::create(folder.path()).expect("made");
        let lock = layout.lock().expect("locked");
        assert!(layout.lock().is_err());
        drop(lock);
        assert!(layout.lock().is_ok());
    }
}
