//! Which of two words of a node about a workload is the later one.
//!
//! A node speaks in heartbeats, which are numbered, and in answers to orders,
//! which are not: an answer may arrive long after a heartbeat that was sent
//! later. The generation orders most of it. Within one generation *absent* is
//! the last word there can be, because a tombstone never revives, and of the
//! rest a heartbeat is believed rather than an answer.
//!
//! A heartbeat carries the whole ledger. One that says nothing of a workload
//! seated there is no word that it is absent, but takes back what was said of it
//! before (the ledger was lost, perhaps): seen becomes `None`, and it is ordered
//! again.
//!
//! Only the word of the node that has the seat counts, and heartbeats older
//! than one already heard are dropped before ([`crate::node::Beat`]).

use super::{Seen, SeenState};

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Generation;

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
}
