//! The control groups of slots: one group for each slot in every hierarchy
//! that works here.
//!
//! Groups are named by slot and never used again. The folders of a slot are
//! written into its record, because the next life of the node may run in
//! another group and so have another base.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hostler_core::id::SlotId;
use hostler_daemon::process::ProcessId;
use rustix::process::Signal;

use super::hierarchy::{Hierarchy, Power, hierarchies};
use super::scan::signal;
use crate::hypervisor::{LimitError, Limits};

/// What the agent itself needs beside what it runs.
const AGENT_MEMORY: u64 = 32 << 20;
const AGENT_TASKS: u32 = 16;
/// The period over which processor time is counted, in microseconds.
const PERIOD: u64 = 100_000;
const THAW_PATIENCE: Duration = Duration::from_millis(200);
const REMOVE_PATIENCE: Duration = Duration::from_secs(2);

/// The hierarchies in use.
#[derive(Debug)]
pub(super) struct Groups {
    hierarchies: Vec<Hierarchy>,
}

impl Groups {
    /// Finds out what works here. `name` tells this node's groups from others'.
    pub(super) fn probe(name: &str) -> Self {
        Self {
            hierarchies: hierarchies(name),
        }
    }

    /// What the groups really do here, in words for tags.
    pub(super) fn measures(&self) -> Vec<&'static str> {
        [
            (Power::Cpu, "cgroup-cpu"),
            (Power::Memory, "cgroup-memory"),
            (Power::Pids, "cgroup-pids"),
            (Power::Kill, "cgroup-kill"),
        ]
        .into_iter()
        .filter(|(power, _)| self.hierarchies.iter().any(|one| one.has(*power)))
        .map(|(_, word)| word)
        .collect()
    }

    /// The folders a slot's groups have, made or not.
    pub(super) fn folders(&self, slot: SlotId) -> Vec<PathBuf> {
        let folder = |one: &Hierarchy| one.base.join(slot.to_string());
        self.hierarchies.iter().map(folder).collect()
    }

    /// Makes a slot's groups and puts a process into them.
    pub(super) fn enter(&self, slot: SlotId, id: ProcessId) -> io::Result<()> {
        for folder in self.folders(slot) {
            fs::create_dir_all(&folder)?;
            fs::write(folder.join("cgroup.procs"), id.pid.to_string())?;
        }
        Ok(())
    }

    /// Limits a slot's groups.
    pub(super) fn limit(&self, slot: SlotId, limits: Limits) -> Result<(), LimitError> {
        for one in &self.hierarchies {
            let folder = one.base.join(slot.to_string());
            let files = limit_files(one, limits);
            // Of two limits the one may never be above the other, so that the
            // right order depends on whether they rise or fall.
            if limits_write(&folder, files.iter()).is_err() {
                limits_write(&folder, files.iter().rev())?;
            }
        }
        Ok(())
    }

    /// Removes our own folders, if no slot's group is left in them.
    pub(super) fn remove(&self) {
        for one in &self.hierarchies {
            // A slot that could not be ended keeps it, and was reported.
            let _ = fs::remove_dir(&one.base);
        }
    }
}

/// The files of a hierarchy that hold these limits, in the order to write them.
fn limit_files(one: &Hierarchy, limits: Limits) -> Vec<(&'static str, String)> {
    let mut files = Vec::new();
    if one.has(Power::Cpu) && limits.cpu.as_millis() > 0 {
        let quota = (limits.cpu.as_millis() * PERIOD / 1_000).max(1_000);
        files.push(if one.unified {
            ("cpu.max", format!("{quota} {PERIOD}"))
        } else {
            ("cpu.cfs_quota_us", quota.to_string())
        });
    }
    if one.has(Power::Memory) && limits.memory.get() > 0 {
        let bytes = limits.memory.get().saturating_add(AGENT_MEMORY).to_string();
        files.extend(if one.unified {
            [("memory.max", bytes), ("memory.swap.max", "0".to_owned())]
        } else {
            [
                ("memory.limit_in_bytes", bytes.clone()),
                ("memory.memsw.limit_in_bytes", bytes),
            ]
        });
    }
    if one.has(Power::Pids) && limits.pids > 0 {
        let tasks = limits.pids.saturating_add(AGENT_TASKS);
        files.push(("pids.max", tasks.to_string()));
    }
    files
}

