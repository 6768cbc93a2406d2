//! The closed loop's decision: how many machines each pool is to have more,
//! and which of them are to go. One total function over facts; whoever carries
//! the plan out asks again after every change, and loses nothing by asking
//! twice.
//!
//! ```text
//!  queued work ─▶ idle ▸ being drained ▸ booting ▸ new machine of the cheapest pool
//!                 (no cost)  (kept)     (no cost)   (added, within the pool's bounds)
//!  then per pool: floor ▸ warm ▸ what failed goes ▸ what nobody needs goes
//! ```
//!
//! What must never happen: more machines in a pool than its `max`, or more that
//! are not nodes yet than its `in_flight`, by any sequence of facts; a machine
//! bought for work that a machine more does not help; a machine taken away that
//! queued work could use, or that the floor or the warm number needs.

mod bins;
mod facts;
mod failures;
mod grow;
mod headroom;
mod kinds;
mod life;
mod pack;
mod say;
mod shrink;
mod why;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tables;

use grow::Growth;

pub use facts::{DemandFacts, Life, Machine, Obstacle, PoolFacts, Queued, Terms};
pub use failures::Failures;
pub use life::{NodeSight, Removal, Sight, life};
pub use why::Why;

use super::{PoolName, RunnerId};
use crate::id::WorkloadId;

/// What to do about a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Ask for so many machines more.
    Add(u32),
    /// Take these away.
    Remove(Vec<RunnerId>),
    /// Call the removal of these off.
    Keep(Vec<RunnerId>),
    /// Something is wanted and cannot be done now.
    Nothing,
}

/// One thing to do about a pool, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The pool.
    pub pool: PoolName,
    /// What to do.
    pub act: Act,
    /// Why.
    pub why: Why,
}

/// Everything to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DemandPlan {
    /// What to do about each pool, in the order of the pools.
    pub decisions: Vec<Decision>,
    /// Work that no pool will help now, and why.
    pub unmet: Vec<(WorkloadId, Why)>,
    /// How each pool has been failing, to be kept and handed in the next time.
    pub failures: Vec<(PoolName, Failures)>,
}

/// What to do at `facts.now`.
pub fn plan(facts: &DemandFacts) -> DemandPlan {
    let failures: Vec<Failures> = facts
        .pools
        .iter()
        .map(|pool| pool.failures.after(pool, facts.now))
        .collect();
    let mut growth = Growth::new(facts, &failures);
    growth.pack();
    growth.fill();
    let mut plan = DemandPlan::default();
    for (at, pool) in facts.pools.iter().enumerate() {
        let growing = &growth.pools[at];
        plan.decisions.extend(say::say(pool, growing));
        let supply = growing.supply();
        plan.decisions
            .extend(shrink::shrink(pool, supply, facts.now));
        plan.failures.push((pool.terms.name.clone(), failures[at]));
    }
    plan.unmet = growth.unmet;
    plan
}
