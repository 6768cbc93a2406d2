//! Processes told apart for certain: a pid alone may have been given to
//! somebody else, a pid with its start time may not.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, kill_process};

pub use rustix::process::Signal;

/// A process of this machine since its last boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessId {
    /// Its pid.
    pub pid: i32,
    /// When it started, in clock ticks since boot (`/proc/PID/stat`, field 22).
    pub started: u64,
}

impl ProcessId {
    /// The process that has this pid now, unless it is dead or a zombie.
    pub fn of(pid: i32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The second field is the program's name in brackets and may hold anything.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        let state = fields.next()?;
        let started = fields.nth(18)?.parse().ok()?;
        (state != "Z" && state != "X").then_some(Self { pid, started })
    }

    /// Whether it still lives.
    pub fn lives(self) -> bool {
        Self::of(self.pid) == Some(self)
    }

    /// Sends a signal, if it still lives.
    pub fn signal(self, signal: Signal) {
        if let Some(pid) = Pid::from_raw(self.pid).filter(|_| self.lives()) {
            // It may have ended since we looked; then there is nothing to do.
            let _ = kill_process(pid, signal);
        }
    }

    /// Ends it: SIGTERM, then after `grace` SIGKILL. Returns when it is gone.
    pub async fn end(self, grace: Duration) {
        self.signal(Signal::TERM);
        if tokio::time::timeout(grace, self.gone()).await.is_err() {
            self.signal(Signal::KILL);
            self.gone().await;
        }
    }

    async fn gone(self) {
        while self.lives() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Writes it to a file, for [`ProcessId::read`] in a later life.
    pub fn write(self, path: &Path) -> io::Result<()> {
        fs::write(path, format!("{} {}\n", self.pid, self.started))
    }

    /// The process in a file, if that process still lives.
    pub fn read(path: &Path) -> Option<Self> {
        let text = fs::read_to_string(path).ok()?;
        let (pid, started) = text.trim().split_once(' ')?;
        let id = Self {
            pid: pid.parse().ok()?,
            started: started.parse().ok()?,
        };
        id.lives().then_some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_by_its_start_time_too() {
        let me = ProcessId::of(std::process::id().cast_signed()).expect("this process");
        assert!(me.lives());
        assert!(
            !ProcessId {
                started: me.started + 1,
                ..me
            }
            .lives()
        );
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("me.pid");
        me.write(&path).expect("written");
        assert_eq!(ProcessId::read(&path), Some(me));
        fs::write(&path, "1 99999999999\n").expect("written");
        assert_eq!(ProcessId::read(&path), None);
    }

    #[tokio::test]
    async fn ending_a_deaf_process_takes_a_kill() {
        let mut child = tokio::process::Command::new("sh")
            .args(["-c", "trap '' TERM; while :; do sleep 60; done"])
            .kill_on_drop(true)
            .spawn()
            .expect("a shell");
        let pid = child.id().expect("a pid").cast_signed();
        let id = ProcessId::of(pid).expect("a process");
        let (status, ()) = tokio::join!(child.wait(), id.end(Duration::from_millis(50)));
        assert!(!status.expect("a status").success());
        assert!(!id.lives());
    }
}
