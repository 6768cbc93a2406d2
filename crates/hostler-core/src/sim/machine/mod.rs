//! A machine and the node daemon on it.
//!
//! The disk outlives the daemon and, unless it is lost, the machine's power.
//! Agents (`agents`) outlive the daemon and die with the power. What the daemon
//! itself remembers begins anew with each start: the lease, and on which order
//! or renewal each entry relies.

mod agents;
mod beats;
mod orders;
mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub(super) use agents::Agent;

use super::stage::Stage;
use super::trace::Note;
use super::{Event, Spec};
use crate::id::{BootId, NodeId, WorkloadId};
use crate::node::HeldLease;
use crate::workload::{NodeGoal, SeenState};
use crate::{Generation, Resources};

/// A monotonic clock: begun at some time, and a little fast or slow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Monotonic {
    /// What it showed when the history began, in milliseconds.
    pub(super) offset: u64,
    /// Its milliseconds per 1,000 true ones.
    pub(super) rate: u64,
}

impl Monotonic {
    pub(super) fn at(self, now: u64) -> Duration {
        Duration::from_millis(self.offset + now * self.rate / 1_000)
    }

    /// The true time at which it shows this, in milliseconds.
    pub(super) fn when(self, shown: Duration) -> u64 {
        let shown = u64::try_from(shown.as_millis()).unwrap_or(u64::MAX);
        (shown.saturating_sub(self.offset).saturating_mul(1_000)).div_ceil(self.rate)
    }
}

/// An entry of the ledger, on disk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    pub(super) generation: Generation,
    pub(super) goal: NodeGoal,
    pub(super) spec: Spec,
    /// How it ended for good, if it did.
    pub(super) outcome: Option<SeenState>,
}

/// What survives a loss of power.
#[derive(Debug, Default)]
pub(super) struct Disk {
    pub(super) node: Option<NodeId>,
    pub(super) span: Option<Duration>,
    pub(super) ledger: BTreeMap<WorkloadId, Record>,
}

/// What the daemon remembers of an entry; times are its monotonic clock's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    /// When the order was followed or a renewal confirmed its process; `None`
    /// for what was found on disk and has no process.
    pub(super) relies_on: Option<Duration>,
    pub(super) written_at: Duration,
    pub(super) restarts: u32,
}

/// A running node daemon.
#[derive(Debug)]
pub(super) struct Daemon {
    pub(super) boot: BootId,
    pub(super) sequence: u64,
    pub(super) lease: HeldLease,
    pub(super) known: BTreeMap<WorkloadId, Known>,
    /// The agents that know an end of their lease.
    pub(super) knowing: BTreeSet<u64>,
}

/// A machine.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) at: usize,
    pub(super) clock: Monotonic,
    pub(super) capacity: Resources,
    pub(super) powered: bool,
    /// Raised whenever the daemon dies.
    pub(super) life: u32,
    pub(super) stalled_until: u64,
    pub(super) disk: Disk,
    pub(super) agents: Vec<Agent>,
    pub(super) daemon: Option<Daemon>,
    /// How often agents were told something: its clock, as far as that matters.
    words: u64,
    /// The highest order followed for each workload since the disk was new,
    /// as remembered by nobody but the check.
    highest: BTreeMap<WorkloadId, (Generation, bool)>,
}

impl Machine {
    pub(super) fn new(at: usize, clock: Monotonic, capacity: Resources) -> Self {
        Self {
            at,
            clock,
            capacity,
            powered: false,
            life: 0,
            stalled_until: 0,
            disk: Disk::default(),
            agents: Vec::new(),
            daemon: None,
            words: 0,
            highest: BTreeMap::new(),
        }
    }

    /// Starts the daemon on what disk and agents hold.
    pub(super) fn daemon_start(&mut self, stage: &mut Stage) {
        let now = self.clock.at(stage.now);
        let boot = stage.boot();
        let span = self.disk.span;
        let lease = HeldLease::new(boot, span, stage.timing.fence_after);
        let known = Known {
            relies_on: span.is_none().then_some(now),
            written_at: now,
            restarts: 0,
        };
        let known = self.disk.ledger.keys().map(|id| (*id, known)).collect();
        self.daemon = Some(Daemon {
            boot,
            sequence: 0,
            lease,
            known,
            knowing: BTreeSet::new(),
        });
        let (machine, life) = (self.at, self.life);
        stage.after(1, 200, Event::Beat { machine, life });
        self.adopt(stage);
    }

    /// Takes up what was going on when the last daemon died.
    fn adopt(&mut self, stage: &mut Stage) {
        let (machine, life) = (self.at, self.life);
        for agent in &self.agents {
            let (ended, agent) = (agent.exit.is_some(), agent.number);
            if ended {
                stage.after(
                    1,
                    20,
                    Event::Notice {
                        machine,
                        life,
                        agent,
                    },
                );
            } else {
                stage.after(
                    1,
                    20,
                    Event::Stopped {
                        machine,
                        life,
                        agent,
                    },
                );
            }
        }
        for workload in self.disk.ledger.keys().copied() {
            stage.after(
                1,
                100,
                Event::Start {
                    machine,
                    life,
                    workload,
                },
            );
        }
    }

    /// Kills the daemon; agents and disk stay.
    pub(super) fn daemon_kill(&mut self) {
        self.daemon = None;
        self.life += 1;
    }

    /// The ledger is found to be unreadable. The daemon guesses nothing: it
    /// holds nothing, and takes it that its lease has an end.
    pub(super) fn ledger_tear(&mut self, stage: &Stage) {
        self.disk.ledger.clear();
        self.highest.clear();
        self.disk.span = Some(self.disk.span.unwrap_or(stage.timing.fence_after));
    }

    /// Cuts the power, and perhaps loses the disk with it.
    pub(super) fn power_off(&mut self, disk_lost: bool) {
        self.daemon_kill();
        self.powered = false;
        self.agents.clear();
        if disk_lost {
            self.disk = Disk::default();
            self.highest.clear();
        }
    }

    /// Joins the fleet as this node. What is held from an earlier membership
    /// and does not run is held no more.
    pub(super) fn join(&mut self, stage: &mut Stage, node: NodeId) {
        stage.note(Note::Joined(self.at, node));
        self.disk.node = Some(node);
        for (id, record) in &mut self.disk.ledger {
            let runs = self.agents.iter().any(|agent| agent.runs(*id));
            if record.goal == NodeGoal::Running && !runs {
                record.goal = NodeGoal::Gone;
            }
        }
    }
}
