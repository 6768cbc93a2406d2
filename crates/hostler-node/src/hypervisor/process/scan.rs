//! Finding the processes of a slot without a control group, and beside one.
//!
//! Evidence that a process is of a slot, each enough:
//! - it is in one of the slot's control groups;
//! - it runs in the slot's folder, or its program lies there;
//! - it descends from the slot's agent, or is in the agent's session. This
//!   counts only while the agent lives or died under our eyes: a session's
//!   number may be given again once all of its processes have ended.
//!
//! A process is named by pid and start time, and signalled through a pidfd
//! opened before the two are compared, so nobody else is ever hit.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use hostler_daemon::process::ProcessId;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// What `/proc/PID/stat` says of a living process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kin {
    id: ProcessId,
    parent: i32,
    session: i32,
}

/// What to look for.
pub(super) struct Search<'a> {
    /// The slot's folder.
    pub(super) folder: &'a Path,
    /// The agent, where its session may be trusted.
    pub(super) leader: Option<ProcessId>,
}

/// Every living process of the slot that is found by folder or kinship.
pub(super) fn processes(search: &Search<'_>) -> io::Result<Vec<ProcessId>> {
    let all = living()?;
    let kin = search
        .leader
        .map(|leader| kin_of(leader, &all))
        .unwrap_or_default();
    let me = std::process::id().cast_signed();
    Ok(all
        .values()
        .filter(|one| one.id.pid != 1 && one.id.pid != me)
        .filter(|one| kin.contains(&one.id.pid) || lives_in(one.id.pid, search.folder))
        .map(|one| one.id)
        .collect())
}

/// Sends a signal to exactly this process, if it still lives.
pub(super) fn signal(id: ProcessId, signal: Signal) {
    let Some(pid) = Pid::from_raw(id.pid) else {
        return;
    };
    match pidfd_open(pid, PidfdFlags::empty()) {
        // Compared after opening: the descriptor cannot come to mean another process.
        Ok(fd) if id.lives() => {
            // It may have ended since; then there is nothing to do.
            let _ = pidfd_send_signal(&fd, signal);
        }
        Ok(_) | Err(rustix::io::Errno::SRCH) => {}
        // A kernel without pidfds.
        Err(_) => id.signal(signal),
    }
}

fn living() -> io::Result<BTreeMap<i32, Kin>> {
    let pids = fs::read_dir("/proc")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    Ok(pids
        .filter_map(|pid| kin_read(pid).map(|kin| (pid, kin)))
        .collect())
}

fn kin_read(pid: i32) -> Option<Kin> {
    kin_parse(pid, &fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Fields 3 (state), 4 (parent), 6 (session) and 22 (start time) of `stat`;
/// nothing for the dead.
fn kin_parse(pid: i32, stat: &str) -> Option<Kin> {
    // The second field is the program's name in brackets and may hold anything.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let dead = matches!(*fields.first()?, "Z" | "X");
    let kin = Kin {
        id: ProcessId {
            pid,
            started: fields.get(19)?.parse().ok()?,
        },
        parent: fields.get(1)?.parse().ok()?,
        session: fields.get(3)?.parse().ok()?,
    };
    (!dead).then_some(kin)
}

/// The leader's session and all descendants of it, the leader included.
fn kin_of(leader: ProcessId, all: &BTreeMap<i32, Kin>) -> BTreeSet<i32> {
    // The number already means somebody else: no evidence is left.
    if all.get(&leader.pid).is_some_and(|one| one.id != leader) {
        return BTreeSet::new();
    }
    let in_session = |one: &&Kin| one.session == leader.pid;
    let mut found: BTreeSet<i32> = all
        .values()
        .filter(in_session)
        .map(|one| one.id.pid)
        .collect();
    found.insert(leader.pid);
    loop {
        let more: Vec<i32> = all
            .values()
            .filter(|one| found.contains(&one.parent) && !found.contains(&one.id.pid))
            .map(|one| one.id.pid)
            .collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}

fn lives_in(pid: i32, folder: &Path) -> bool {
    ["cwd", "exe"].iter().any(|link| {
        fs::read_link(format!("/proc/{pid}/{link}")).is_ok_and(|path| path.starts_with(folder))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kin(pid: i32, started: u64, parent: i32, session: i32) -> (i32, Kin) {
        let id = ProcessId { pid, started };
        let one = Kin {
            id,
            parent,
            session,
        };
        (pid, one)
    }

    fn check(leader: (i32, u64), all: &[(i32, Kin)], expected: &[i32]) {
        let leader = ProcessId {
            pid: leader.0,
            started: leader.1,
        };
        let found = kin_of(leader, &all.iter().copied().collect());
        assert_eq!(found.into_iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn kin_are_the_session_and_every_descendant_in_any_session() {
        let all = [
            kin(10, 5, 1, 10),
            kin(11, 6, 10, 10),
            kin(12, 7, 1, 10),
            kin(13, 8, 11, 13),
            kin(14, 9, 13, 13),
            kin(20, 5, 1, 20),
        ];
        check((10, 5), &all, &[10, 11, 12, 13, 14]);
    }

    #[test]
    fn a_number_that_was_given_again_proves_nothing() {
        let all = [kin(10, 99, 1, 10), kin(11, 100, 10, 10)];
        check((10, 5), &all, &[]);
    }

    #[test]
    fn a_name_full_of_brackets_is_read_and_the_dead_are_not() {
        let line = "7 (a) b) (c) S 3 7 5 0 -1 4 0 0 0 0 0 0 0 0 20 0 1 0 4242 0";
        assert_eq!(kin_parse(7, line), Some(kin(7, 4242, 3, 5).1));
        assert_eq!(kin_parse(7, &line.replace(" S ", " Z ")), None);
        assert_eq!(kin_parse(7, "nonsense"), None);
    }
}
