//! Whole fleets in memory: the real decisions of this crate, driven through
//! seeded histories of everything that goes wrong.
//!
//! A world holds one SQL store with its transactions, one or two
//! control planes, machines with their node daemons, agents and disks, people
//! who ask for things, and a network. It does one event at a time. Control
//! planes and node daemons only carry out what `workload`, `node`, `operation`
//! and `placement` decide, so what is shown here is shown of the product.
//!
//! | File | What it is |
//! |---|---|
//! | `world` | who there is, and who takes which event |
//! | `stage` | true time, what will happen, chance |
//! | `network` | what is said, and how it gets lost |
//! | `store` | the rows, and the transactions that change them |
//! | `control` | a control plane: passes and answers |
//! | `machine` | a machine, its node daemon, and its processes with their agents |
//! | `user` | people: wishes, repeated until told |
//! | `fault` | what breaks, and when it is mended |
//! | `check` | what must hold after every step, and in the end |
//! | `growth` | another world: a fleet that grows and shrinks with its work |
//! | `vms` | another world: VMs, whose disks stay where they are |
//!
//! Invariants, checked after every event by true time and never by reports:
//! at most one running process per workload (I1); an acknowledged create is
//! never forgotten (I2); reservations and processes fit their machine (I3); no
//! effect of an order older than one followed (I4); nothing runs of what was
//! erased (I5); and when faults have stopped, everything comes to be as wanted
//! within [`SETTLE`] milliseconds (I9). The same seed gives the same history (I12).

mod check;
mod control;
mod fault;
pub mod growth;
mod machine;
mod network;
mod rng;
mod stage;
mod store;
mod trace;
mod user;
pub mod vms;
mod world;

use std::fmt;
use std::time::Duration;

use crate::id::WorkloadId;
use crate::node::Beat;
use crate::workload::{OnNodeLoss, SeenState};
use crate::{Generation, Resources};

/// Between two heartbeats, in simulated time.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// How long things go wrong, in simulated milliseconds.
const TROUBLE: u64 = 40_000;

/// How long after that everything must be as wanted, in simulated milliseconds.
pub const SETTLE: u64 = 60_000;

/// One of the rules that make a fleet safe. Each is needed: with one taken
/// out, some history goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Guard {
    /// A node refuses an order of an older generation.
    GenerationCheck,
    /// A seat is given only if its capacity is free in that transaction.
    ConditionalSeat,
    /// A node remembers what it was told to drop.
    Tombstone,
    /// Leased work is stopped when the lease of its node ends.
    Fence,
    /// Agents know that end, and stop by themselves what a dead node leaves.
    AgentsKnow,
    /// A node names a span only once every agent knows an end by it.
    AgentsFirst,
    /// A node does not follow an order to run that was held up.
    FreshOrder,
    /// A lease has an end only once the node has said that it knows.
    NamedSpan,
    /// A step is decided again in the transaction that carries it out.
    SecondLook,
}

impl Guard {
    /// Every guard.
    pub const ALL: [Self; 9] = [
        Self::GenerationCheck,
        Self::ConditionalSeat,
        Self::Tombstone,
        Self::Fence,
        Self::AgentsKnow,
        Self::AgentsFirst,
        Self::FreshOrder,
        Self::NamedSpan,
        Self::SecondLook,
    ];
}

/// What a history is made of besides its seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SimOptions {
    /// How much goes wrong: 0 nothing, 100 most of the time.
    pub faults: u32,
    /// The guard that is left out, to show that it is needed.
    pub without: Option<Guard>,
}

impl Default for SimOptions {
    fn default() -> Self {
        Self {
            faults: 60,
            without: None,
        }
    }
}

/// What must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Invariant {
    /// I1: at most one running process per workload.
    OneInstance,
    /// I2: an acknowledged create is never forgotten, nor made twice.
    NothingForgotten,
    /// I3: reservations and processes fit their machine.
    Capacity,
    /// I4: no effect of an order older than one followed.
    NoOldOrder,
    /// I5: nothing is left of what was deleted.
    NothingLeft,
    /// I9: after faults stop, everything comes to be as wanted.
    Converges,
    /// I10: no more machines than asked for and allowed, none taken away that
    /// is needed.
    NoRunaway,
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OneInstance => "I1 at most one running instance",
            Self::NothingForgotten => "I2 nothing acknowledged is forgotten",
            Self::Capacity => "I3 no more reserved than there is",
            Self::NoOldOrder => "I4 no effect of an older order",
            Self::NothingLeft => "I5 nothing left of what was deleted",
            Self::Converges => "I9 converges after faults stop",
            Self::NoRunaway => "I10 grows and shrinks within bounds",
        })
    }
}

/// The first thing that went wrong in a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What should have held.
    pub invariant: Invariant,
    /// The history it happened in.
    pub seed: u64,
    /// After how many events.
    pub step: u64,
    /// What was seen.
    pub text: String,
    /// What happened before, one line each.
    pub tail: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            invariant,
            seed,
            step,
            text,
            tail,
        } = self;
        writeln!(f, "seed {seed}, step {step}: {invariant}: {text}")?;
        tail.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}

/// What came of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How many events it had.
    pub steps: u64,
    /// A number that depends on everything that happened, in its order.
    pub hash: u64,
    /// What went wrong, if anything did; the history ends there.
    pub violation: Option<Violation>,
}

/// Plays the history of a seed to its end.
pub fn run(seed: u64, options: &SimOptions) -> Outcome {
    world::World::new(seed, *options).play()
}

/// What a workload is, as far as the simulation cares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Spec {
    resources: Resources,
    on_node_loss: OnNodeLoss,
    essential: bool,
}

/// What a node says of one workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    workload: WorkloadId,
    generation: Generation,
    state: SeenState,
}

/// Something that happens. A `life` is the number of the start of the program
/// it happens to: what was planned in an earlier life does not happen.
#[derive(Clone, Debug)]
enum Event {
    /// A message comes to its end.
    Arrive(Box<network::Message>),
    /// A control plane looks at everything.
    Pass { control: usize, life: u32 },
    /// A control plane does what it decided a moment ago.
    Act {
        control: usize,
        life: u32,
        act: control::Act,
    },
    /// A node daemon sends a heartbeat.
    Beat { machine: usize, life: u32 },
    /// A process is ready to be started.
    Start {
        machine: usize,
        life: u32,
        workload: WorkloadId,
    },
    /// A process that was told to stop has done so.
    Stopped {
        machine: usize,
        life: u32,
        agent: u64,
    },
    /// A process ends by itself.
    Exit {
        machine: usize,
        agent: u64,
        code: i32,
    },
    /// An agent looks at the end of its lease.
    Fence { machine: usize, agent: u64 },
    /// An agent is told the end of its lease, and the daemon that it knows.
    Told {
        machine: usize,
        life: u32,
        agent: u64,
        order: u64,
        ends_at: Option<Duration>,
    },
    /// A node daemon notices that a process has ended.
    Notice {
        machine: usize,
        life: u32,
        agent: u64,
    },
    /// People want something.
    Wish,
    /// Something breaks.
    Break,
    /// This breaks.
    Strike(fault::Fault),
    /// Something broken is mended.
    Mend(fault::Mend),
    /// Faults are over.
    Calm,
    /// Everything is looked at, to see whether it is as wanted.
    Judge,
}

#[cfg(test)]
mod tests;
