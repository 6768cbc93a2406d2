//! Until when the workload may run, as the node last said, by a clock of this
//! machine that never steps back and counts while it sleeps.
//!
//! The node renews this while it lives. When it is dead, or cannot be heard,
//! nobody does, and the end comes: then this agent ends with its workload.
//! What must never happen: a workload that runs on after the end, because by
//! then it may run elsewhere.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hostler_core::node::ToldEnd;
use hostler_wire::agent::{AgentLease, AgentLeaseReply};
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::Notify;

/// The runtime's timers do not count while the machine sleeps, the lease's
/// clock does; so the clock is looked at this often, whatever the timers say.
const LOOK: Duration = Duration::from_millis(500);

/// What the node said of the lease.
#[derive(Default)]
pub(crate) struct Lease {
    told: Mutex<ToldEnd>,
    changed: Notify,
}

impl Lease {
    /// Takes in what the node says; what counts now.
    pub(crate) fn hear(&self, lease: &AgentLease) -> AgentLeaseReply {
        let mut told = self.told();
        if lease.tell(&mut told, now()) {
            self.changed.notify_one();
        }
        AgentLeaseReply {
            order: told.order(),
            clock_ms: clock_ms(),
        }
    }

    /// Whether the end has come.
    pub(crate) fn is_over(&self) -> bool {
        self.told().is_over(now())
    }

    /// Returns when the end has come. For one task only.
    pub(crate) async fn ended(&self) {
        loop {
            let left = self.told().ends_at().map(|end| end.saturating_sub(now()));
            match left {
                Some(Duration::ZERO) => return,
                Some(left) => {
                    // Either way it is looked again.
                    let _ = tokio::time::timeout(left.min(LOOK), self.changed.notified()).await;
                }
                None => self.changed.notified().await,
            }
        }
    }

    fn told(&self) -> MutexGuard<'_, ToldEnd> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the clock shows; the node puts ends onto it.
pub(crate) fn clock_ms() -> u64 {
    u64::try_from(now().as_millis()).unwrap_or(u64::MAX)
}

fn now() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(time.tv_sec.unsigned_abs(), nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(order: u64, ahead_ms: Option<u64>) -> AgentLease {
        AgentLease {
            order,
            until_ms: ahead_ms.map(|ahead| clock_ms() + ahead),
        }
    }

    #[tokio::test]
    async fn the_end_comes_when_it_was_told_and_not_while_it_is_put_off() {
        let lease = Lease::default();
        assert!(!lease.is_over());
        assert_eq!(lease.hear(&told(1, Some(300))).order, 1);
        assert_eq!(lease.hear(&told(2, Some(900))).order, 2);
        assert_eq!(lease.hear(&told(1, Some(100))).order, 2, "an older message");
        let end = told(0, Some(850)).until_ms.unwrap();
        lease.ended().await;
        assert!(clock_ms() >= end);
        assert!(lease.is_over());
        assert_eq!(lease.hear(&told(3, Some(900))).order, 2, "too late");
    }

    #[tokio::test]
    async fn a_new_end_is_heard_by_who_waits_for_the_old() {
        let lease = Lease::default();
        lease.hear(&told(1, Some(3_600_000)));
        let (began, nearer) = (clock_ms(), told(2, Some(20)));
        let ((), reply) = tokio::join!(lease.ended(), async { lease.hear(&nearer) });
        assert_eq!(reply.order, 2);
        assert!(clock_ms() - began < 60_000);
    }
}
