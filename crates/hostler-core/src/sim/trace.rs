//! What happened, in order: every note goes into the history's hash, and the
//! last few are kept to be shown when something is violated.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::hash::{Hash, Hasher};

use uuid::Uuid;

use super::fault::Fault;
use super::network::End;
use super::store::Verb;
use crate::Generation;
use crate::id::{NodeId, WorkloadId};
use crate::operation::OperationStep;
use crate::workload::{NodeGoal, SeenState, Step, Verdict};

/// One thing that happened.
#[derive(Clone, Debug, Hash)]
pub(super) enum Note {
    /// A heartbeat was written down.
    Heard(NodeId, u64),
    /// An order arrived, and what was made of it.
    Order(End, WorkloadId, Generation, NodeGoal, Verdict),
    /// A node's word about a workload was kept.
    Seen(NodeId, WorkloadId, Generation, SeenState),
    /// A process was started.
    Started(usize, WorkloadId, Generation),
    /// A process was gone, and how.
    Gone(usize, WorkloadId, Generation, &'static str),
    /// A pass decided on a step.
    Decided(usize, WorkloadId, Generation, Step),
    /// A step was carried out; whether it changed anything.
    Carried(usize, WorkloadId, Step, bool),
    /// A seat was asked for; whether it was given.
    Seat(usize, WorkloadId, NodeId, bool),
    /// A step of an operation.
    Operation(usize, NodeId, OperationStep),
    /// A person asked for something.
    Asked(Verb),
    /// A person was told that a request was carried out.
    Told(u32, WorkloadId),
    /// A machine joined as this node.
    Joined(usize, NodeId),
    /// Something broke.
    Fault(Fault),
    /// Everything broken was mended.
    Calm,
}

/// How many notes are kept to be shown.
const TAIL: usize = 60;

/// The history so far.
#[derive(Debug)]
pub(super) struct Trace<N = Note> {
    hash: Fnv,
    tail: VecDeque<(u64, N)>,
}

impl<N: Hash + Debug> Trace<N> {
    pub(super) fn new() -> Self {
        Self {
            hash: Fnv(0xcbf2_9ce4_8422_2325),
            tail: VecDeque::with_capacity(TAIL),
        }
    }

    /// Adds what happened at `now`.
    pub(super) fn note(&mut self, now: u64, note: N) {
        now.hash(&mut self.hash);
        note.hash(&mut self.hash);
        if self.tail.len() == TAIL {
            self.tail.pop_front();
        }
        self.tail.push_back((now, note));
    }

    /// A number that two histories share only if they are the same.
    pub(super) fn hash(&self) -> u64 {
        self.hash.finish()
    }

    /// The last notes, one line each.
    pub(super) fn tail(&self) -> Vec<String> {
        let line = |(now, note): &(u64, N)| brief(&format!("{now:>6} ms  {note:?}"));
        self.tail.iter().map(line).collect()
    }
}

/// Shortens the ids of the simulation, which are small numbers in a UUID.
pub(super) fn brief(text: &str) -> String {
    let mut words = Vec::new();
    for word in text.split_inclusive(&[' ', ',', '(', ')', '}'][..]) {
        let (kind, rest) = word.split_once(':').unwrap_or(("", word));
        let id = rest.get(..36).and_then(|id| Uuid::parse_str(id).ok());
        words.push(match id {
            Some(id) => format!("{kind}-{}{}", id.as_u128() >> 80, &rest[36..]),
            None => word.to_owned(),
        });
    }
    words.concat()
}

/// FNV-1a: the same on every machine, unlike the standard hasher.
#[derive(Debug)]
struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
