//! The lease that lets work move, as the control plane grants it: renewed with
//! each heartbeat, measured by its own clock from *receiving* the heartbeat.
//! The node's half is [`super::HeldLease`].
//!
//! What must never happen: the control plane seats leased work elsewhere
//! while the node that had it still runs it. So the node stops leased work a
//! span after it *sent* the last heartbeat that was answered, and the control
//! plane waits for that span and a margin more after it *received* one. It
//! reckons with the span the node *says* it keeps to, never with one that the
//! node was merely told: the answer that told it may have been lost.
//!
//! The clocks of several control planes must agree within half the margin
//! ([`Timing::margin`]), or be the database's.

use std::time::Duration;

use super::Timing;
use crate::Timestamp;

/// What a heartbeat grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Until when the node owns its work, by the control plane's clock.
    pub until: Timestamp,
    /// What to answer: the span after which the node must stop leased work by
    /// itself, or `None` when it may keep it for ever.
    pub fence_after: Option<Duration>,
}

/// The grant to a node heard at `now`, which says that it stops leased work
/// `kept` after an unanswered heartbeat (`None`: never).
///
/// With no other node to move work to, a node's work is its own for ever, so
/// that a lone machine outlives a long absence of its control plane. The first
/// other node ends that for good, but only from the heartbeat on in which the
/// node itself names a span: until then it was perhaps never told. A span once
/// named is never taken back, so a late heartbeat cannot shorten a lease.
pub fn lease_grant(
    now: Timestamp,
    other_nodes: usize,
    kept: Option<Duration>,
    timing: &Timing,
) -> Grant {
    let bounded = kept.is_some() || other_nodes > 0;
    let span = |kept: Duration| kept.max(timing.fence_after) + timing.margin();
    Grant {
        until: kept.map_or(Timestamp::NEVER, |kept| now + span(kept)),
        fence_after: bounded.then_some(timing.fence_after),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(5);

    #[test]
    fn a_lone_node_keeps_its_work_for_ever() {
        let grant = lease_grant(NOW, 0, None, &Timing::default());
        assert_eq!(grant.until, Timestamp::NEVER);
        assert_eq!(grant.fence_after, None);
    }

    #[test]
    fn a_lease_ends_only_after_the_node_itself_has_said_so() {
        let timing = Timing::default();
        let told = lease_grant(NOW, 1, None, &timing);
        assert_eq!(told.until, Timestamp::NEVER);
        assert_eq!(told.fence_after, Some(timing.fence_after));
        let known = lease_grant(NOW, 1, told.fence_after, &timing);
        assert_eq!(known.until, NOW + timing.lease);
    }

    #[test]
    fn a_node_left_alone_again_stays_bound() {
        let timing = Timing::default();
        let grant = lease_grant(NOW, 0, Some(timing.fence_after), &timing);
        assert_eq!(grant.until, NOW + timing.lease);
        assert_eq!(grant.fence_after, Some(timing.fence_after));
    }

    #[test]
    fn the_longer_of_two_spans_counts_while_the_heartbeat_is_being_changed() {
        let short = Timing::of(Duration::from_secs(1));
        let long = Timing::of(Duration::from_secs(10));
        let check = |kept: &Timing, timing: &Timing, expected_s| {
            let grant = lease_grant(NOW, 1, Some(kept.fence_after), timing);
            assert_eq!(grant.until, NOW + Duration::from_secs(expected_s));
        };
        check(&long, &short, 41);
        check(&short, &long, 50);
    }
}
