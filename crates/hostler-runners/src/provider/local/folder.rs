//! The folder of one machine.
//!
//! ```text
//! order.json  what was asked; without it there is no machine
//! process     pid and start time; written by the process itself, first thing
//! lock        held while the process notes itself
//! closed      it takes no further runners
//! released    it is to be ended
//! log, data/  the node's
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hostler_core::id::JobId;
use hostler_core::runner::{Mark, PoolName, RunnerId};
use hostler_core::{Labels, Resources, Timestamp};
use hostler_daemon::process::ProcessId;
use serde::{Deserialize, Serialize};

use crate::provider::Order;

/// What was asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Known {
    pub(super) id: RunnerId,
    pub(super) pool: PoolName,
    pub(super) mark: KnownMark,
    pub(super) labels: Labels,
    pub(super) shape: Resources,
    pub(super) slots: u32,
    pub(super) created: Timestamp,
}

/// A mark, as it is written.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct KnownMark {
    job: JobId,
    index: u32,
    requested_at: Timestamp,
    deadline: Timestamp,
}

impl From<KnownMark> for Mark {
    fn from(mark: KnownMark) -> Self {
        Self {
            job: mark.job,
            index: mark.index,
            requested_at: mark.requested_at,
            deadline: mark.deadline,
        }
    }
}

impl Known {
    pub(super) fn of(order: &Order, now: Timestamp) -> Self {
        let Mark {
            job,
            index,
            requested_at,
            deadline,
        } = order.mark;
        Self {
            id: order.id.clone(),
            pool: order.pool.name.clone(),
            mark: KnownMark {
                job,
                index,
                requested_at,
                deadline,
            },
            labels: order.pool.selector.clone(),
            shape: order.pool.shape,
            slots: order.pool.slots,
            created: now,
        }
    }
}

/// The folder of one machine.
#[derive(Clone, Debug)]
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn of(all: &Path, id: &RunnerId) -> Self {
        Self(all.join(id.as_str()))
    }

    /// Those that are there, whatever is in them.
    pub(super) fn all(all: &Path) -> Vec<Self> {
        let entries = fs::read_dir(all).into_iter().flatten().flatten();
        let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
        paths.sort();
        paths.into_iter().map(Self).collect()
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(super) fn read(&self) -> Option<Known> {
        serde_json::from_slice(&fs::read(self.path("order.json")).ok()?).ok()
    }

    /// Whole or not at all; what is there stays.
    pub(super) fn write(&self, known: &Known) -> io::Result<()> {
        if self.read().is_some() {
            return Ok(());
        }
        let text = serde_json::to_vec(known)?;
        hostler_daemon::secret::write(&self.path("order.json"), &text)
    }

    /// The process, once it has started, whether it lives or not.
    pub(super) fn process(&self) -> Option<ProcessId> {
        let text = fs::read_to_string(self.path("process")).ok()?;
        let (pid, started) = text.trim().split_once(' ')?;
        Some(ProcessId {
            pid: pid.parse().ok()?,
            started: started.parse().ok()?,
        })
    }

    /// Forgets its process, which is dead: it is started again when it is due.
    pub(super) fn forget_process(&self) {
        for name in ["process", "told"] {
            let _ = fs::remove_file(self.path(name));
        }
    }

    pub(super) fn is_released(&self) -> bool {
        self.path("released").exists()
    }

    /// What is not there is released already.
    pub(super) fn release(&self) -> io::Result<()> {
        if !self.0.is_dir() || self.is_released() {
            return Ok(());
        }
        fs::write(self.path("released"), "")
    }

    pub(super) fn is_closed(&self) -> bool {
        self.path("closed").exists()
    }

    pub(super) fn close(&self, closed: bool) -> io::Result<()> {
        let path = self.path("closed");
        match (self.0.is_dir() && closed, path.exists()) {
            (true, false) => fs::write(path, ""),
            (false, true) => fs::remove_file(path),
            _ => Ok(()),
        }
    }

    /// Removes it: the order last, so that a removal cut short is gone on with.
    pub(super) fn remove(&self) {
        let rest = fs::read_dir(&self.0).into_iter().flatten().flatten();
        for entry in rest.filter(|entry| entry.file_name() != "order.json") {
            let path = entry.path();
            // `released` decides; it goes with the order.
            if entry.file_name() != "released" {
                let _ = fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path));
            }
        }
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(path = %self.0.display(), %error, "could not remove a machine's folder");
        }
    }
}
