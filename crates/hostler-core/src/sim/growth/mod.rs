//! A fleet that grows and shrinks, in memory: the real decisions of `runner`
//! (what each pool is to have, where a machine is in its life, which machines
//! nobody knows of) and of `placement`, driven through seeded histories of a
//! provider that does what providers do.
//!
//! | File | What it is |
//! |---|---|
//! | `stage` | true time, what will happen, chance, the trace |
//! | `cloud` | the provider: what truly exists, and how calls to it go wrong |
//! | `store` | the rows, and the transactions that change them |
//! | `look` | from rows and a list of machines to the facts of a decision |
//! | `manager` | a control plane: passes, single acts, calls and their answers |
//! | `machine` | machines that boot, join, beat, flap and die |
//! | `people` | work that comes and goes, and its placement |
//! | `fault` | what breaks, and when it is mended |
//! | `check` | what must hold after every step, and in the end |
//!
//! Invariants, by what truly exists and never by reports: no pool has more
//! machines than it may, nor more on their way, nor any that nobody asked for
//! (I10, T22); no machine with work on it is taken away, none for good below the
//! floor, and none that is only slow (I10, T23, T24); nothing of ours is left over and
//! nothing of others is touched (I5, T21); and when faults have stopped, all
//! work that a sound pool can hold has a seat and all else is gone (I9). The
//! same seed gives the same history (I12).

mod act;
mod check;
mod cloud;
mod fault;
mod look;
mod machine;
mod manager;
mod people;
mod stage;
mod store;
mod world;

#[cfg(test)]
mod tests;

use super::Outcome;

/// How long things go wrong, in simulated milliseconds.
const TROUBLE: u64 = 100 * MINUTE;

/// How long after that everything must be as wanted: until a slow machine that
/// never joins is given up, a pause, a slow trial, and two rounds of slow boots.
const SETTLE: u64 = 110 * MINUTE;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;

/// One of the rules that keep a growing fleet in bounds. With one taken out,
/// some history goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GrowthGuard {
    /// A pool has a most, in all and on their way.
    RunawayBound,
    /// A machine is given back only once its node is empty and closed.
    EmptyFirst,
    /// That a machine is given back is written down before it is.
    FinalFirst,
    /// A pool keeps its floor.
    Floor,
    /// A machine's name follows from its job, so that asking again asks for it.
    DerivedNames,
    /// Only what carries exactly our mark is swept.
    OwnershipTag,
    /// A pool says how long its machines boot.
    BootTime,
}

impl GrowthGuard {
    /// Every guard.
    pub const ALL: [Self; 7] = [
        Self::RunawayBound,
        Self::EmptyFirst,
        Self::FinalFirst,
        Self::Floor,
        Self::DerivedNames,
        Self::OwnershipTag,
        Self::BootTime,
    ];
}

/// What a history is made of besides its seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrowthOptions {
    /// How much goes wrong: 0 nothing, 100 most of the time.
    pub faults: u64,
    /// The guard that is left out, to show that it is needed.
    pub without: Option<GrowthGuard>,
}

impl Default for GrowthOptions {
    fn default() -> Self {
        Self {
            faults: 50,
            without: None,
        }
    }
}

/// Plays the history of a seed to its end.
pub fn run(seed: u64, options: &GrowthOptions) -> Outcome {
    world::World::new(seed, *options).play()
}

/// Something that happens. A `life` is the number of the start of the manager
/// it happens to: what was planned in an earlier life does not happen.
#[derive(Clone, Debug)]
enum Event {
    /// A manager looks at everything.
    Pass { manager: usize, life: u32 },
    /// A manager does one thing that it decided a moment ago.
    Act {
        manager: usize,
        life: u32,
        act: act::Act,
    },
    /// A call reaches the provider.
    Call {
        manager: usize,
        life: u32,
        call: cloud::Call,
    },
    /// The provider's answer, or the end of waiting for it.
    Answer {
        manager: usize,
        life: u32,
        call: cloud::Call,
        answer: cloud::Answer,
    },
    /// A machine has booted.
    Boot(cloud::InstanceNumber),
    /// A machine's node daemon sends a heartbeat.
    Beat(cloud::InstanceNumber),
    /// A machine is gone from the provider.
    Gone(cloud::InstanceNumber),
    /// Work is placed, and lost work is taken back.
    Place,
    /// A seat is given that was decided a moment ago.
    Seat(crate::id::WorkloadId, crate::id::NodeId),
    /// People bring work.
    Bring,
    /// Work is done.
    Done(crate::id::WorkloadId),
    /// Something breaks.
    Break,
    /// A manager starts again.
    Start(usize),
    /// Faults are over.
    Calm,
    /// Everything is looked at, to see whether it is as wanted.
    Judge,
}
