//! When the next heartbeat goes out.
//!
//! Never later than one interval after the last: jitter only shortens it. A
//! change is told early, after a short pause in which further changes gather,
//! and not much more often than the interval allows.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::vms::VmRoster;
use crate::workloads::Roster;

/// Changes that come together are told together.
const GATHER: Duration = Duration::from_millis(20);
/// At least this between two early heartbeats, for ordinary intervals.
const SPACING: Duration = Duration::from_millis(250);

/// The pace of a heart.
#[derive(Debug)]
pub(super) struct Pace {
    interval: Duration,
    failures: Backoff,
    /// The pause before the next attempt after a failure.
    pause: Option<Duration>,
}

impl Pace {
    /// One heartbeat per interval.
    pub(super) fn new(interval: Duration) -> Self {
        Self {
            interval,
            failures: failures(interval),
            pause: None,
        }
    }

    /// The time between two heartbeats.
    pub(super) fn interval(&self) -> Duration {
        self.interval
    }

    /// The control plane answered and wants this interval.
    pub(super) fn answered(&mut self, interval: Duration) {
        if interval != self.interval && !interval.is_zero() {
            self.interval = interval;
            self.failures = failures(interval);
        }
        self.failures.reset();
        self.pause = None;
    }

    /// The control plane did not answer.
    pub(super) fn failed(&mut self) {
        self.pause = Some(self.failures.next());
    }

    /// Returns when the next heartbeat is due.
    pub(super) async fn wait(
        &self,
        roster: &mut watch::Receiver<Roster>,
        vms: &mut watch::Receiver<VmRoster>,
    ) {
        let begun = Instant::now();
        if let Some(pause) = self.pause {
            tokio::time::sleep(pause).await;
            return;
        }
        let due = begun + self.interval.mul_f64(rand::random_range(0.85..1.0));
        tokio::select! {
            () = tokio::time::sleep_until(due) => return,
            () = changed(roster) => {}
            () = changed(vms) => {}
        }
        let spaced = begun + SPACING.min(self.interval / 4);
        let early = (Instant::now() + GATHER).max(spaced).min(due);
        tokio::time::sleep_until(early).await;
    }
}

/// Returns at the next change; never, if there will be none.
async fn changed<T>(of: &mut watch::Receiver<T>) {
    if of.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Several attempts fit into one interval, so that one lost heartbeat does
/// not make the node suspect.
fn failures(interval: Duration) -> Backoff {
    Backoff::new(interval / 8, interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(15);

    async fn waited(pace: &Pace, roster: &mut watch::Receiver<Roster>) -> Duration {
        let begun = Instant::now();
        let (_still, mut vms) = watch::channel(VmRoster::default());
        pace.wait(roster, &mut vms).await;
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_heartbeat_is_never_late() {
        let (_sender, mut roster) = watch::channel(Roster::default());
        let pace = Pace::new(INTERVAL);
        for _ in 0..50 {
            let pause = waited(&pace, &mut roster).await;
            assert!(pause <= INTERVAL + Duration::from_millis(1), "{pause:?}");
            assert!(pause >= INTERVAL.mul_f64(0.84), "{pause:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_is_told_early_and_not_too_often() {
        let (sender, mut roster) = watch::channel(Roster::default());
        let pace = Pace::new(INTERVAL);
        sender.send_modify(|_| ());
        let pause = waited(&pace, &mut roster).await;
        assert_eq!(pause, SPACING);
    }

    #[tokio::test(start_paused = true)]
    async fn failures_are_tried_again_within_the_interval_at_first() {
        let (_sender, mut roster) = watch::channel(Roster::default());
        let mut pace = Pace::new(INTERVAL);
        let mut total = Duration::ZERO;
        for _ in 0..3 {
            pace.failed();
            total += waited(&pace, &mut roster).await;
        }
        assert!(total < INTERVAL, "{total:?}");
        for _ in 0..10 {
            pace.failed();
        }
        assert!(waited(&pace, &mut roster).await <= INTERVAL + Duration::from_millis(1));
        pace.answered(Duration::from_secs(1));
        assert_eq!(pace.interval(), Duration::from_secs(1));
    }
}
