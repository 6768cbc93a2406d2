//! What each pool grows by: for queued work, for its floor, to be warm; and
//! which removals are called off for that.

use super::bins::{Bin, bins};
use super::facts::{DemandFacts, Life, PoolFacts, Queued};
use super::failures::Failures;
use super::headroom::Headroom;
use super::why::Why;
use crate::id::WorkloadId;
use crate::{Resources, Timestamp};

/// A pool while a plan is made.
#[derive(Clone, Debug)]
pub(super) struct Growing<'a> {
    pub(super) bins: Vec<Bin<'a>>,
    pub(super) headroom: Headroom,
    /// Whether queued work could use its machines.
    pub(super) is_wanted: bool,
    /// New machines for queued work, for the floor, to be warm.
    pub(super) added: [u32; 3],
    /// Why the pool does not grow as it should.
    pub(super) held_back: Option<Why>,
    /// How much work machines are bought for, and what it needs together.
    pub(super) bought_for: (u32, Resources),
    /// Machines that stay, besides those in `bins`.
    staying: usize,
}

/// Machines that will be there if nothing more is taken away.
#[derive(Clone, Copy, Debug)]
pub(super) struct Supply {
    /// All of them.
    pub(super) machines: usize,
    /// Those of them that nothing is meant for.
    pub(super) spare: usize,
    /// Whether queued work could use them.
    pub(super) is_wanted: bool,
}

impl<'a> Growing<'a> {
    fn of(pool: &PoolFacts, failures: Failures, now: Timestamp) -> Self {
        let stays = |life| match life {
            Life::Busy | Life::Held | Life::Draining { empty: false } => true,
            Life::Silent(since) => now < since + pool.terms.lost_after,
            _ => false,
        };
        Self {
            bins: bins(pool, failures.rounds > 0, now),
            headroom: Headroom::of(pool, failures, now),
            is_wanted: false,
            added: [0; 3],
            held_back: None,
            bought_for: (0, Resources::default()),
            staying: pool.machines.iter().filter(|one| stays(one.life)).count(),
        }
    }

    /// Buys a machine for work.
    pub(super) fn buy(&mut self, work: &'a Queued, mut bin: Bin<'a>) {
        bin.put(work);
        self.bins.push(bin);
        self.added[DEMAND] += 1;
        self.count(work);
    }

    /// Counts work for which a machine is bought.
    pub(super) fn count(&mut self, work: &Queued) {
        let (works, needs) = self.bought_for;
        self.bought_for = (works.saturating_add(1), needs.plus(work.needs));
    }

    pub(super) fn supply(&self) -> Supply {
        Supply {
            machines: self.staying + self.bins.iter().filter(|bin| bin.stays()).count(),
            spare: self.bins.iter().filter(|bin| bin.is_spare()).count(),
            is_wanted: self.is_wanted,
        }
    }

    /// Has one machine more, for nothing in particular: a removal that is
    /// called off, or a new one, which is counted under `purpose`. A pool that
    /// has its most calls none off: another would have to go for it.
    fn another(&mut self, pool: &PoolFacts, purpose: usize) -> bool {
        let is_full = self.supply().machines >= pool.terms.max as usize;
        let mut leaving = self.bins.iter_mut().filter(|_| !is_full);
        if let Some(bin) = leaving.find(|bin| !bin.stays()) {
            bin.is_called_back = true;
            return true;
        }
        match self.headroom.take() {
            Ok(()) => {
                self.bins.push(Bin::of(self.headroom.source(), &pool.terms));
                self.added[purpose] += 1;
                true
            }
            Err(why) => {
                self.held_back = Some(why);
                false
            }
        }
    }

    /// The floor, then what is to be warm.
    fn fill(&mut self, pool: &PoolFacts) {
        let (min, warm) = (pool.terms.min as usize, pool.terms.warm as usize);
        while self.supply().machines < min && self.another(pool, FLOOR) {}
        while self.supply().spare < warm && self.another(pool, WARM) {}
    }
}

/// Places in [`Growing::added`].
pub(super) const DEMAND: usize = 0;
pub(super) const FLOOR: usize = 1;
pub(super) const WARM: usize = 2;

/// All pools while a plan is made.
#[derive(Debug)]
pub(super) struct Growth<'a> {
    pub(super) facts: &'a DemandFacts,
    pub(super) pools: Vec<Growing<'a>>,
    pub(super) unmet: Vec<(WorkloadId, Why)>,
}

impl<'a> Growth<'a> {
    pub(super) fn new(facts: &'a DemandFacts, failures: &[Failures]) -> Self {
        let growing = facts.pools.iter().zip(failures);
        let pools = growing.map(|(pool, failures)| Growing::of(pool, *failures, facts.now));
        Self {
            facts,
            pools: pools.collect(),
            unmet: Vec::new(),
        }
    }

    /// Grows each pool to its floor and its warm number.
    pub(super) fn fill(&mut self) {
        for (growing, pool) in self.pools.iter_mut().zip(&self.facts.pools) {
            growing.fill(pool);
        }
    }
}
