//! The aisles of a fleet, of which only the lately asked are kept filled.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::aisle::{Aisle, Question};
use super::sight::Sight;
use super::yard::Yard;

/// A question, and its aisle while that is filled.
#[derive(Clone, Debug)]
struct Entry {
    question: Arc<Question>,
    aisle: Option<Aisle>,
    /// Steps walked elsewhere since this aisle was last up to date.
    debt: usize,
    /// When it was last asked, counted in asks.
    asked: u64,
}

/// All aisles, by number.
#[derive(Clone, Debug, Default)]
pub(super) struct Aisles {
    entries: Vec<Entry>,
    numbers: BTreeMap<Arc<Question>, usize>,
    asks: u64,
    filled: usize,
    /// The most that are kept filled.
    most: usize,
}

impl Aisles {
    /// No aisles; at most `most` will be filled at once.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most: most.max(1),
            ..Self::default()
        }
    }

    /// The number of the aisle that answers this.
    pub(super) fn number(&mut self, question: Question) -> usize {
        if let Some(number) = self.numbers.get(&question) {
            return *number;
        }
        let question = Arc::new(question);
        self.numbers
            .insert(Arc::clone(&question), self.entries.len());
        self.entries.push(Entry {
            question,
            aisle: None,
            debt: 0,
            asked: 0,
        });
        self.entries.len() - 1
    }

    /// How many nodes this aisle must look at before it may be asked.
    pub(super) fn due(&self, number: usize, yard: &Yard) -> usize {
        let aisle = self.entries[number].aisle.as_ref();
        aisle.map_or(yard.len(), |aisle| aisle.due(yard))
    }

    /// Steps walked elsewhere since this aisle was last up to date.
    pub(super) fn debt(&self, number: usize) -> usize {
        self.entries[number].debt
    }

    /// Notes that so many steps were walked elsewhere instead of asking here.
    pub(super) fn debt_add(&mut self, number: usize, steps: usize) {
        let debt = &mut self.entries[number].debt;
        *debt = debt.saturating_add(steps);
    }

    /// The aisle, up to date.
    pub(super) fn fresh(&mut self, number: usize, sight: Sight<'_>) -> &Aisle {
        self.asks += 1;
        if self.entries[number].aisle.is_none() {
            self.make_room();
            self.filled += 1;
        }
        let entry = &mut self.entries[number];
        entry.asked = self.asks;
        entry.debt = 0;
        if let Some(aisle) = &mut entry.aisle {
            aisle.catch_up(sight);
        }
        let question = &entry.question;
        let aisle = &mut entry.aisle;
        aisle.get_or_insert_with(|| Aisle::of(Arc::clone(question), sight))
    }

    /// Empties the aisle that was asked longest ago, if too many are filled.
    fn make_room(&mut self) {
        if self.filled < self.most {
            return;
        }
        let filled = self
            .entries
            .iter_mut()
            .filter(|entry| entry.aisle.is_some());
        if let Some(oldest) = filled.min_by_key(|entry| entry.asked) {
            oldest.aisle = None;
            self.filled -= 1;
        }
    }
}
