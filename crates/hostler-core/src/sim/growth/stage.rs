//! The stage on which everybody acts: true time, the queue of what will
//! happen, chance, the trace. It knows none of the actors.

use std::collections::BTreeMap;

use super::super::Invariant;
use super::super::rng::Rng;
use super::super::trace::Trace;
use super::{Event, GrowthGuard, GrowthOptions};
use crate::Timestamp;
use crate::id::{NodeId, WorkloadId};
use crate::runner::RunnerId;
use crate::runner::demand::Act;

/// One thing that happened.
#[derive(Clone, Debug, Hash)]
pub(super) enum Note {
    /// Work came.
    Brought(WorkloadId),
    /// Work ended.
    Done(WorkloadId),
    /// Work was given a seat, or not.
    Seat(WorkloadId, NodeId, bool),
    /// The loop decided something for a pool, and why.
    Decided(usize, Decided, &'static str),
    /// An act of a manager; whether it changed anything.
    Acted(usize, super::act::Act, bool),
    /// A call took effect, or not.
    Called(super::cloud::Call, super::cloud::Answer),
    /// A machine joined as a node.
    Joined(RunnerId, NodeId),
    /// A machine was gone.
    Gone(RunnerId),
    /// Something broke.
    Fault(super::fault::Fault),
    /// Faults are over.
    Calm,
}

/// A decision without the names, for the trace.
#[derive(Clone, Debug, Hash)]
pub(super) enum Decided {
    Add(u32),
    Remove(usize),
    Keep(usize),
    Nothing,
}

impl From<&Act> for Decided {
    fn from(act: &Act) -> Self {
        match act {
            Act::Add(number) => Self::Add(*number),
            Act::Remove(them) => Self::Remove(them.len()),
            Act::Keep(them) => Self::Keep(them.len()),
            Act::Nothing => Self::Nothing,
        }
    }
}

/// Everything that is nobody's own.
#[derive(Debug)]
pub(super) struct Stage {
    /// True time, in milliseconds since the history began.
    pub(super) now: u64,
    pub(super) rng: Rng,
    pub(super) trace: Trace<Note>,
    /// Whether faults are over.
    pub(super) calm: bool,
    /// How much goes wrong while they are not.
    pub(super) faults: u64,
    /// The first invariant that was violated, and how.
    pub(super) violated: Option<(Invariant, String)>,
    without: Option<GrowthGuard>,
    queue: BTreeMap<(u64, u64), Event>,
    order: u64,
}

impl Stage {
    pub(super) fn new(seed: u64, options: GrowthOptions) -> Self {
        Self {
            now: 0,
            rng: Rng::new(seed),
            trace: Trace::new(),
            calm: false,
            faults: options.faults,
            violated: None,
            without: options.without,
            queue: BTreeMap::new(),
            order: 0,
        }
    }

    /// Whether this guard is in place.
    pub(super) fn guards(&self, guard: GrowthGuard) -> bool {
        self.without != Some(guard)
    }

    /// Lets something happen at a time; not before now.
    pub(super) fn at(&mut self, time: u64, event: Event) {
        self.order += 1;
        self.queue.insert((time.max(self.now), self.order), event);
    }

    /// Lets something happen after between `low` and `high` milliseconds.
    pub(super) fn after(&mut self, low: u64, high: u64, event: Event) {
        let delay = self.rng.within(low, high);
        self.at(self.now + delay, event);
    }

    /// What happens next; true time moves on to it.
    pub(super) fn next(&mut self) -> Option<Event> {
        let ((at, _), event) = self.queue.pop_first()?;
        self.now = at;
        Some(event)
    }

    /// Whether something goes wrong that does so in `percent` of all cases
    /// while half of everything goes wrong.
    pub(super) fn trouble(&mut self, percent: u64) -> bool {
        !self.calm && self.rng.chance(percent * self.faults / 50)
    }

    /// Adds to the trace.
    pub(super) fn note(&mut self, note: Note) {
        self.trace.note(self.now, note);
    }

    /// Notes that something happened which must never happen.
    pub(super) fn violate(&mut self, invariant: Invariant, text: impl FnOnce() -> String) {
        if self.violated.is_none() {
            self.violated = Some((invariant, text()));
        }
    }

    /// True time on the wall clock.
    pub(super) fn wall(&self) -> Timestamp {
        wall(self.now)
    }
}

/// A true time on the wall clock.
pub(super) fn wall(ms: u64) -> Timestamp {
    Timestamp::from_ms(i64::try_from(ms).unwrap_or(i64::MAX))
}
