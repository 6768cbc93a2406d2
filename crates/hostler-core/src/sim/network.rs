//! The network: it loses, delays, repeats and reorders, and it parts those
//! who talk, in both directions or in one.

use std::time::Duration;

use super::rng::Rng;
use super::store::Verb;
use super::{Beat, Entry, Spec};
use crate::Generation;
use crate::id::{BootId, NodeId, WorkloadId};
use crate::workload::NodeGoal;

/// Somebody who can be sent something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum End {
    /// A control plane.
    Control(usize),
    /// A machine's node daemon.
    Machine(usize),
    /// The people.
    User,
}

/// What is said.
#[derive(Clone, Debug)]
pub(super) enum Body {
    /// A node's whole ledger, and the span it keeps to.
    Heartbeat {
        node: NodeId,
        beat: Beat,
        span: Option<Duration>,
        ledger: Vec<Entry>,
    },
    /// The answer: the span to keep to, and what may be forgotten.
    Answer {
        boot: BootId,
        sequence: u64,
        fence_after: Option<Duration>,
        forget: Vec<(WorkloadId, Generation)>,
    },
    /// The answer to a node that is not registered.
    Unknown(NodeId),
    /// What a node should hold, or drop.
    Order {
        workload: WorkloadId,
        generation: Generation,
        goal: NodeGoal,
        beat: Option<Beat>,
        spec: Spec,
    },
    /// The answer to an order.
    Word(NodeId, Entry),
    /// A person's wish.
    Ask(Verb),
    /// The answer to a wish to create.
    Created(u32, WorkloadId),
}

/// Something on its way.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) from: End,
    pub(super) to: End,
    pub(super) body: Body,
}

/// The longest time something is on its way, in milliseconds.
pub(super) const LONGEST: u64 = 14_000;

/// The state of the network.
#[derive(Debug, Default)]
pub(super) struct Network {
    /// How bad it is, 0 (all arrives soon) to 100.
    pub(super) trouble: u64,
    cuts: Vec<(End, End)>,
}

impl Network {
    /// Lets nothing through from one to the other.
    pub(super) fn cut(&mut self, from: End, to: End) {
        self.cuts.push((from, to));
    }

    /// Takes back one such cut.
    pub(super) fn heal(&mut self, from: End, to: End) {
        let at = self.cuts.iter().position(|cut| *cut == (from, to));
        at.map(|at| self.cuts.swap_remove(at));
    }

    /// Takes back all cuts and makes everything arrive soon.
    pub(super) fn mend(&mut self) {
        self.cuts.clear();
        self.trouble = 0;
    }

    /// How long each copy of a message is on its way, in milliseconds; none
    /// when it is lost.
    pub(super) fn delays(&self, rng: &mut Rng, from: End, to: End) -> [Option<u64>; 2] {
        let lost = self.cuts.contains(&(from, to)) || rng.chance(self.trouble / 6);
        let again = rng.chance(self.trouble / 8);
        let first = (!lost).then(|| self.delay(rng));
        let second = (again && !lost).then(|| self.delay(rng));
        [first, second]
    }

    fn delay(&self, rng: &mut Rng) -> u64 {
        if rng.chance(self.trouble / 16) {
            rng.within(1_000, LONGEST)
        } else if rng.chance(self.trouble / 6) {
            rng.within(50, 900)
        } else {
            rng.within(1, 20)
        }
    }
}
