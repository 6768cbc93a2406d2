//! What the closed loop decides from: work without a seat, pools, machines.

use std::fmt::Write as _;
use std::time::Duration;

use super::failures::Failures;
use crate::id::WorkloadId;
use crate::placement::{Refusal, Unit, carries};
use crate::runner::{PoolName, RunnerId, RunnerPool};
use crate::{Labels, Resources, Timestamp};

/// Whether a machine more would help work that has no seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Obstacle {
    /// No node has the room or the labels.
    NoPlace,
    /// It must be near to something that is elsewhere: a new machine is not.
    Nearness,
}

/// Work that no node can take now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    /// The work.
    pub workload: WorkloadId,
    /// What it takes from its machine, besides one slot.
    pub needs: Resources,
    /// Labels its machine must carry.
    pub labels: Labels,
    /// Work with the same word never shares a machine.
    pub apart: Option<String>,
    /// What keeps it from a seat.
    pub obstacle: Obstacle,
    /// Since when it has had none.
    pub since: Timestamp,
}

impl Queued {
    /// A unit that placement refused.
    pub fn of(unit: &Unit, refusal: &Refusal, since: Timestamp) -> Self {
        let wants_near = unit.rules.affinity.iter().any(|rule| rule.required);
        let obstacle = if wants_near && refusal.nodes > refusal.closed {
            Obstacle::Nearness
        } else {
            Obstacle::NoPlace
        };
        Self {
            workload: unit.id,
            needs: unit.resources,
            labels: unit.rules.node_labels.clone(),
            apart: apart(unit),
            obstacle,
            since,
        }
    }
}

/// The word that units share which keep their own kind from their node.
fn apart(unit: &Unit) -> Option<String> {
    let own = |rule: &&crate::placement::Affinity| {
        rule.required && rule.topology.is_none() && carries(&unit.labels, &rule.labels)
    };
    let rule = unit.rules.anti_affinity.iter().find(own)?;
    let mut word = unit.project.to_string();
    for (key, value) in &rule.labels {
        let _ = write!(word, " {key}={value}");
    }
    Some(word)
}

/// What a pool gives and takes at this moment, its schedule applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The pool.
    pub name: PoolName,
    /// Whether machines may be asked for now.
    pub open: bool,
    /// Labels that its nodes carry.
    pub labels: Labels,
    /// What work may take on one machine.
    pub machine: Resources,
    /// How many workloads one machine holds.
    pub slots: u32,
    /// The fewest machines, needed or not; not above `max`.
    pub min: u32,
    /// The most machines, whatever state they are in; it outweighs `min`.
    pub max: u32,
    /// How many idle machines are kept beyond what is needed.
    pub warm: u32,
    /// The most machines that were asked for and are not nodes yet.
    pub in_flight: u32,
    /// What a machine costs, in millionths an hour; the cheapest is taken.
    pub price: u64,
    /// How long a machine may take to become a node.
    pub boot_within: Duration,
    /// How long a node must have been idle to be taken away.
    pub idle_for: Duration,
    /// How long a node may be silent until its machine is given up.
    pub lost_after: Duration,
    /// No machine is taken away so long after the pool was last changed.
    pub cool_down: Duration,
    /// The pause after a first failure; each further one doubles it.
    pub retry_first: Duration,
    /// The longest pause after a failure.
    pub retry_most: Duration,
}

/// How long a node may be silent until its machine is given up: longer than
/// any lease, and than a machine takes to start again.
const LOST_AFTER: Duration = Duration::from_mins(10);

impl Terms {
    /// The terms of a pool at `now`.
    pub fn of(pool: &RunnerPool, now: Timestamp) -> Self {
        let bounds = pool.bounds_at(now);
        let ceiling = pool.price_ceiling_micros;
        Self {
            name: pool.name.clone(),
            open: ceiling.is_none_or(|ceiling| pool.price_micros <= ceiling),
            labels: pool.selector.clone(),
            machine: pool.shape,
            slots: pool.slots,
            min: bounds.min.min(bounds.max),
            max: bounds.max,
            warm: bounds.warm,
            in_flight: pool.boots_at_once,
            price: pool.price_micros,
            boot_within: pool.boot_within,
            idle_for: pool.idle_for,
            lost_after: LOST_AFTER,
            cool_down: pool.cool_down,
            retry_first: pool.retry_first,
            retry_most: pool.retry_most,
        }
    }

    /// Whether one of its machines, empty, could take this.
    pub fn suits(&self, work: &Queued) -> bool {
        self.slots > 0 && work.needs.fits(self.machine) && carries(&self.labels, &work.labels)
    }
}

/// Where a machine is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Life {
    /// Asked for; not a node that takes work yet.
    Booting,
    /// A node with work, or with work meant for it.
    Busy,
    /// A node without work, since then.
    Idle(Timestamp),
    /// A node that its operator has closed: not ours to touch.
    Held,
    /// A node being drained by this loop, to be taken away.
    Draining {
        /// Whether nothing is seated there.
        empty: bool,
    },
    /// A node that is not heard, since then.
    Silent(Timestamp),
    /// It will not be a node: refused, broken, gone.
    Failed,
    /// Being given back; it may still exist.
    Leaving,
}

/// A machine of a pool. One whose creation was decided is one, whether or not
/// the provider shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Its runner's id.
    pub id: RunnerId,
    /// Where it is in its life.
    pub life: Life,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// When it became a node.
    pub joined_at: Option<Timestamp>,
}

impl Machine {
    /// Whether it has not become a node in the time its pool grants.
    pub(super) fn is_late(&self, terms: &Terms, now: Timestamp) -> bool {
        self.life == Life::Booting && now >= self.asked_at + terms.boot_within
    }

    /// Whether it was a node and has been silent for too long.
    pub(super) fn is_lost(&self, terms: &Terms, now: Timestamp) -> bool {
        matches!(self.life, Life::Silent(since) if now >= since + terms.lost_after)
    }
}

/// A pool and all that is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolFacts {
    /// What it gives and takes now.
    pub terms: Terms,
    /// Its machines; those known to be gone are left out.
    pub machines: Vec<Machine>,
    /// How it has been failing.
    pub failures: Failures,
    /// When a machine was last added or taken away.
    pub scaled_at: Option<Timestamp>,
}

/// Everything the decision rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemandFacts {
    /// Work that placement refused in this same look at the fleet.
    pub queued: Vec<Queued>,
    /// The pools.
    pub pools: Vec<PoolFacts>,
    /// How long work must have been without a seat until a machine is bought.
    pub patience: Duration,
    /// The moment.
    pub now: Timestamp,
}
