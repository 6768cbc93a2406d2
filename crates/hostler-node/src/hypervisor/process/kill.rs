//! Ending a slot for certain.
//!
//! The agent is stopped first, so that it starts nothing more; then all that
//! is found is killed, again and again, until nothing is found. The agent is
//! killed last, because its children are known as such only while it lives.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hostler_core::id::SlotId;
use hostler_daemon::process::ProcessId;
use rustix::process::Signal;

use super::record::MachineRecord;
use super::scan::{self, Search, signal};
use super::{State, groups, slot_folder};
use crate::hypervisor::KillError;

/// Rounds after which the agent is not spared for its children's sake.
const SPARED_ROUNDS: u32 = 100;
const FIRST_PAUSE: Duration = Duration::from_micros(200);
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

impl State {
    /// Kills everything in a slot and makes sure; may take our patience.
    pub(super) fn kill(&self, slot: SlotId) -> Result<(), KillError> {
        let folder = slot_folder(&self.slots, slot);
        let target = Target {
            groups: self.group_folders(slot),
            leader: self.leader(slot, &folder),
            folder: &folder,
        };
        if let Some(leader) = target.leader {
            signal(leader, Signal::STOP);
        }
        let until = Instant::now() + self.patience;
        let mut pause = FIRST_PAUSE;
        for round in 0_u32.. {
            let left = target.strike(round >= SPARED_ROUNDS)?;
            if left.is_empty() {
                return Ok(());
            }
            if Instant::now() > until {
                let pids = left.iter().map(|id| id.pid).collect();
                return Err(KillError::Remains { pids });
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Ok(())
    }

    /// The agent, if its session may be trusted: we watched it, or it lives.
    fn leader(&self, slot: SlotId, folder: &Path) -> Option<ProcessId> {
        if let Some(machine) = self.machines().get(&slot) {
            return Some(machine.id);
        }
        MachineRecord::read(folder)?
            .agent()
            .filter(|agent| agent.lives())
    }
}

struct Target<'a> {
    groups: Vec<PathBuf>,
    leader: Option<ProcessId>,
    folder: &'a Path,
}

impl Target<'_> {
    /// One round: kills what is found, and says what was.
    fn strike(&self, spare_nobody: bool) -> io::Result<Vec<ProcessId>> {
        let grouped = groups::members(&self.groups);
        if !grouped.is_empty() {
            groups::kill(&self.groups);
        }
        let search = Search {
            folder: self.folder,
            leader: self.leader,
        };
        let mut left = scan::processes(&search)?;
        let others = left.iter().any(|id| Some(*id) != self.leader);
        for id in &left {
            if spare_nobody || !others || Some(*id) != self.leader {
                signal(*id, Signal::KILL);
            }
        }
        left.extend(grouped);
        Ok(left)
    }
}
