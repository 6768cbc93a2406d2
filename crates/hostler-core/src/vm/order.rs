//! What a node makes of an order for a VM: the receiving half of the
//! generation rule, as [`crate::workload::order_verdict`] has it.
//!
//! Two things differ. An order to *stop* may be the first that a node hears,
//! and then makes disks: so it must be fresh where nothing is held. And it may
//! come for what is held: then it only ends, and need not be fresh.

use super::VmGoal;
use crate::Generation;
use crate::workload::Verdict;

/// What a node's ledger holds of a VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VmHeld {
    /// The highest generation it was told.
    pub generation: Generation,
    /// What it was told then; `Gone` is the tombstone.
    pub goal: VmGoal,
    /// Whether the end of the lease switched it off.
    pub fenced: bool,
}

/// The verdict on an order of `generation` for `goal`, given what is held and
/// whether the order is fresh. Within one generation nothing comes back, gone
/// outranks all, and only what was fenced is started again.
pub fn vm_order_verdict(
    held: Option<VmHeld>,
    generation: Generation,
    goal: VmGoal,
    fresh: bool,
) -> Verdict {
    let standing = held.is_some_and(|held| held.goal != VmGoal::Gone);
    let may_be_late = match goal {
        VmGoal::Gone => true,
        VmGoal::Stopped => standing,
        VmGoal::Running | VmGoal::Paused => false,
    };
    let follow = if fresh || may_be_late {
        Verdict::Follow
    } else {
        Verdict::Stale
    };
    let Some(held) = held else {
        return follow;
    };
    if !held.generation.admits(generation) {
        return Verdict::Refuse(held.generation);
    }
    if generation != held.generation {
        return follow;
    }
    match (held.goal, goal) {
        (VmGoal::Gone, VmGoal::Gone) => Verdict::Repeat,
        (VmGoal::Gone, _) => Verdict::Refuse(held.generation),
        (_, VmGoal::Gone) => follow,
        (_, VmGoal::Running | VmGoal::Paused) if held.fenced => follow,
        _ => Verdict::Repeat,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::unnecessary_wraps, reason = "cases read better without")]
    fn held(goal: VmGoal, fenced: bool) -> Option<VmHeld> {
        let generation = Generation::new(4);
        Some(VmHeld {
            generation,
            goal,
            fenced,
        })
    }

    #[track_caller]
    fn check(held: Option<VmHeld>, order: (u64, VmGoal), fresh: bool, expected: Verdict) {
        let verdict = vm_order_verdict(held, Generation::new(order.0), order.1, fresh);
        assert_eq!(verdict, expected, "{held:?} {order:?} fresh: {fresh}");
    }

    #[test]
    fn a_late_order_makes_nothing_and_may_end_everything() {
        use VmGoal::{Gone, Paused, Running, Stopped};
        for goal in [Running, Paused, Stopped] {
            check(None, (1, goal), false, Verdict::Stale);
            check(None, (1, goal), true, Verdict::Follow);
            check(held(Gone, false), (5, goal), false, Verdict::Stale);
        }
        check(None, (1, Gone), false, Verdict::Follow);
        check(held(Running, false), (5, Stopped), false, Verdict::Follow);
        check(held(Stopped, false), (5, Running), false, Verdict::Stale);
        check(held(Running, false), (5, Gone), false, Verdict::Follow);
    }

    #[test]
    fn an_older_generation_is_refused_and_a_tombstone_keeps_its_own() {
        use VmGoal::{Gone, Running, Stopped};
        let refused = Verdict::Refuse(Generation::new(4));
        check(held(Running, false), (3, Gone), true, refused);
        check(held(Gone, false), (4, Running), true, refused);
        check(held(Gone, false), (4, Stopped), true, refused);
        check(held(Gone, false), (4, Gone), true, Verdict::Repeat);
        check(held(Gone, false), (5, Running), true, Verdict::Follow);
    }

    #[test]
    fn the_same_order_again_starts_only_what_was_fenced() {
        use VmGoal::{Gone, Paused, Running, Stopped};
        check(held(Running, false), (4, Running), true, Verdict::Repeat);
        check(held(Running, true), (4, Running), true, Verdict::Follow);
        check(held(Paused, true), (4, Paused), true, Verdict::Follow);
        check(held(Running, true), (4, Running), false, Verdict::Stale);
        check(held(Stopped, true), (4, Stopped), true, Verdict::Repeat);
        check(held(Running, false), (4, Gone), false, Verdict::Follow);
    }
}
