//! Takes the exit statuses of the agent's children from the kernel: the
//! service's, which somebody waits for, and those of adopted orphans.
//!
//! Woken by SIGCHLD, so an end is noticed at once. Runs on the main thread,
//! and a pid is announced right after it was spawned without a pause between,
//! so no status is taken before somebody waits for it. Nobody else may wait
//! for children.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Pid, WaitOptions, WaitStatus, getpid, set_child_subreaper, wait};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, oneshot};

/// What the original and we call the exit code of a process that a signal ended.
pub(crate) const CODE_SIGNALLED: i32 = -1;

/// Hands out statuses. Cloning gives another handle to the same reaper.
#[derive(Clone)]
pub(crate) struct Reaper {
    shared: Arc<Shared>,
}

struct Shared {
    awaited: Mutex<HashMap<i32, oneshot::Sender<i32>>>,
    reaped: Notify,
}

impl Reaper {
    /// Makes the agent the parent of its orphaned descendants, and begins.
    pub(crate) fn start() -> std::io::Result<Self> {
        let mut children = signal(SignalKind::child())?;
        set_child_subreaper(Some(getpid()))?;
        let shared = Arc::new(Shared {
            awaited: Mutex::default(),
            reaped: Notify::new(),
        });
        let reaper = Self { shared };
        let mine = reaper.clone();
        tokio::spawn(async move {
            while children.recv().await.is_some() {
                mine.reap();
            }
        });
        Ok(reaper)
    }

    /// The exit code of a child just spawned, when it has ended.
    pub(crate) fn awaits(&self, pid: Pid) -> oneshot::Receiver<i32> {
        let (sender, receiver) = oneshot::channel();
        let mut awaited = self
            .shared
            .awaited
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        awaited.insert(pid.as_raw_nonzero().get(), sender);
        receiver
    }

    /// Returns when a child has ended after this was first polled.
    pub(crate) async fn reaped(&self) {
        self.shared.reaped.notified().await;
    }

    fn reap(&self) {
        let mut awaited = self
            .shared
            .awaited
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            if let Some(waiting) = awaited.remove(&pid.as_raw_nonzero().get()) {
                // Whoever waited may have gone.
                let _ = waiting.send(code(status));
            }
        }
        self.shared.reaped.notify_waiters();
    }
}

fn code(status: WaitStatus) -> i32 {
    status.exit_status().unwrap_or(CODE_SIGNALLED)
}
