//! The lease that lets work move: granted by the control plane with each
//! heartbeat, kept by the node's own monotonic clock.
//!
//! What must never happen: the control plane seats leased work elsewhere
//! while the node that had it still runs it. So the node stops leased work
//! [`Timing::fence_after`] after it *sent* the last answered heartbeat, and
//! the control plane waits until [`Timing::lease`] after it *received* one.

use std::time::Duration;

use super::Timing;
use crate::Timestamp;

/// Until when a node heard at `now` owns its work. With no other node to move
/// work to, it is its own for ever, so that a lone machine outlives a long
/// absence of its control plane.
pub fn lease_grant(now: Timestamp, other_nodes: usize, timing: &Timing) -> Timestamp {
    if other_nodes == 0 {
        Timestamp::NEVER
    } else {
        now + timing.lease
    }
}

/// Whether a node must stop its leased work: `since_answered` is the time
/// since it sent the last heartbeat that was answered, `bounded` whether that
/// answer set an end to the lease.
pub fn must_fence(since_answered: Duration, bounded: bool, timing: &Timing) -> bool {
    bounded && since_answered >= timing.fence_after
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_node_keeps_its_work_for_ever() {
        let timing = Timing::default();
        let now = Timestamp::from_ms(5);
        assert_eq!(lease_grant(now, 0, &timing), Timestamp::NEVER);
        assert_eq!(lease_grant(now, 1, &timing), now + timing.lease);
    }

    #[test]
    fn a_node_fences_itself_before_its_lease_ends() {
        let timing = Timing::default();
        assert!(timing.fence_after + timing.heartbeat <= timing.lease);
        assert!(!must_fence(
            timing.fence_after - Duration::from_millis(1),
            true,
            &timing
        ));
        assert!(must_fence(timing.fence_after, true, &timing));
        assert!(!must_fence(Duration::MAX, false, &timing));
    }
}
