//! The small copies: what a decision reads of a pod, a node, an event.

use std::time::Duration;

use hostler_core::Timestamp;
use hostler_core::runner::{Mark, PoolName, Reason};

use super::table::Row;

/// Failures that are less than this apart are one and the same trouble.
const APART: Duration = Duration::from_mins(2);

/// What became of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Waiting,
    Bound,
    Ended,
}

/// A placeholder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Placeholder {
    pub(crate) uid: String,
    pub(crate) created: Timestamp,
    /// The manager it is labelled with; none: the seed's service, or a person.
    pub(crate) manager: Option<String>,
    pub(crate) mark: Option<Mark>,
    pub(crate) pool: Option<PoolName>,
    pub(crate) phase: Phase,
    pub(crate) node: Option<String>,
    pub(crate) ips: Vec<String>,
    /// What the scheduler said, or how it ended.
    pub(crate) why: Option<String>,
    pub(crate) is_terminating: bool,
    /// Since when we have seen it on its node.
    pub(crate) placed_since: Option<Timestamp>,
}

impl Row for Placeholder {
    fn uid(&self) -> &str {
        &self.uid
    }

    fn carry(&mut self, before: Option<&Self>, now: Timestamp) {
        let since = before.and_then(|before| before.placed_since);
        self.placed_since = self.node.as_ref().map(|_| since.unwrap_or(now));
    }
}

/// A pod of the runner program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) uid: String,
    pub(crate) created: Timestamp,
    pub(crate) node: String,
    pub(crate) ips: Vec<String>,
    pub(crate) is_running: bool,
    pub(crate) is_ready: bool,
    pub(crate) is_terminating: bool,
    /// Why it does not run, if it has failed.
    pub(crate) trouble: Option<Reason>,
    /// Since when it has been failing, and until when we saw it.
    pub(crate) failing: Option<(Timestamp, Timestamp)>,
}

impl Row for Program {
    fn uid(&self) -> &str {
        &self.uid
    }

    /// A program that ends as often as it is started is well for a moment each
    /// time: that does not make it a new failure.
    fn carry(&mut self, before: Option<&Self>, now: Timestamp) {
        let recent = before.and_then(|before| before.failing);
        let recent = recent.filter(|(_, until)| now < *until + APART);
        self.failing = match (&self.trouble, recent) {
            (Some(_), Some((since, _))) => Some((since, now)),
            (Some(_), None) => Some((now, now)),
            (None, recent) => recent,
        };
    }
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) uid: String,
    /// Its internal addresses, in its own order.
    pub(crate) ips: Vec<String>,
    pub(crate) is_ready: bool,
    /// What its condition says, when it is not ready.
    pub(crate) why: Option<String>,
    pub(crate) is_cordoned: bool,
    /// The taint that says it will be taken away.
    pub(crate) notice: Option<&'static str>,
    /// Whether it carries the labels of a pool.
    pub(crate) is_of_pool: bool,
}

impl Row for Node {
    fn uid(&self) -> &str {
        &self.uid
    }
}

/// Something that was said about a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) uid: String,
    /// The pod, by its uid.
    pub(crate) about: String,
    pub(crate) reason: Reason,
    /// Whether the autoscaler said it: it knows more than the scheduler.
    pub(crate) is_of_autoscaler: bool,
    pub(crate) at: Timestamp,
}

impl Row for Event {
    fn uid(&self) -> &str {
        &self.uid
    }
}

#[cfg(test)]
mod tests {
    use hostler_core::runner::ReasonCode;

    use super::*;

    fn program(is_failing: bool) -> Program {
        let trouble = Reason::new(ReasonCode::CrashLoop, "again");
        Program {
            uid: "1".into(),
            created: Timestamp::from_ms(0),
            node: "n".into(),
            ips: Vec::new(),
            is_running: true,
            is_ready: !is_failing,
            is_terminating: false,
            trouble: is_failing.then_some(trouble),
            failing: None,
        }
    }

    #[test]
    fn a_moment_of_health_between_two_crashes_does_not_begin_the_trouble_anew() {
        let at = |seconds: i64| Timestamp::from_ms(seconds * 1_000);
        let mut last: Option<Program> = None;
        let mut turn = |is_failing, seconds| {
            let mut next = program(is_failing);
            next.carry(last.as_ref(), at(seconds));
            let since = next.failing.map(|(since, _)| since);
            last = Some(next);
            since
        };
        assert_eq!(turn(false, 0), None);
        assert_eq!(turn(true, 10), Some(at(10)));
        assert_eq!(turn(false, 20), Some(at(10)));
        assert_eq!(turn(true, 30), Some(at(10)));
        assert_eq!(turn(false, 200), None);
        assert_eq!(turn(true, 210), Some(at(210)));
    }
}