fn limits_write<'a>(
    folder: &Path,
    files: impl Iterator<Item = &'a (&'static str, String)>,
) -> Result<(), LimitError> {
    for (file, value) in files {
        let path = folder.join(file);
        // Accounting of swap is a kernel option of its own.
        if file.contains("sw") && !path.exists() {
            continue;
        }
        // The kernel refuses even the number that stands (EBUSY) while a
        // workload presses against it.
        if fs::read_to_string(&path).is_ok_and(|stands| stands.trim() == value) {
            continue;
        }
        fs::write(&path, value).map_err(|source| LimitError::Write {
            path,
            value: value.clone(),
            source,
        })?;
    }
    Ok(())
}

/// The living processes in these groups and all groups below them.
pub(super) fn members(folders: &[PathBuf]) -> Vec<ProcessId> {
    let mut pids: Vec<i32> = folders
        .iter()
        .flat_map(|folder| tree(folder))
        .filter_map(|group| fs::read_to_string(group.join("cgroup.procs")).ok())
        .flat_map(|text| {
            let pids = text.lines().filter_map(|line| line.parse().ok());
            pids.collect::<Vec<i32>>()
        })
        .collect();
    pids.sort_unstable();
    pids.dedup();
    // Pid 0 is a process of another pid namespace; it cannot be ours.
    pids.into_iter().filter_map(ProcessId::of).collect()
}

/// Kills everything in these groups at one moment, where the kernel can do
/// that; otherwise one after the other.
pub(super) fn kill(folders: &[PathBuf]) {
    let killed = |folder: &PathBuf| fs::write(folder.join("cgroup.kill"), "1").is_ok();
    if folders.iter().any(killed) {
        return;
    }
    let frozen = folders.iter().find(|folder| freeze(folder));
    for id in members(folders) {
        signal(id, Signal::KILL);
    }
    if let Some(folder) = frozen {
        // The signals are taken when they thaw.
        let _ = fs::write(folder.join("freezer.state"), "THAWED");
    }
}

/// Removes these groups, waiting a moment for the kernel to let go of
/// processes that have just died.
pub(super) fn remove_patiently(folders: &[PathBuf]) -> io::Result<()> {
    let until = Instant::now() + REMOVE_PATIENCE;
    loop {
        match remove(folders) {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy && Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(1));
            }
            done => return done,
        }
    }
}

/// Removes the folder that held a slot's group, if it was the last one there.
pub(super) fn remove_base(folder: &Path) {
    if let Some(base) = folder.parent() {
        let _ = fs::remove_dir(base);
    }
}

/// Removes these groups and all groups below them.
fn remove(folders: &[PathBuf]) -> io::Result<()> {
    for group in folders.iter().flat_map(|folder| tree(folder)) {
        match fs::remove_dir(&group) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Stops a whole group; says whether it has the means.
fn freeze(folder: &Path) -> bool {
    let file = folder.join("freezer.state");
    if !file.exists() || fs::write(&file, "FROZEN").is_err() {
        return false;
    }
    let until = Instant::now() + THAW_PATIENCE;
    let frozen = || fs::read_to_string(&file).is_ok_and(|state| state.trim() == "FROZEN");
    while !frozen() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(1));
    }
    true
}

/// A group and the groups below it, deepest first.
fn tree(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .flat_map(|entry| tree(&entry.path()))
        .collect();
    found.push(folder.to_path_buf());
    found
}

#[cfg(test)]
mod tests {
    use hostler_core::{Bytes, Cpu};

    use super::*;

    fn hierarchy(unified: bool) -> Hierarchy {
        Hierarchy {
            base: "/x".into(),
            unified,
            powers: vec![Power::Cpu, Power::Memory, Power::Pids],
        }
    }

    fn check(unified: bool, limits: Limits, expected: &[(&str, &str)]) {
        let files = limit_files(&hierarchy(unified), limits);
        let files: Vec<(&str, &str)> = files.iter().map(|(f, v)| (*f, v.as_str())).collect();
        assert_eq!(files, expected);
    }

    #[test]
    fn limits_leave_room_for_the_agent_and_zero_is_none() {
        let limits = Limits {
            cpu: Cpu::millis(250),
            memory: Bytes::mib(64),
            pids: 8,
        };
        let v2 = [
            ("cpu.max", "25000 100000"),
            ("memory.max", "100663296"),
            ("memory.swap.max", "0"),
            ("pids.max", "24"),
        ];
        let v1 = [
            ("cpu.cfs_quota_us", "25000"),
            ("memory.limit_in_bytes", "100663296"),
            ("memory.memsw.limit_in_bytes", "100663296"),
            ("pids.max", "24"),
        ];
        check(true, limits, &v2);
        check(false, limits, &v1);
        let none = Limits {
            cpu: Cpu::millis(0),
            memory: Bytes::new(0),
            pids: 0,
        };
        check(true, none, &[]);
    }
}
