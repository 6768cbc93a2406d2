//! When a tombstone has done its work: on the node, and in the database.
//!
//! On the node a tombstone refuses late orders. An order to run is void once
//! its heartbeat is old ([`crate::node::HeldLease::admits`]), so a tombstone
//! kept for that long has outlived every order it could have to refuse. In the
//! database it tells a node that comes back with the workload in its ledger to
//! drop it, so it is kept until no registered node can hold it any more.

use std::time::Duration;

use super::{Held, NodeGoal, WorkloadFacts};
use crate::id::NodeId;
use crate::{Generation, Timestamp};

/// Whether the control plane has no more use for the tombstone that `node`
/// reports: the workload is seated elsewhere or nowhere, or erased.
pub fn wants_forgotten(node: NodeId, row: Option<&WorkloadFacts>) -> bool {
    row.is_none_or(|row| row.seat != Some(node))
}

/// Whether a node may forget what it holds, when it is asked to forget the
/// workload up to `asked` and wrote the tombstone `age` ago. The age counts by
/// the node's monotonic clock, from the daemon's start for what it found on
/// disk; `span` is [`crate::node::Timing::fence_after`] as the node keeps to it.
pub fn may_forget(held: Held, asked: Generation, age: Duration, span: Duration) -> bool {
    held.goal == NodeGoal::Gone && held.generation <= asked && age >= span
}

/// Whether the database may drop a tombstone. `needed_at` is when it was
/// written or, if later, when a node last reported to hold the workload other
/// than as a tombstone; `heard` is when each registered node was last heard.
/// Each must have been heard without it more than `keep` later, which must be
/// longer than any heartbeat or order can be under way (an hour is): one heard
/// earlier may have been sent before the node got its last order to run it.
pub fn burial_over(
    needed_at: Timestamp,
    heard: impl IntoIterator<Item = Option<Timestamp>>,
    keep: Duration,
) -> bool {
    let end = needed_at + keep;
    heard
        .into_iter()
        .all(|heard| heard.is_some_and(|heard| heard > end))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Duration = Duration::from_mins(1);

    #[test]
    fn a_node_forgets_what_it_was_asked_to_and_only_when_late_orders_are_void() {
        let check = |goal, asked, age_s, expected| {
            let held = Held {
                generation: Generation::new(4),
                goal,
                fenced: false,
            };
            let age = Duration::from_secs(age_s);
            assert_eq!(
                may_forget(held, Generation::new(asked), age, SPAN),
                expected
            );
        };
        check(NodeGoal::Gone, 4, 60, true);
        check(NodeGoal::Gone, 4, 59, false);
        check(NodeGoal::Gone, 3, 60, false);
        check(NodeGoal::Running, 4, 60, false);
    }

    #[test]
    fn a_burial_is_over_when_every_node_has_spoken_without_the_dead() {
        let keep = Duration::from_hours(1);
        let buried = Timestamp::from_ms(1_000);
        let end = buried + keep;
        let late = Some(end + Duration::from_millis(1));
        let over = |heard: &[Option<Timestamp>]| burial_over(buried, heard.iter().copied(), keep);
        assert!(over(&[late, late]));
        assert!(over(&[]));
        assert!(!over(&[late, Some(end)]));
        assert!(!over(&[late, None]), "a node never heard may hold anything");
    }
}
