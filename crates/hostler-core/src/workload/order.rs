//! What a node makes of an order: the receiving half of the generation rule.
//!
//! A node remembers the generation of everything it was told, also of what it
//! was told to drop (a tombstone), so that a late order never brings work back.
//!
//! The generation cannot help where nothing is remembered: the node never got
//! the first order, its seat moved away when its lease ended, and the order
//! arrives after that. So an order to *run* must also be fresh
//! ([`crate::node::HeldLease::admits`]). An order to drop needs not be.

use serde::{Deserialize, Serialize};

use crate::Generation;

/// What a node may be told about a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeGoal {
    /// Hold it and keep it running.
    Running,
    /// Do not hold it.
    Gone,
}

/// What a node's ledger holds of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The highest generation it was told.
    pub generation: Generation,
    /// What it was told then; `Gone` is the tombstone.
    pub goal: NodeGoal,
    /// Whether it was stopped by the end of the lease, or not yet started
    /// again after the node itself was ([`super::SeenState::Fenced`]).
    pub fenced: bool,
}

/// What to do with an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Write it down and follow it.
    Follow,
    /// Known already; answer with what is seen, change nothing.
    Repeat,
    /// Older than what the ledger holds; answer with the generation held.
    Refuse(Generation),
    /// Held up on its way for so long that it may be void; change nothing. If
    /// it still holds, it comes again.
    Stale,
}

/// The verdict on an order of `generation` for `goal`, given what is held and
/// whether the order is fresh. Within one generation nothing comes back, gone
/// outranks running, and only what was fenced is started again.
pub fn order_verdict(
    held: Option<Held>,
    generation: Generation,
    goal: NodeGoal,
    fresh: bool,
) -> Verdict {
    let follow = match goal {
        NodeGoal::Running if !fresh => Verdict::Stale,
        NodeGoal::Running | NodeGoal::Gone => Verdict::Follow,
    };
    let Some(held) = held else {
        return follow;
    };
    if !held.generation.admits(generation) {
        return Verdict::Refuse(held.generation);
    }
    let same = generation == held.generation;
    match (same, held.goal, goal) {
        (false, _, _) | (true, NodeGoal::Running, NodeGoal::Gone) => follow,
        (true, NodeGoal::Gone, NodeGoal::Running) => Verdict::Refuse(held.generation),
        (true, NodeGoal::Running, NodeGoal::Running) if held.fenced => follow,
        (true, _, _) => Verdict::Repeat,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(held: Held, number: u64, goal: NodeGoal, expected: Verdict) {
        let verdict = order_verdict(Some(held), Generation::new(number), goal, true);
        assert_eq!(verdict, expected);
    }

    fn held(goal: NodeGoal) -> Held {
        Held {
            generation: Generation::new(4),
            goal,
            fenced: false,
        }
    }

    #[test]
    fn a_tombstone_refuses_its_own_generation_and_admits_the_next() {
        let tombstone = held(NodeGoal::Gone);
        let refused = Verdict::Refuse(Generation::new(4));
        check(tombstone, 3, NodeGoal::Running, refused);
        check(tombstone, 4, NodeGoal::Running, refused);
        check(tombstone, 4, NodeGoal::Gone, Verdict::Repeat);
        check(tombstone, 5, NodeGoal::Running, Verdict::Follow);
    }

    #[test]
    fn a_held_workload_follows_what_is_newer_and_repeats_what_is_known() {
        let running = held(NodeGoal::Running);
        let refused = Verdict::Refuse(Generation::new(4));
        check(running, 3, NodeGoal::Gone, refused);
        check(running, 4, NodeGoal::Running, Verdict::Repeat);
        check(running, 4, NodeGoal::Gone, Verdict::Follow);
        check(running, 5, NodeGoal::Running, Verdict::Follow);
    }

    #[test]
    fn what_was_fenced_starts_again_by_the_same_order() {
        let fenced = Held {
            fenced: true,
            ..held(NodeGoal::Running)
        };
        check(fenced, 4, NodeGoal::Running, Verdict::Follow);
        check(fenced, 4, NodeGoal::Gone, Verdict::Follow);
        let late = order_verdict(Some(fenced), Generation::new(4), NodeGoal::Running, false);
        assert_eq!(late, Verdict::Stale);
    }

    #[test]
    fn an_order_held_up_starts_nothing_and_may_still_drop() {
        let late = |held, number, goal| order_verdict(held, Generation::new(number), goal, false);
        let running = Some(held(NodeGoal::Running));
        assert_eq!(late(None, 1, NodeGoal::Running), Verdict::Stale);
        assert_eq!(late(running, 5, NodeGoal::Running), Verdict::Stale);
        assert_eq!(late(running, 4, NodeGoal::Running), Verdict::Repeat);
        assert_eq!(late(running, 5, NodeGoal::Gone), Verdict::Follow);
        assert_eq!(late(None, 1, NodeGoal::Gone), Verdict::Follow);
    }
}
