//! Which of two words of a node about a workload is the later one.
//!
//! A node speaks in heartbeats, which are numbered, and in answers to orders,
//! which are not: an answer may arrive long after a heartbeat that was sent
//! later. The generation orders most of it. Within one generation *absent* is
//! the last word there can be, because a tombstone never revives, and of the
//! rest a heartbeat is believed rather than an answer.
//!
//! A heartbeat carries the whole ledger. One that does not list a workload which
//! was seen there is no word that it is absent, but the ledger was lost, perhaps:
//! it is missing, and ordered again, at a new generation: an *absent* that the
//! node said of this one before it lost its ledger may be heard only later, and
//! is the last word of this one. So it is when the ledger lists it by an
//! older order: an order to drop, which is obeyed however old it is, may come to
//! a node that has just lost its ledger, and leave a tombstone there that says
//! nothing of the order which followed.
//!
//! Only the word of the node that has the seat counts, and heartbeats older
//! than one already heard are dropped before ([`crate::node::Beat`]).

use super::{Goal, Seen, SeenState, WorkloadFacts};
use crate::Generation;

/// How a node said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// In a heartbeat, newer than all heard before.
    Heartbeat,
    /// In the answer to an order.
    Answer,
}

/// What to keep as seen, when `said` arrives and `held` was kept.
pub fn seen_merge(held: Option<Seen>, said: Seen, word: Word) -> Seen {
    let Some(held) = held else {
        return said;
    };
    let newer = said.generation > held.generation;
    let same = said.generation == held.generation && held.state != SeenState::Absent;
    let later = word == Word::Heartbeat
        || said.state == SeenState::Absent
        || held.state == SeenState::Fenced;
    if newer || (same && later) { said } else { held }
}

/// Whether a workload that was seen on its node is missing there, when a
/// heartbeat newer than all heard before lists it by an order of generation
/// `listed`, or does not list it. What ended by itself is not missed.
pub fn is_missing(facts: &WorkloadFacts, listed: Option<Generation>) -> bool {
    let was_seen = match facts.seen_now() {
        None | Some(SeenState::Absent | SeenState::Ended) => false,
        Some(_) => facts.goal == Goal::Running,
    };
    was_seen && listed.is_none_or(|listed| listed < facts.generation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{NodeId, WorkloadId};
    use crate::workload::OnNodeLoss;

    fn seen(number: u64, state: SeenState) -> Seen {
        Seen {
            generation: Generation::new(number),
            state,
        }
    }

    #[test]
    fn the_higher_generation_is_the_later_word() {
        for word in [Word::Heartbeat, Word::Answer] {
            let held = seen(4, SeenState::Absent);
            let older = seen(3, SeenState::Running);
            let newer = seen(5, SeenState::Starting);
            assert_eq!(seen_merge(Some(held), older, word), held);
            assert_eq!(seen_merge(Some(held), newer, word), newer);
            assert_eq!(seen_merge(None, older, word), older);
        }
    }

    #[test]
    fn absent_is_the_last_word_of_a_generation() {
        let running = seen(4, SeenState::Running);
        let absent = seen(4, SeenState::Absent);
        for word in [Word::Heartbeat, Word::Answer] {
            assert_eq!(seen_merge(Some(absent), running, word), absent);
            assert_eq!(seen_merge(Some(running), absent, word), absent);
        }
    }

    #[test]
    fn a_heartbeat_is_believed_rather_than_an_answer() {
        let starting = seen(4, SeenState::Starting);
        let running = seen(4, SeenState::Running);
        let merged = |held, said, word| seen_merge(Some(held), said, word);
        assert_eq!(merged(starting, running, Word::Heartbeat), running);
        assert_eq!(merged(running, starting, Word::Heartbeat), starting);
        assert_eq!(merged(running, starting, Word::Answer), running);
        let fenced = seen(4, SeenState::Fenced);
        assert_eq!(merged(fenced, starting, Word::Answer), starting);
    }

    #[test]
    fn what_a_ledger_lists_by_an_older_order_or_not_at_all_is_missing() {
        let check = |goal, held, listed: Option<u64>, expected| {
            let facts = WorkloadFacts {
                id: WorkloadId::from_parts(1, [1; 10]),
                goal,
                generation: Generation::new(4),
                seat: Some(NodeId::from_parts(1, [2; 10])),
                seen: held,
                on_node_loss: OnNodeLoss::Restart,
            };
            let found = is_missing(&facts, listed.map(Generation::new));
            assert_eq!(found, expected, "{goal:?} {held:?} {listed:?}");
        };
        for state in [SeenState::Starting, SeenState::Running, SeenState::Failed] {
            let held = Some(seen(4, state));
            check(Goal::Running, held, None, true);
            check(Goal::Running, held, Some(3), true);
            check(Goal::Running, held, Some(4), false);
            check(Goal::Running, held, Some(5), false);
            check(Goal::Stopped, held, Some(3), false);
        }
        check(Goal::Running, Some(seen(4, SeenState::Ended)), None, false);
        check(Goal::Running, Some(seen(4, SeenState::Absent)), None, false);
        check(
            Goal::Running,
            Some(seen(3, SeenState::Running)),
            None,
            false,
        );
        check(Goal::Running, None, None, false);
    }
}
