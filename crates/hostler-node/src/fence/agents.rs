//! Which agents have leased work, and what each knows of the lease's end.
//! Plain data; [`super::Lease`] holds it.
//!
//! An agent is entered before anything leased is sent to it, and taken out
//! when its slot is gone. So a span that all of these know is known to
//! whatever outlives the daemon.

use std::collections::BTreeMap;
use std::time::Duration;

use hostler_core::id::SlotId;

/// The end of the lease, to be told to an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// Later ones have higher numbers, also those of later daemons.
    pub(crate) order: u64,
    /// The end, by the node's clock; `None` for never.
    pub(crate) ends_at: Option<Duration>,
    /// The span by which that is the end.
    pub(crate) span: Option<Duration>,
}

/// What an agent knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Knows {
    /// Perhaps nothing.
    Unsure,
    /// This, by its own word.
    Told(Word),
    /// Nothing, and never will: it does not understand.
    Nothing,
}

/// The agents with leased work.
#[derive(Debug, Default)]
pub(super) struct Agents {
    known: BTreeMap<SlotId, Knows>,
    last: u64,
}

impl Agents {
    /// The number of the next word, at this moment.
    pub(super) fn order(&mut self, now: Duration) -> u64 {
        let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        self.last = now.max(self.last.saturating_add(1));
        self.last
    }

    pub(super) fn hold(&mut self, slot: SlotId) {
        self.known.entry(slot).or_insert(Knows::Unsure);
    }

    pub(super) fn let_go(&mut self, slot: SlotId) {
        self.known.remove(&slot);
    }

    /// The agent has said that it knows this.
    pub(super) fn told(&mut self, slot: SlotId, word: Word) {
        if let Some(knows) = self.known.get_mut(&slot) {
            *knows = Knows::Told(word);
        }
    }

    /// The agent has shown that it does not know of leases.
    pub(super) fn untellable(&mut self, slot: SlotId) {
        if let Some(knows) = self.known.get_mut(&slot) {
            *knows = Knows::Nothing;
        }
    }

    /// Who does not know that this is the end.
    pub(super) fn untold(&self, word: &Word) -> Vec<SlotId> {
        let is_untold = |knows: &Knows| match knows {
            Knows::Unsure => word.ends_at.is_some(),
            Knows::Told(told) => (told.ends_at, told.span) != (word.ends_at, word.span),
            Knows::Nothing => false,
        };
        let untold = self.known.iter().filter(|(_, knows)| is_untold(knows));
        untold.map(|(slot, _)| *slot).collect()
    }

    /// Whether whoever can know an end knows one by a span no longer than this.
    pub(super) fn all_know(&self, span: Duration) -> bool {
        self.known.values().all(|knows| match knows {
            Knows::Unsure => false,
            Knows::Told(word) => word.span.is_some_and(|told| told <= span),
            Knows::Nothing => true,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Duration = Duration::from_mins(1);

    fn slot(number: u32) -> SlotId {
        SlotId::from_parts(number, [1; 8])
    }

    fn word(order: u64, ends_s: Option<u64>) -> Word {
        Word {
            order,
            ends_at: ends_s.map(Duration::from_secs),
            span: ends_s.map(|_| SPAN),
        }
    }

    #[test]
    fn an_agent_is_told_what_it_does_not_know_and_nothing_else() {
        let mut agents = Agents::default();
        agents.hold(slot(1));
        assert!(agents.untold(&word(1, None)).is_empty(), "as at its start");
        assert_eq!(agents.untold(&word(1, Some(60))), [slot(1)]);
        agents.told(slot(1), word(1, Some(60)));
        agents.hold(slot(1));
        assert!(agents.untold(&word(2, Some(60))).is_empty());
        assert_eq!(agents.untold(&word(3, Some(75))), [slot(1)]);
        assert_eq!(agents.untold(&word(4, None)), [slot(1)]);
        agents.untellable(slot(1));
        assert!(agents.untold(&word(5, Some(90))).is_empty());
        agents.told(slot(2), word(5, Some(90)));
        agents.let_go(slot(1));
        assert!(agents.untold(&word(5, Some(99))).is_empty(), "unheld");
    }

    #[test]
    fn a_span_is_known_when_all_know_it_who_can() {
        let mut agents = Agents::default();
        assert!(agents.all_know(SPAN));
        agents.hold(slot(1));
        agents.hold(slot(2));
        agents.untellable(slot(1));
        assert!(!agents.all_know(SPAN));
        agents.told(slot(2), word(1, None));
        assert!(!agents.all_know(SPAN));
        agents.told(slot(2), word(2, Some(60)));
        assert!(agents.all_know(SPAN) && agents.all_know(SPAN * 2));
        assert!(!agents.all_know(SPAN / 2));
    }

    #[test]
    fn numbers_grow_also_while_the_clock_stands_still() {
        let mut agents = Agents::default();
        let now = Duration::from_nanos(7);
        assert_eq!([agents.order(now), agents.order(now)], [7, 8]);
        assert_eq!(agents.order(Duration::from_nanos(100)), 100);
    }
}
