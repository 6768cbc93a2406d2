//! How a pool has been failing, and how long it is left alone for that.
//!
//! A failure counts when its machine was asked for after the last one that
//! counted: ten machines that fail together are one failure, and a machine that
//! cannot be given back does not fail again at every look. Until a machine has
//! stayed a node for a while, a pool that failed is tried with one at a time.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::facts::{Life, Machine, PoolFacts, Terms};
use crate::Timestamp;

/// How long a machine must have been a node to speak for its pool.
const STEADY: Duration = Duration::from_mins(1);

/// Failures of a pool since it last did well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Failures {
    /// How many.
    pub rounds: u32,
    /// When the last one was counted.
    pub last: Option<Timestamp>,
}

impl Failures {
    /// What they are after this look at the pool.
    #[must_use]
    pub(super) fn after(self, pool: &PoolFacts, now: Timestamp) -> Self {
        let newer = |machine: &&Machine| self.last.is_none_or(|last| machine.asked_at > last);
        let mut newer = pool.machines.iter().filter(newer);
        if newer.clone().any(|one| has_failed(one, &pool.terms, now)) {
            Self {
                rounds: self.rounds.saturating_add(1),
                last: Some(now),
            }
        } else if newer.any(|machine| is_steady(machine, now)) {
            Self { rounds: 0, ..self }
        } else {
            self
        }
    }

    /// Until when nothing is asked of the pool.
    pub fn pause_until(&self, terms: &Terms) -> Option<Timestamp> {
        let last = self.last.filter(|_| self.rounds > 0)?;
        let doubled = 2_u32.saturating_pow(self.rounds.saturating_sub(1));
        let pause = terms.retry_first.saturating_mul(doubled);
        Some(last + pause.min(terms.retry_most))
    }
}

fn has_failed(machine: &Machine, terms: &Terms, now: Timestamp) -> bool {
    machine.life == Life::Failed || machine.is_late(terms, now) || machine.is_lost(terms, now)
}

fn is_steady(machine: &Machine, now: Timestamp) -> bool {
    let node = matches!(machine.life, Life::Busy | Life::Idle(_) | Life::Held);
    node && machine.joined_at.is_some_and(|at| now >= at + STEADY)
}
