//! Waiting for the end of a process that need not be our child.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use hostler_daemon::process::ProcessId;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// How often to look where the kernel cannot tell.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// The descriptor may tell of the end a moment before `/proc` does.
const SETTLE: Duration = Duration::from_millis(1);

/// Returns when the process has ended; a zombie has.
pub(crate) async fn process_ended(id: ProcessId) {
    let opened = Pid::from_raw(id.pid)
        .and_then(|pid| pidfd_open(pid, PidfdFlags::NONBLOCK).ok())
        .and_then(|fd| readable(fd).ok());
    // Compared after opening: the descriptor cannot come to mean another process.
    if !id.lives() {
        return;
    }
    let pause = match &opened {
        Some(fd) => fd.readable().await.map_or(LOOK_EVERY, |_| SETTLE),
        None => LOOK_EVERY,
    };
    while id.lives() {
        tokio::time::sleep(pause).await;
    }
}

/// A descriptor that can be waited for.
#[allow(
    unsafe_code,
    reason = "tokio offers no other way to wait for a pidfd, and the safe names are deprecated"
)]
fn readable(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` is open and names the same file until it is
    // dropped, it says the same number each time, and the `AsyncFd` owns it.
    unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) }.map_err(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_end_of_a_process_is_noticed_and_an_earlier_one_at_once() {
        let mut child = tokio::process::Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .spawn()
            .expect("a child");
        let pid = child.id().expect("a pid").cast_signed();
        let id = ProcessId::of(pid).expect("a process");
        let early = tokio::time::timeout(Duration::from_millis(20), process_ended(id)).await;
        assert!(early.is_err());
        drop(child.stdin.take());
        process_ended(id).await;
        child.wait().await.expect("a status");
        process_ended(id).await;
    }
}
