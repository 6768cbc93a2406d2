//! The processes of one fleet, told apart by its data folder: everything
//! started below it, or with it in its command line or environment.

use std::fs;
use std::path::Path;

use hostler_daemon::process::ProcessId;

/// A process and how it was started.
#[derive(Clone, Debug)]
pub struct Found {
    /// Which one.
    pub id: ProcessId,
    /// Its command line, words apart.
    pub command: String,
}

/// All living processes that belong to the folder.
pub fn below(data: &Path) -> Vec<Found> {
    let folder = data.to_string_lossy().into_owned();
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter_map(|pid| found(pid, &folder)).collect()
}

fn found(pid: i32, folder: &str) -> Option<Found> {
    let id = ProcessId::of(pid)?;
    let read = |name: &str| fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
    let command = words(&read("cmdline"));
    let cwd = fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
    let belongs = command.contains(folder)
        || cwd.to_string_lossy().contains(folder)
        || words(&read("environ")).contains(folder);
    let is_us = pid.cast_unsigned() == std::process::id();
    (belongs && !is_us).then_some(Found { id, command })
}

fn words(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace('\0', " ")
}
