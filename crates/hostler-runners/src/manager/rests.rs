//! Pools that had no capacity lately. Known to this process only: after a
//! restart each is asked once, and says so again.

use std::sync::{Mutex, MutexGuard, PoisonError};

use hostler_core::Timestamp;
use hostler_core::runner::{PoolName, Reason, Rest, Rests, RunnerPool, pool_instead, rest_after};
use std::collections::BTreeMap;

#[derive(Default)]
struct Known {
    rests: Rests,
    reasons: BTreeMap<PoolName, Reason>,
}

/// The pools that rest.
#[derive(Default)]
pub(super) struct PoolRests(Mutex<Known>);

impl PoolRests {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The pool said that it has no capacity.
    pub(super) fn refused(&self, pool: &RunnerPool, reason: &Reason, now: Timestamp) {
        let mut known = self.known();
        let before = known.rests.get(&pool.name).copied();
        known
            .rests
            .insert(pool.name.clone(), rest_after(pool, before, now));
        known.reasons.insert(pool.name.clone(), reason.clone());
    }

    /// The pool gave a machine.
    pub(super) fn gave(&self, pool: &PoolName) {
        let mut known = self.known();
        known.rests.remove(pool);
        known.reasons.remove(pool);
    }

    /// Its rest and why, if it rests at `now`.
    pub(super) fn of(&self, pool: &PoolName, now: Timestamp) -> Option<(Rest, Option<Reason>)> {
        let known = self.known();
        let rest = known
            .rests
            .get(pool)
            .copied()
            .filter(|rest| now < rest.until)?;
        Some((rest, known.reasons.get(pool).cloned()))
    }

    /// Which pool to ask instead.
    pub(super) fn instead(
        &self,
        pool: &RunnerPool,
        tried: &[PoolName],
        now: Timestamp,
    ) -> Option<PoolName> {
        pool_instead(pool, tried, &self.known().rests, now)
    }
}
