//! The lease as the node keeps it, by its own monotonic clock (one that also
//! counts while the machine sleeps: `CLOCK_BOOTTIME`).
//!
//! Proof that the control plane heard a heartbeat is its answer, or an order
//! that names it. From the *sending* of the newest heartbeat with such proof
//! the node owns its leased work for the span it keeps to. When that is over
//! it stops that work at once ([`HeldLease::ends_at`]), marks each entry
//! *fenced*, and starts none again before a fresh order for it comes.
//!
//! What must never happen: leased work that outlives the lease because the
//! daemon is dead. So the agents are told the end too
//! ([`HeldLease::agents_end`]), and stop the work by themselves then. And so a
//! span that the control plane tells is at first only *offered*: it is named in
//! heartbeats, and with that relied on, once every agent knows an end by it.
//!
//! [`HeldLease::span`] must be on disk before the next heartbeat names it.

use std::collections::VecDeque;
use std::time::Duration;

use super::Beat;
use crate::id::BootId;

/// What a node knows of its lease. Times are its monotonic clock's.
#[derive(Clone, Debug)]
pub struct HeldLease {
    boot: BootId,
    span: Option<Duration>,
    /// Told, and not yet known to every agent.
    offered: Option<Duration>,
    young: Duration,
    sent: VecDeque<(u64, Duration)>,
    proven: Option<(u64, Duration)>,
    unbroken_since: Duration,
}

impl HeldLease {
    /// A lease at the start of a daemon: nothing is proven yet. `span` is what
    /// the disk says, `None` on a node that was never told one; `young` is
    /// [`super::Timing::fence_after`] as registered, for want of a span.
    pub fn new(boot: BootId, span: Option<Duration>, young: Duration) -> Self {
        Self {
            boot,
            span,
            offered: None,
            young: span.unwrap_or(young),
            sent: VecDeque::new(),
            proven: None,
            unbroken_since: Duration::ZERO,
        }
    }

    /// The span to name in heartbeats and to keep on disk.
    pub fn span(&self) -> Option<Duration> {
        self.span
    }

    /// Notes that heartbeat `sequence` is being sent at `now`.
    pub fn sent(&mut self, sequence: u64, now: Duration) {
        let young = self.young;
        let is_old = |(_, at): &(u64, Duration)| now.saturating_sub(*at) >= young;
        while self.sent.front().is_some_and(is_old) {
            self.sent.pop_front();
        }
        self.sent.push_back((sequence, now));
    }

    /// Notes at `now` the answer to heartbeat `sequence` and the span it tells,
    /// and says whether that renewed the lease. An answer older than one
    /// already had changes nothing. A new span is offered by this and no more.
    pub fn answered(
        &mut self,
        sequence: u64,
        fence_after: Option<Duration>,
        now: Duration,
    ) -> bool {
        let renewed = self.prove(sequence, now);
        if renewed {
            self.offered = fence_after.filter(|told| self.span != Some(*told));
        }
        renewed
    }

    /// The span told and not yet taken over.
    pub fn offered(&self) -> Option<Duration> {
        self.offered
    }

    /// Takes a span over, if it is still the one offered: every agent knows an
    /// end by it, and it is on disk. It may change, and is never given up.
    pub fn take_over(&mut self, offered: Duration) {
        if self.offered == Some(offered) {
            self.offered = None;
            self.span = Some(offered);
            self.young = offered;
        }
    }

    /// Whether an order to run that names `beat` is fresh at `now`: sent on
    /// the word of a heartbeat of this very boot that is younger than the
    /// span. Only then can the seat not have moved since. A fresh order proves
    /// that its heartbeat was heard, and renews the lease as an answer does.
    pub fn admits(&mut self, beat: Option<Beat>, now: Duration) -> bool {
        let Some(beat) = beat.filter(|beat| beat.boot == self.boot) else {
            return false;
        };
        let sent_at = self
            .sent
            .iter()
            .find(|(number, _)| *number == beat.sequence);
        let fresh = sent_at.is_some_and(|(_, at)| now.saturating_sub(*at) < self.young);
        if fresh {
            self.prove(beat.sequence, now);
        }
        fresh
    }

    /// When leased work must have stopped; `None` for never. With a span and
    /// without proof the lease is over since the clock's beginning.
    pub fn ends_at(&self) -> Option<Duration> {
        let span = self.span?;
        Some(self.proven.map_or(Duration::ZERO, |(_, at)| at + span))
    }

    /// When agents must have stopped leased work: as [`HeldLease::ends_at`], or
    /// earlier by a shorter span that is offered. An offer that has run out
    /// before it was taken over ends nothing.
    pub fn agents_end(&self, now: Duration) -> Option<Duration> {
        let span = self.agents_span(now)?;
        Some(self.proven.map_or(Duration::ZERO, |(_, at)| at + span))
    }

    /// The span by which [`HeldLease::agents_end`] is what it is.
    pub fn agents_span(&self, now: Duration) -> Option<Duration> {
        let shorter = |offered: &Duration| self.span.is_none_or(|span| *offered < span);
        let holds = |offered: &Duration| self.proven.is_some_and(|(_, at)| now < at + *offered);
        let offered = self.offered.filter(shorter).filter(holds);
        offered.or(self.span)
    }

    /// Whether leased work must not run at `now`.
    pub fn is_over(&self, now: Duration) -> bool {
        self.ends_at().is_some_and(|end| now >= end)
    }

