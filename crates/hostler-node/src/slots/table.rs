//! Which slots there are and what each is for. In memory only: the machines
//! are the driver's, and that a slot is claimed is a file.
//!
//! All steps of a slot's life happen here under one short lock, so that of
//! two that want the same slot one gets it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hostler_core::Timestamp;
use hostler_core::id::SlotId;
use hostler_core::pool::{Slot, SlotState};
use tokio::sync::{Notify, futures::Notified};
use tokio::time::Instant;

use super::SlotCounts;
use super::place::{Place, Stage};

/// The slots of a node.
#[derive(Debug)]
pub(crate) struct Table {
    places: Mutex<Places>,
    changed: Notify,
    /// The zero of this table's time, which no clock setting moves.
    zero: Instant,
}

#[derive(Debug, Default)]
pub(super) struct Places {
    pub(super) slots: HashMap<SlotId, Place>,
    /// When slots were asked for lately.
    asked: VecDeque<Timestamp>,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            places: Mutex::default(),
            changed: Notify::new(),
            zero: Instant::now(),
        }
    }
}

impl Table {
    /// The time by which slots are dated.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_ms(0) + self.zero.elapsed()
    }

    /// Adds a slot.
    pub(crate) fn insert(&self, id: SlotId, stage: Stage) {
        let now = self.now();
        let mut slot = Slot::boot(id, now);
        // Steps in their order, which a new slot can always take.
        if matches!(stage, Stage::Ready | Stage::Claimed) {
            let _ = slot.shake_hands(now);
        }
        if stage == Stage::Claimed {
            let _ = slot.claim();
        }
        let place = Place::new(slot, stage);
        self.places().slots.insert(id, place);
        self.changed.notify_waiters();
    }

    /// Notes a handshake; false for a slot that waits for none. An agent that
    /// repeats its handshake is told the same again.
    pub(crate) fn handshake(&self, slot: SlotId) -> bool {
        let now = self.now();
        self.step(slot, |place| match place.stage() {
            Stage::Booting => place.slot.shake_hands(now).is_ok(),
            Stage::Found | Stage::Ready | Stage::Claimed => true,
            Stage::Releasing => false,
        })
    }

    /// Makes a slot ready that an earlier life left; false if it is gone.
    pub(crate) fn found_ready(&self, slot: SlotId) -> bool {
        let now = self.now();
        self.step(slot, |place| {
            let ready = place.stage() == Stage::Found && place.slot.shake_hands(now).is_ok();
            place.found &= !ready;
            ready
        })
    }

    /// Notes that a slot is asked for; `window` is how long that counts.
    pub(crate) fn asked(&self, window: Duration) {
        let now = self.now();
        let asked = &mut self.places().asked;
        while asked
            .front()
            .is_some_and(|first| now.since(*first) >= window)
        {
            asked.pop_front();
        }
        asked.push_back(now);
    }

    /// Hands out the slot that has been ready longest.
    pub(crate) fn claim(&self) -> Option<SlotId> {
        let mut places = self.places();
        let ready = |place: &&mut Place| place.stage() == Stage::Ready;
        let since = |place: &&mut Place| match place.slot.state() {
            SlotState::Ready(since) => (since, place.slot.id()),
            _ => (Timestamp::NEVER, place.slot.id()),
        };
        let place = places.slots.values_mut().filter(ready).min_by_key(since)?;
        place.slot.claim().ok()?;
        Some(place.slot.id())
    }

    /// The lock under which a slot is made or ended.
    pub(crate) fn closing(&self, slot: SlotId) -> Option<Arc<tokio::sync::Mutex<()>>> {
        let places = self.places();
        places
            .slots
            .get(&slot)
            .map(|place| Arc::clone(&place.closing))
    }

    /// Takes a slot that nobody has claimed away from the pool; false if
    /// somebody was faster.
    pub(crate) fn retire(&self, slot: SlotId) -> bool {
        self.step(slot, |place| {
            let idle = matches!(place.stage(), Stage::Booting | Stage::Ready);
            place.releasing |= idle;
            idle
        })
    }

    /// Begins to end a slot, or goes on with it; says what it was.
    pub(crate) fn release(&self, slot: SlotId) -> Option<Stage> {
        let mut places = self.places();
        let place = places.slots.get_mut(&slot)?;
        let was = place.stage();
        place.artifact = None;
        place.releasing = true;
        drop(places);
        self.changed.notify_waiters();
        Some(was)
    }

    /// Forgets a slot of which nothing is left.
    pub(crate) fn remove(&self, slot: SlotId) {
        self.places().slots.remove(&slot);
        self.changed.notify_waiters();
    }

    /// Where a slot is in its life.
    pub(crate) fn stage(&self, slot: SlotId) -> Option<Stage> {
        self.places().slots.get(&slot).map(Place::stage)
    }

    /// Wakes at the next change; enable it before looking.
    pub(crate) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// Every slot.
    pub(crate) fn slots(&self) -> Vec<SlotId> {
        self.places().slots.keys().copied().collect()
    }

    /// The slots as the core sees them, and when slots were asked for. One
    /// that is being ended takes up room as a claimed one does.
    pub(crate) fn demand(&self) -> (Vec<Slot>, Vec<Timestamp>) {
        let places = self.places();
        let seen = places.slots.values().map(|place| {
            let mut slot = place.slot;
            if place.releasing {
                // Refused for one that is further already, which is as well.
                let _ = slot.shake_hands(Timestamp::from_ms(0));
                let _ = slot.claim();
            }
            slot
        });
        (seen.collect(), places.asked.iter().copied().collect())
    }

    /// How many of each kind.
    pub(crate) fn counts(&self) -> SlotCounts {
        let mut counts = SlotCounts::default();
        for place in self.places().slots.values() {
            match place.stage() {
                Stage::Found | Stage::Booting => counts.booting += 1,
                Stage::Ready => counts.ready += 1,
                Stage::Claimed | Stage::Releasing => counts.claimed += 1,
            }
        }
        counts
    }

    pub(super) fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a step that may be refused, and tells those who wait for one.
    fn step(&self, slot: SlotId, step: impl FnOnce(&mut Place) -> bool) -> bool {
        let taken = self.places().slots.get_mut(&slot).is_some_and(step);
        if taken {
            self.changed.notify_waiters();
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(number: u32) -> SlotId {
        SlotId::from_parts(number, [7; 8])
    }

    #[test]
    fn only_a_slot_that_shook_hands_is_handed_out_and_only_once() {
        let table = Table::default();
        table.insert(slot(1), Stage::Booting);
        assert_eq!(table.claim(), None);
        assert!(table.handshake(slot(1)));
        assert_eq!(table.claim(), Some(slot(1)));
        assert!(table.handshake(slot(1)));
        assert_eq!(table.claim(), None);
        assert!(!table.retire(slot(1)));
        assert_eq!(table.release(slot(1)), Some(Stage::Claimed));
        assert!(!table.handshake(slot(1)));
        assert_eq!(table.claim(), None);
        table.remove(slot(1));
        assert!(!table.handshake(slot(1)));
        assert_eq!(table.stage(slot(1)), None);
    }

    #[test]
    fn a_slot_taken_from_the_pool_is_not_handed_out() {
        let table = Table::default();
        table.insert(slot(1), Stage::Ready);
        assert!(table.retire(slot(1)));
        assert_eq!(table.claim(), None);
        assert_eq!(table.demand().0[0].state(), SlotState::Claimed);
    }

    #[test]
    fn a_slot_that_was_found_is_ready_when_it_was_looked_at_and_not_before() {
        let table = Table::default();
        table.insert(slot(1), Stage::Found);
        assert!(table.handshake(slot(1)));
        assert_eq!(table.claim(), None);
        assert!(table.found_ready(slot(1)));
        assert_eq!(table.claim(), Some(slot(1)));
        assert!(!table.found_ready(slot(1)));
    }

    #[test]
    fn the_slot_that_waited_longest_goes_first() {
        let table = Table::default();
        for number in [1, 2, 3] {
            table.insert(slot(number), Stage::Ready);
        }
        assert_eq!(table.claim(), Some(slot(1)));
        assert_eq!(table.claim(), Some(slot(2)));
        assert_eq!(table.counts().ready, 1);
        assert_eq!(table.counts().claimed, 2);
    }
}
