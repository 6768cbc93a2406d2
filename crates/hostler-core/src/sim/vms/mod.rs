//! VMs in memory: the real decisions of `vm` and of leases, driven through
//! seeded histories in which messages are late and lost, node daemons die and
//! come back, whole nodes fall silent, and people change their minds. When the
//! faults have stopped, a row is lost, and its machine is adopted.
//!
//! | File | What it is |
//! |---|---|
//! | `world` | who there is, the network, chance, and time in ticks |
//! | `control` | the rows, the pass, and what heartbeats and answers change |
//! | `adopting` | a row that is lost with its database, and its adoption |
//! | `machine` | a machine: its daemon, its disks, what truly runs |
//!
//! Invariants, after every tick, by what truly is and never by reports: no VM
//! runs twice (I1); what is reserved fits its node (I3); no disk is given up
//! but on the goal *gone*, or by who may begin anew (I4); and when faults have
//! stopped, all is as wanted and nothing is left of the deleted (I9).

mod adopting;
mod control;
mod machine;
#[cfg(test)]
mod tests;
mod world;

use super::Outcome;

/// How long things go wrong, and how long all may take to settle, in ticks.
const TROUBLE: u64 = 600;
const SETTLE: u64 = 600;
/// Milliseconds of a tick; a heartbeat is ten.
const TICK: u64 = 100;

/// One of the rules that keep a VM single and its disk safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VmGuard {
    /// What a lease binds is switched off when it ends, also while the node's
    /// daemon is dead.
    Fence,
    /// A node follows no order to run that was held up.
    FreshOrder,
    /// That a node is lost is decided again in the transaction.
    SecondLook,
    /// A seat is given only if its room is free in that transaction.
    ConditionalSeat,
    /// A VM leaves a lost node only if it may begin anew.
    KeepDisk,
    /// What is adopted gets a generation above all that its node was told.
    AdoptAbove,
}

impl VmGuard {
    /// Every guard.
    pub const ALL: [Self; 6] = [
        Self::Fence,
        Self::FreshOrder,
        Self::SecondLook,
        Self::ConditionalSeat,
        Self::KeepDisk,
        Self::AdoptAbove,
    ];
}

/// What a history is made of besides its seed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VmOptions {
    /// The guard that is left out, to show that it is needed.
    pub without: Option<VmGuard>,
}

/// Plays the history of a seed to its end.
pub fn run(seed: u64, options: &VmOptions) -> Outcome {
    world::World::new(seed, *options).play()
}
