//! What the control plane makes of what nodes say of VMs: which word is the
//! later one, whose an entry is, what is missing, what may be forgotten. The
//! reasons are those of workloads ([`crate::workload`]).

use super::{VmFacts, VmGoal, VmSeen, VmSeenState};
use crate::Generation;
use crate::id::NodeId;
use crate::workload::{Claim, Word};

/// Whether `said` is to be kept instead of `held`. Within one generation
/// *absent* is the last word, and a heartbeat is believed rather than an answer.
pub fn vm_is_later(held: Option<VmSeen>, said: VmSeen, word: Word) -> bool {
    let Some(held) = held else {
        return true;
    };
    let same = said.generation == held.generation && held.state != VmSeenState::Absent;
    let later = word == Word::Heartbeat
        || said.state == VmSeenState::Absent
        || held.state == VmSeenState::Fenced;
    said.generation > held.generation || (same && later)
}

/// The claim on an entry that `node` reports at `reported`, given the row of
/// that VM, or else the tombstone its deletion left.
pub fn vm_claim(
    node: NodeId,
    reported: Generation,
    row: Option<&VmFacts>,
    tombstone: Option<Generation>,
) -> Claim {
    match (row, tombstone) {
        (Some(row), _) if row.seat == Some(node) => Claim::Seated,
        (Some(row), _) => Claim::Retire(row.generation.max(reported)),
        (None, Some(buried)) => Claim::Retire(buried.max(reported)),
        (None, None) => Claim::Unclaimed,
    }
}

/// Whether a VM that was seen on its node is missing there, when a heartbeat
/// newer than all heard before lists it by an order of generation `listed`, or
/// does not list it.
pub fn vm_is_missing(facts: &VmFacts, listed: Option<Generation>) -> bool {
    let was_seen = match facts.seen_now() {
        None | Some(VmSeenState::Absent) => false,
        Some(_) => facts.goal != VmGoal::Gone,
    };
    was_seen && listed.is_none_or(|listed| listed < facts.generation)
}

/// Whether the control plane has no more use for the tombstone that `node`
/// reports.
pub fn vm_wants_forgotten(node: NodeId, row: Option<&VmFacts>) -> bool {
    row.is_none_or(|row| row.seat != Some(node))
}

#[cfg(test)]
mod tests {
    use super::super::step::tests::seated;
    use super::*;

    fn seen(number: u64, state: VmSeenState) -> VmSeen {
        VmSeen {
            generation: Generation::new(number),
            state,
        }
    }

    #[test]
    fn the_higher_generation_is_later_then_absence_then_a_heartbeat() {
        use VmSeenState::{Absent, Fenced, Paused, Running, Starting};
        let check = |held, said, word, expected| {
            assert_eq!(vm_is_later(Some(held), said, word), expected);
        };
        for word in [Word::Heartbeat, Word::Answer] {
            check(seen(4, Absent), seen(3, Running), word, false);
            check(seen(4, Absent), seen(5, Starting), word, true);
            check(seen(4, Absent), seen(4, Running), word, false);
            check(seen(4, Running), seen(4, Absent), word, true);
            assert!(vm_is_later(None, seen(1, Running), word));
        }
        check(seen(4, Running), seen(4, Paused), Word::Heartbeat, true);
        check(seen(4, Running), seen(4, Starting), Word::Answer, false);
        check(seen(4, Fenced), seen(4, Starting), Word::Answer, true);
    }

    #[test]
    fn only_what_was_never_known_is_left_alone() {
        let row = seated(VmGoal::Running, None);
        let (here, there) = (
            NodeId::from_parts(1, [9; 10]),
            NodeId::from_parts(1, [1; 10]),
        );
        let (three, four) = (Generation::new(3), Generation::new(4));
        assert_eq!(vm_claim(there, three, Some(&row), None), Claim::Seated);
        assert_eq!(vm_claim(here, four, Some(&row), None), Claim::Retire(four));
        assert_eq!(vm_claim(here, three, None, Some(four)), Claim::Retire(four));
        assert_eq!(vm_claim(here, three, None, None), Claim::Unclaimed);
        assert!(vm_wants_forgotten(here, Some(&row)));
        assert!(!vm_wants_forgotten(there, Some(&row)));
        assert!(vm_wants_forgotten(there, None));
    }

    #[test]
    fn what_was_seen_and_is_not_listed_any_more_is_missing_also_when_it_was_off() {
        let check = |goal, state, listed: Option<u64>, expected| {
            let facts = seated(goal, state);
            let found = vm_is_missing(&facts, listed.map(Generation::new));
            assert_eq!(found, expected, "{goal:?} {state:?} {listed:?}");
        };
        let stopped = Some(VmSeenState::Stopped);
        check(VmGoal::Stopped, stopped, None, true);
        check(VmGoal::Stopped, stopped, Some(2), true);
        check(VmGoal::Stopped, stopped, Some(3), false);
        check(VmGoal::Gone, stopped, None, false);
        check(VmGoal::Running, None, None, false);
        check(VmGoal::Running, Some(VmSeenState::Absent), None, false);
    }
}
