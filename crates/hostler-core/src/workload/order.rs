//! What a node makes of an order: the receiving half of the generation rule.
//!
//! A node remembers the generation of everything it was told, also of what it
//! was told to drop (a tombstone), so that a late order never brings work back.

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
}

/// What to do with an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Write it down and follow it.
    Follow,
    /// Known already; answer with what is seen, change nothing.
    Repeat,
    /// Older than what the ledger holds; answer with the generation held.
    Refuse(Generation),
}

/// The verdict on an order of `generation` for `goal`, given what is held.
/// Within one generation nothing comes back: gone outranks running.
pub fn order_verdict(held: Option<Held>, generation: Generation, goal: NodeGoal) -> Verdict {
    let Some(held) = held else {
        return Verdict::Follow;
    };
    if !held.generation.admits(generation) {
        return Verdict::Refuse(held.generation);
    }
    let same = generation == held.generation;
    match (same, held.goal, goal) {
        (false, _, _) | (true, NodeGoal::Running, NodeGoal::Gone) => Verdict::Follow,
        (true, NodeGoal::Gone, NodeGoal::Running) => Verdict::Refuse(held.generation),
        (true, _, _) => Verdict::Repeat,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tombstone_refuses_its_own_generation_and_admits_the_next() {
        let tombstone = Some(Held {
            generation: Generation::new(4),
            goal: NodeGoal::Gone,
        });
        let check = |number, goal, expected| {
            assert_eq!(
                order_verdict(tombstone, Generation::new(number), goal),
                expected
            );
        };
        check(3, NodeGoal::Running, Verdict::Refuse(Generation::new(4)));
        check(4, NodeGoal::Running, Verdict::Refuse(Generation::new(4)));
        check(4, NodeGoal::Gone, Verdict::Repeat);
        check(5, NodeGoal::Running, Verdict::Follow);
    }

    #[test]
    fn a_held_workload_follows_what_is_newer_and_repeats_what_is_known() {
        let held = Some(Held {
            generation: Generation::new(4),
            goal: NodeGoal::Running,
        });
        let check = |number, goal, expected| {
            assert_eq!(order_verdict(held, Generation::new(number), goal), expected);
        };
        check(3, NodeGoal::Gone, Verdict::Refuse(Generation::new(4)));
        check(4, NodeGoal::Running, Verdict::Repeat);
        check(4, NodeGoal::Gone, Verdict::Follow);
        check(5, NodeGoal::Running, Verdict::Follow);
        assert_eq!(
            order_verdict(None, Generation::FIRST, NodeGoal::Gone),
            Verdict::Follow
        );
    }
}
