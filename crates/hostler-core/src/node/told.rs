//! The end of the lease as an agent knows it, who outlives its node's daemon.
//!
//! Node and agent need not share a clock: the agent may sit in a machine of
//! its own. So the node puts the end onto the agent's clock, by a reading of
//! that clock which the agent sent ([`AgentClock`]). A reading ages on its way,
//! and an aged one only moves the end forward: what must never happen is an
//! end later than the node's own.
//!
//! Each message says the whole truth of its moment, and they are numbered. The
//! newest counts, however they arrive ([`ToldEnd`]); and none counts once the
//! end has come.

use std::time::Duration;

/// A reading of an agent's clock, and the node's own when it had arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgentClock {
    /// What the agent's clock showed.
    pub theirs: Duration,
    /// What the node's clock showed when it heard of that, so not before.
    pub ours: Duration,
}

impl AgentClock {
    /// A moment of the node's clock on the agent's; never later than it is.
    pub fn moment(&self, ours: Duration) -> Duration {
        match ours.checked_sub(self.ours) {
            Some(ahead) => self.theirs.saturating_add(ahead),
            None => self.theirs.saturating_sub(self.ours.saturating_sub(ours)),
        }
    }
}

/// What an agent was told last. At first, that there is no end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ToldEnd {
    order: u64,
    ends_at: Option<Duration>,
}

impl ToldEnd {
    /// When the workload must have ended, by the agent's clock; `None` for never.
    pub fn ends_at(&self) -> Option<Duration> {
        self.ends_at
    }

    /// The number of the newest message taken in.
    pub fn order(&self) -> u64 {
        self.order
    }

    /// Takes in at `now` message number `order`, unless a newer one was had or
    /// the end has come. Whether it was taken in.
    pub fn hear(&mut self, order: u64, ends_at: Option<Duration>, now: Duration) -> bool {
        let counts = order > self.order && !self.is_over(now);
        if counts {
            *self = Self { order, ends_at };
        }
        counts
    }

    /// Whether the workload must not run at `now`.
    pub fn is_over(&self, now: Duration) -> bool {
        self.ends_at.is_some_and(|end| now >= end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[track_caller]
    fn check(messages: &[(u64, Option<u64>, u64)], expected: Option<u64>) {
        let mut told = ToldEnd::default();
        for (order, end, now) in messages {
            told.hear(*order, end.map(at), at(*now));
        }
        assert_eq!(told.ends_at(), expected.map(at), "{messages:?}");
    }

    #[test]
    fn the_newest_message_counts_in_whatever_order_they_arrive() {
        check(&[], None);
        check(&[(1, Some(60), 1), (2, Some(75), 2)], Some(75));
        check(&[(2, Some(75), 1), (1, Some(60), 2)], Some(75));
        check(&[(2, Some(75), 1), (1, Some(90), 2)], Some(75));
        check(&[(2, Some(75), 1), (2, Some(90), 2)], Some(75));
        check(&[(1, Some(75), 1), (2, Some(60), 2)], Some(60));
        check(&[(2, Some(75), 1), (1, None, 2)], Some(75));
        check(&[(1, Some(75), 1), (2, None, 2)], None);
    }

    #[test]
    fn the_end_once_come_is_not_put_off() {
        check(&[(1, Some(60), 1), (2, Some(90), 59)], Some(90));
        check(&[(1, Some(60), 1), (2, Some(90), 60)], Some(60));
        check(&[(1, Some(60), 1), (2, None, 61)], Some(60));
        check(&[(1, Some(5), 10), (2, Some(90), 11)], Some(5));
    }

    #[test]
    fn nobody_is_stopped_who_was_told_no_end() {
        assert!(!ToldEnd::default().is_over(Duration::MAX));
    }

    #[test]
    fn an_aged_reading_only_brings_the_end_forward() {
        for ahead in [0, 1_000] {
            for age in 0..30 {
                let clock = AgentClock {
                    theirs: at(100 + ahead),
                    ours: at(100 + age),
                };
                assert_eq!(clock.moment(at(160)), at(160 + ahead - age));
            }
        }
        let younger = AgentClock {
            theirs: at(3),
            ours: at(100),
        };
        assert_eq!(younger.moment(at(99)), at(2), "an end that is past");
        assert_eq!(younger.moment(at(1)), Duration::ZERO);
    }
}