    /// Whether leased work may be started at `now` on an order followed, or a
    /// running process confirmed by a renewal, at `ordered_at`: the lease holds
    /// and has not lapsed in between.
    pub fn covers(&self, ordered_at: Duration, now: Duration) -> bool {
        !self.is_over(now) && ordered_at >= self.unbroken_since
    }

    fn prove(&mut self, sequence: u64, now: Duration) -> bool {
        let older = self.proven.is_some_and(|(proven, _)| sequence <= proven);
        let sent = self.sent.iter().find(|(number, _)| *number == sequence);
        let Some(sent) = sent.copied().filter(|_| !older) else {
            return false;
        };
        if self.is_over(now) {
            self.unbroken_since = now;
        }
        self.proven = Some(sent);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Duration = Duration::from_mins(1);

    fn boot() -> BootId {
        BootId::from_parts(1, [0; 10])
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn beat(sequence: u64) -> Beat {
        Beat {
            boot: boot(),
            sequence,
        }
    }

    fn lease(span: Option<Duration>) -> HeldLease {
        HeldLease::new(boot(), span, SPAN)
    }

    #[test]
    fn the_lease_counts_from_the_sending_of_what_was_answered() {
        let mut held = lease(Some(SPAN));
        assert!(held.is_over(at(1)), "nothing is proven after a start");
        held.sent(1, at(10));
        held.sent(2, at(25));
        assert!(held.answered(1, Some(SPAN), at(26)));
        assert_eq!(held.ends_at(), Some(at(70)));
        assert!(!held.is_over(at(69)));
        assert!(held.is_over(at(70)));
        assert!(held.answered(2, Some(SPAN), at(27)));
        assert!(!held.answered(1, Some(SPAN), at(28)));
        assert_eq!(
            held.ends_at(),
            Some(at(85)),
            "a late answer takes nothing back"
        );
    }

    #[test]
    fn a_node_never_told_a_span_keeps_its_work_and_one_told_never_forgets_it() {
        let mut held = lease(None);
        assert!(!held.is_over(Duration::MAX));
        held.sent(1, at(10));
        held.answered(1, None, at(11));
        assert_eq!(held.span(), None);
        held.sent(2, at(25));
        held.answered(2, Some(SPAN), at(26));
        held.take_over(SPAN);
        assert!(held.covers(at(1), at(27)), "being told is no lapse");
        held.sent(3, at(40));
        held.answered(3, None, at(41));
        assert_eq!(held.span(), Some(SPAN));
        assert!(held.is_over(at(100)));
    }

    #[test]
    fn a_span_is_kept_to_by_agents_first_and_named_when_it_is_taken_over() {
        let mut held = lease(None);
        held.sent(1, at(10));
        held.answered(1, Some(SPAN), at(11));
        assert_eq!((held.span(), held.ends_at()), (None, None));
        assert_eq!(held.agents_end(at(12)), Some(at(70)));
        assert_eq!(held.agents_end(at(70)), None, "an offer ends nothing");
        held.take_over(SPAN / 2);
        assert_eq!(held.span(), None, "not what is offered");
        held.take_over(SPAN);
        assert_eq!((held.span(), held.offered()), (Some(SPAN), None));
        assert_eq!(held.agents_end(at(99)), Some(at(70)));
    }

    #[test]
    fn of_two_spans_agents_keep_to_the_shorter() {
        let check = |offered: Duration, now, expected| {
            let mut held = lease(Some(SPAN));
            held.sent(1, at(10));
            held.answered(1, Some(offered), at(11));
            assert_eq!(held.ends_at(), Some(at(70)));
            assert_eq!(held.agents_end(at(now)), Some(at(expected)));
            let span = held.agents_span(at(now));
            assert_eq!(span, Some(at(expected - 10)));
        };
        check(SPAN / 2, 12, 40);
        check(SPAN / 2, 40, 70);
        check(SPAN, 12, 70);
        check(SPAN * 2, 12, 70);
    }

    #[test]
    fn an_order_is_fresh_while_its_heartbeat_is_young_and_of_this_boot() {
        let mut held = lease(Some(SPAN));
        held.sent(1, at(10));
        assert!(!held.admits(None, at(11)));
        assert!(!held.admits(Some(beat(2)), at(11)), "never sent");
        let other = Beat {
            boot: BootId::from_parts(2, [0; 10]),
            ..beat(1)
        };
        assert!(!held.admits(Some(other), at(11)));
        assert!(!held.admits(Some(beat(1)), at(70)));
        assert!(held.is_over(at(69)));
        assert!(held.admits(Some(beat(1)), at(69)));
        assert!(
            !held.is_over(at(69)),
            "the order proves the heartbeat was heard"
        );
        assert!(held.is_over(at(70)));
    }

    #[test]
    fn a_renewal_after_a_lapse_covers_nothing_ordered_before() {
        let mut held = lease(Some(SPAN));
        held.sent(1, at(10));
        held.answered(1, Some(SPAN), at(11));
        assert!(held.covers(at(11), at(69)));
        held.sent(2, at(65));
        held.answered(2, Some(SPAN), at(66));
        assert!(held.covers(at(11), at(100)), "renewed in time");
        held.sent(3, at(200));
        held.answered(3, Some(SPAN), at(201));
        assert!(!held.covers(at(11), at(202)), "renewed after it had ended");
        assert!(held.admits(Some(beat(3)), at(203)));
        assert!(held.covers(at(203), at(204)));
    }
}
