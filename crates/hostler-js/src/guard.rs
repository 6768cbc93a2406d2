//! When a call has to stop, and why it was stopped. The engine asks now and
//! then; the host is asked under the same deadline.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// Why a call was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Its time is over.
    Time,
    /// It may not hold its thread any longer.
    Moved,
}

/// The watch over one call.
#[derive(Debug)]
pub(crate) struct Guard {
    deadline: Instant,
    brief: Option<Instant>,
    stop: Cell<Option<Stop>>,
}

impl Guard {
    pub(crate) fn new(began: Instant, time: Duration, brief: Option<Duration>) -> Self {
        Self {
            deadline: began + time,
            brief: brief.map(|brief| began + brief),
            stop: Cell::new(None),
        }
    }

    /// Whether to stop at this moment. Once true it stays so.
    pub(crate) fn must_stop(&self, now: Instant) -> bool {
        if self.stop.get().is_none() {
            if now >= self.deadline {
                self.stop.set(Some(Stop::Time));
            } else if self.brief.is_some_and(|brief| now >= brief) {
                self.stop.set(Some(Stop::Moved));
            }
        }
        self.stop.get().is_some()
    }

    /// Whether the call may wait for its host; a brief one is stopped instead.
    pub(crate) fn may_wait(&self) -> bool {
        if self.brief.is_some() && self.stop.get().is_none() {
            self.stop.set(Some(Stop::Moved));
        }
        self.stop.get().is_none()
    }

    /// Why it was stopped, if it was.
    pub(crate) fn stopped(&self) -> Option<Stop> {
        self.stop.get()
    }

    /// How much of its time is left.
    pub(crate) fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_stopped_for_the_first_reason_that_comes() {
        let check = |brief_ms: Option<u64>, at_ms: u64, expected| {
            let began = Instant::now();
            let brief = brief_ms.map(Duration::from_millis);
            let guard = Guard::new(began, Duration::from_millis(100), brief);
            let stopped = guard.must_stop(began + Duration::from_millis(at_ms));
            assert_eq!(stopped, guard.stopped().is_some());
            assert_eq!(guard.stopped(), expected);
            guard.must_stop(began + Duration::from_secs(1));
            assert_eq!(guard.stopped(), expected.or(Some(Stop::Time)));
        };
        check(None, 99, None);
        check(None, 100, Some(Stop::Time));
        check(Some(10), 10, Some(Stop::Moved));
        check(Some(200), 150, Some(Stop::Time));
    }

    #[test]
    fn a_brief_call_never_waits() {
        let guard = |brief| Guard::new(Instant::now(), Duration::from_secs(9), brief);
        assert!(guard(None).may_wait());
        let brief = guard(Some(Duration::from_secs(1)));
        assert!(!brief.may_wait());
        assert_eq!(brief.stopped(), Some(Stop::Moved));
    }
}
