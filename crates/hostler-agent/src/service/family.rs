//! Everything that descends from the agent: the service, what it started, and
//! the orphans of that. Found in `/proc`, whatever group or session it is in.

use std::collections::HashSet;
use std::fs;
use std::io;

use rustix::process::{Pid, PidfdFlags, Signal, getpid, pidfd_open, pidfd_send_signal};

/// A living descendant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Relative {
    pub(crate) pid: i32,
    pub(crate) group: i32,
    parent: i32,
    /// Start time; with the pid it names the process for ever.
    started: u64,
}

/// All living descendants of this process.
pub(crate) fn family() -> io::Result<Vec<Relative>> {
    let everybody: Vec<Relative> = fs::read_dir("/proc")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(relative)
        .collect();
    Ok(descendants(getpid().as_raw_nonzero().get(), &everybody))
}

/// Signals exactly this process, if it still lives.
pub(crate) fn signal(one: Relative, signal: Signal) {
    let opened = Pid::from_raw(one.pid).map(|pid| pidfd_open(pid, PidfdFlags::empty()));
    let Some(Ok(process)) = opened else { return };
    // Looked at after opening: from here on the descriptor means nobody else.
    if relative(one.pid).is_some_and(|now| now.started == one.started) {
        // It may end at any time, which is what is wanted.
        let _ = pidfd_send_signal(process, signal);
    }
}

fn relative(pid: i32) -> Option<Relative> {
    parse(pid, &fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Fields 3 (state), 4 (parent), 5 (group) and 22 (start) of `/proc/PID/stat`;
/// nothing for the dead.
fn parse(pid: i32, stat: &str) -> Option<Relative> {
    // The second field is the program's name in brackets and may hold anything.
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    if matches!(*fields.first()?, "Z" | "X") {
        return None;
    }
    Some(Relative {
        pid,
        parent: fields.get(1)?.parse().ok()?,
        group: fields.get(2)?.parse().ok()?,
        started: fields.get(19)?.parse().ok()?,
    })
}

fn descendants(root: i32, everybody: &[Relative]) -> Vec<Relative> {
    let mut pids = HashSet::from([root]);
    let mut found = Vec::new();
    loop {
        let known = found.len();
        for one in everybody {
            if pids.contains(&one.parent) && pids.insert(one.pid) {
                found.push(*one);
            }
        }
        if found.len() == known {
            return found;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descendants_are_found_in_any_order_and_nobody_else() {
        let one = |pid, parent| Relative {
            pid,
            parent,
            group: pid,
            started: 0,
        };
        let everybody = [
            one(9, 8),
            one(8, 7),
            one(7, 5),
            one(6, 1),
            one(5, 1),
            one(1, 0),
        ];
        let pids: Vec<i32> = descendants(5, &everybody)
            .iter()
            .map(|one| one.pid)
            .collect();
        assert_eq!(pids, [7, 8, 9]);
    }

    #[test]
    fn a_name_full_of_brackets_is_read_and_the_dead_are_not() {
        let line = "7 (a) b) (c) S 3 4 5 0 -1 4 0 0 0 0 0 0 0 0 20 0 1 0 4242 0";
        let expected = Relative {
            pid: 7,
            parent: 3,
            group: 4,
            started: 4242,
        };
        assert_eq!(parse(7, line), Some(expected));
        assert_eq!(parse(7, &line.replace(" S ", " Z ")), None);
        assert_eq!(parse(7, "nonsense"), None);
    }
}
