//! The guard's own process.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use hostler_core::id::VmId;
use hostler_daemon::process::{ProcessId, Signal};
use rustix::fs::FlockOperation;

use super::{PID, list_read};
use crate::clock::Clock;
use crate::fence;

/// How often the clock is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// The guard could not begin.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// A file of its own.
    #[error("could not write to the data folder")]
    Files(#[from] std::io::Error),
    /// Itself.
    #[error("could not find its own process")]
    Process,
}

/// Guards the VMs of a data folder; ends when there is nothing to guard and no
/// daemon that may start something, or when another guard is there.
pub fn run(data: &Path) -> Result<(), GuardError> {
    // Fails only for the leader of a session, who has one already.
    let _ = rustix::process::setsid();
    let lock = File::create(data.join("vm-guard.lock"))?;
    if rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
        return Ok(());
    }
    let pid = std::process::id().cast_signed();
    let me = ProcessId::of(pid).ok_or(GuardError::Process)?;
    let draft = data.join("vm-guard.pid-draft");
    me.write(&draft)?;
    fs::rename(&draft, data.join(PID))?;
    let clock = Clock::default();
    while is_needed(data) {
        if fence::end_on_disk(data).is_some_and(|end| clock.now() >= end) {
            end_all(&list_read(data).unwrap_or_default());
        }
        std::thread::sleep(LOOK);
    }
    fs::remove_file(data.join(PID))?;
    Ok(())
}

/// A list that is there and cannot be read is reason enough to stay.
fn is_needed(data: &Path) -> bool {
    let some = list_read(data).is_none_or(|held| !held.is_empty());
    data.exists() && (some || daemon_lives(data))
}

fn daemon_lives(data: &Path) -> bool {
    let Ok(file) = File::open(data.join("node.lock")) else {
        return false;
    };
    let free = rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared).is_ok();
    // Given back at once: a daemon that starts now must find it free.
    let _ = rustix::fs::flock(&file, FlockOperation::Unlock);
    !free
}

fn end_all(held: &BTreeSet<VmId>) {
    if held.is_empty() {
        return;
    }
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    for id in pids.filter_map(ProcessId::of) {
        let line = fs::read(format!("/proc/{}/cmdline", id.pid)).unwrap_or_default();
        if uuid_of(&line).is_some_and(|vm| held.contains(&vm)) {
            eprintln!("the lease has ended: killing process {}", id.pid);
            // The line was read between two looks at the start time, so it is
            // this process's.
            id.signal(Signal::KILL);
        }
    }
}

/// The machine that a command line of QEMU says it is.
fn uuid_of(line: &[u8]) -> Option<VmId> {
    let mut words = line.split(|byte| *byte == 0);
    words.find(|word| *word == b"-uuid")?;
    std::str::from_utf8(words.next()?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A process that looks like the QEMU of a machine.
    fn machine(vm: VmId) -> std::process::Child {
        std::process::Command::new("bash")
            .args(["-c", "while read -r line; do :; done", "qemu", "-uuid"])
            .arg(vm.to_string())
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap()
    }

    #[test]
    fn at_the_end_of_the_lease_only_what_is_listed_is_killed_by_whoever_lives() {
        let data = tempfile::tempdir().unwrap();
        let (bound, free) = (
            VmId::from_parts(1, [1; 10]),
            VmId::from_parts(1, rand::random()),
        );
        super::super::list_write(data.path(), &BTreeSet::from([bound])).unwrap();
        let (mut first, mut second) = (machine(bound), machine(free));
        let end = Clock::default().now() + Duration::from_millis(600);
        let kernel = crate::clock::kernel_boot().unwrap();
        let text = format!("{kernel} {}", end.as_millis());
        std::fs::write(data.path().join("lease-end"), text).unwrap();
        let folder = data.path().to_owned();
        let guard = std::thread::spawn(move || run(&folder));
        std::thread::sleep(Duration::from_millis(200));
        assert!(first.try_wait().unwrap().is_none(), "its lease still holds");
        // Waiting would close it, and that would be its end.
        let _held = first.stdin.take();
        let status = first.wait().unwrap();
        assert!(!status.success());
        assert!(Clock::default().now() >= end);
        assert!(second.try_wait().unwrap().is_none(), "nobody listed it");
        drop(second.stdin.take());
        second.wait().unwrap();
        super::super::list_write(data.path(), &BTreeSet::new()).unwrap();
        guard.join().unwrap().unwrap();
    }

    #[test]
    fn only_the_word_behind_the_option_names_the_machine() {
        let vm = VmId::from_parts(1, [7; 10]);
        let line = |text: &str| text.replace(' ', "\0").into_bytes();
        let check = |text: &str, expected| assert_eq!(uuid_of(&line(text)), expected, "{text}");
        check(&format!("qemu -name x -uuid {vm} -m 1"), Some(vm));
        check(&format!("qemu -name {vm} -m 1"), None);
        check(&format!("grep {vm}"), None);
        check("qemu -uuid", None);
        check("qemu -uuid x", None);
    }
}
