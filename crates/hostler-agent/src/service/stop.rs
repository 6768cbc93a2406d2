//! Ending a service, and confirming that nothing of it is left: first a
//! request (SIGTERM) and time to follow it, then SIGKILL, to everything that
//! descends from the agent, again and again until nothing does.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use rustix::process::{Signal, kill_process_group};
use tokio::time::{Instant, timeout_at};

use super::family::{Relative, family, signal};
use super::reaper::Reaper;
use super::watch::Service;

/// From the first SIGKILL until nothing is left.
const PATIENCE: Duration = Duration::from_secs(5);

/// Ends are noticed by SIGCHLD; a grandchild's end tells its own parent only.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Processes that would not end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} processes of the workload could not be ended")]
pub(crate) struct Leftover(pub(crate) usize);

impl Service {
    /// Ends the service within `grace` and a little; nothing of it is left
    /// when this returns without an error. Done twice it does nothing more.
    pub(crate) async fn stop(&self, grace: Duration) -> Result<(), Leftover> {
        self.stopping.store(true, SeqCst);
        if !*self.done.borrow() && !grace.is_zero() {
            self.ask();
            self.wait_for_family(Instant::now() + grace).await;
        }
        self.kill();
        family_end(&self.reaper).await?;
        // The end of the program has been seen, so this is a matter of moments.
        let mut done = self.done.clone();
        let _ = timeout_at(Instant::now() + PATIENCE, done.wait_for(|done| *done)).await;
        Ok(())
    }

    /// Kills the group at a stroke, before anything in it can fork away.
    pub(crate) fn kill(&self) {
        if !*self.done.borrow() {
            // Fails when nobody is left in it.
            let _ = kill_process_group(self.pid, Signal::KILL);
        }
    }

    /// Asks the group to end, and descendants that left the group as well.
    fn ask(&self) {
        let group = self.pid.as_raw_nonzero().get();
        let outside: Vec<Relative> = family().unwrap_or_default();
        // Fails when nobody is left in the group.
        let _ = kill_process_group(self.pid, Signal::TERM);
        for one in outside.into_iter().filter(|one| one.group != group) {
            signal(one, Signal::TERM);
        }
    }

    async fn wait_for_family(&self, until: Instant) {
        while Instant::now() < until && family().is_ok_and(|family| !family.is_empty()) {
            let pause = (Instant::now() + LOOK_AGAIN).min(until);
            // Either way it is looked again.
            let _ = timeout_at(pause, self.reaper.reaped()).await;
        }
    }
}

/// Kills whatever descends from the agent until nothing does.
pub(crate) async fn family_end(reaper: &Reaper) -> Result<(), Leftover> {
    let until = Instant::now() + PATIENCE;
    loop {
        let alive = match family() {
            Ok(alive) => alive,
            Err(error) => {
                tracing::error!(%error, "cannot look for processes of the workload");
                return Err(Leftover(1));
            }
        };
        if alive.is_empty() {
            return Ok(());
        }
        if Instant::now() >= until {
            return Err(Leftover(alive.len()));
        }
        for one in alive {
            signal(one, Signal::KILL);
        }
        // Either way it is looked again.
        let _ = timeout_at(Instant::now() + LOOK_AGAIN, reaper.reaped()).await;
    }
}
