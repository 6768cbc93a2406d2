//! The stage on which everybody acts: true time, the queue of what will
//! happen, chance, the network, the trace. It knows none of the actors.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::network::{Body, End, Message, Network};
use super::rng::Rng;
use super::trace::{Note, Trace};
use super::{Event, Guard, Invariant, SimOptions};
use crate::node::Timing;
use crate::{Timestamp, id};

/// Something that will happen.
#[derive(Debug)]
struct Due {
    at: u64,
    order: u64,
    event: Event,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// Everything that is nobody's own.
#[derive(Debug)]
pub(super) struct Stage {
    /// True time, in milliseconds since the history began.
    pub(super) now: u64,
    pub(super) rng: Rng,
    pub(super) network: Network,
    pub(super) trace: Trace,
    pub(super) timing: Timing,
    /// Whether faults are over.
    pub(super) calm: bool,
    /// The first invariant that was violated, and how.
    pub(super) violated: Option<(Invariant, String)>,
    without: Option<Guard>,
    queue: BinaryHeap<Reverse<Due>>,
    order: u64,
}

impl Stage {
    pub(super) fn new(seed: u64, options: SimOptions) -> Self {
        Self {
            now: 0,
            rng: Rng::new(seed),
            network: Network::default(),
            trace: Trace::new(),
            timing: Timing::of(super::HEARTBEAT),
            calm: false,
            violated: None,
            without: options.without,
            queue: BinaryHeap::new(),
            order: 0,
        }
    }

    /// Whether this guard is in place.
    pub(super) fn guards(&self, guard: Guard) -> bool {
        self.without != Some(guard)
    }

    /// Lets something happen at a time; not before now.
    pub(super) fn at(&mut self, time: u64, event: Event) {
        self.order += 1;
        self.queue.push(Reverse(Due {
            at: time.max(self.now),
            order: self.order,
            event,
        }));
    }

    /// Lets something happen after between `low` and `high` milliseconds.
    pub(super) fn after(&mut self, low: u64, high: u64, event: Event) {
        let delay = self.rng.within(low, high);
        self.at(self.now + delay, event);
    }

    /// What happens next; true time moves on to it.
    pub(super) fn next(&mut self) -> Option<Event> {
        let Reverse(due) = self.queue.pop()?;
        self.now = due.at;
        Some(due.event)
    }

    /// Hands something to the network.
    pub(super) fn send(&mut self, from: End, to: End, body: Body) {
        let [first, second] = self.network.delays(&mut self.rng, from, to);
        if let Some(delay) = second {
            let body = body.clone();
            let copy = Event::Arrive(Box::new(Message { from, to, body }));
            self.at(self.now + delay, copy);
        }
        if let Some(delay) = first {
            let message = Event::Arrive(Box::new(Message { from, to, body }));
            self.at(self.now + delay, message);
        }
    }

    /// Adds to the trace.
    pub(super) fn note(&mut self, note: Note) {
        self.trace.note(self.now, note);
    }

    /// Notes that something happened which must never happen.
    pub(super) fn violate(&mut self, invariant: Invariant, text: impl FnOnce() -> String) {
        if self.violated.is_none() {
            self.violated = Some((invariant, super::trace::brief(&text())));
        }
    }

    /// True time on a wall clock that is `skew` milliseconds ahead.
    pub(super) fn wall(&self, skew: i64) -> Timestamp {
        let now = i64::try_from(self.now).unwrap_or(i64::MAX);
        Timestamp::from_ms(1_000_000 + now + skew)
    }

    /// A boot id; ids of later boots may sort before those of earlier ones,
    /// as they do on a machine whose clock was set back.
    pub(super) fn boot(&mut self) -> id::BootId {
        let random = self.rng.next().to_be_bytes();
        let mut bytes = [0; 10];
        bytes[..8].copy_from_slice(&random);
        id::BootId::from_parts(self.rng.within(0, 1_000), bytes)
    }
}
