//! Facts for tests: a pool of machines of two cores, and work for one.

use std::time::Duration;

use super::facts::{DemandFacts, Life, Machine, Obstacle, PoolFacts, Queued, Terms};
use super::failures::Failures;
use crate::id::WorkloadId;
use crate::{Labels, Resources, Timestamp};

pub(super) const SECOND: i64 = 1_000;
pub(super) const MINUTE: i64 = 60 * SECOND;
/// Long after everything began.
pub(super) const NOW: i64 = 10_000 * MINUTE;

pub(super) fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms)
}

pub(super) fn pool(name: &str) -> PoolFacts {
    let terms = Terms {
        name: name.parse().unwrap(),
        open: true,
        labels: Labels::from([("pool".to_owned(), name.to_owned())]),
        machine: Resources::of(2_000, 2_048),
        slots: 4,
        min: 0,
        max: 10,
        warm: 0,
        in_flight: 5,
        price: 1,
        boot_within: Duration::from_mins(25),
        idle_for: Duration::from_mins(10),
        lost_after: Duration::from_mins(10),
        cool_down: Duration::from_mins(1),
        retry_first: Duration::from_secs(15),
        retry_most: Duration::from_mins(2),
    };
    PoolFacts {
        terms,
        machines: Vec::new(),
        failures: Failures::default(),
        scaled_at: None,
    }
}

impl PoolFacts {
    pub(super) fn with(mut self, change: impl FnOnce(&mut Terms)) -> Self {
        change(&mut self.terms);
        self
    }

    /// Machines in these states, asked for long ago, the earliest first; one
    /// that boots was asked for a minute ago.
    pub(super) fn has(mut self, lives: &[Life]) -> Self {
        for life in lives {
            let number = i64::try_from(self.machines.len()).unwrap();
            let asked = if *life == Life::Booting {
                MINUTE
            } else {
                1_000 * MINUTE
            };
            let joined = !matches!(life, Life::Booting | Life::Failed);
            self.machines.push(Machine {
                id: format!("{}-{number}", self.terms.name).parse().unwrap(),
                life: *life,
                asked_at: at(NOW - asked + number),
                joined_at: joined.then(|| at(NOW - 999 * MINUTE)),
            });
        }
        self
    }
}

/// Work that has been queued for a minute and takes one core.
pub(super) fn work(number: u64) -> Queued {
    Queued {
        workload: WorkloadId::from_parts(number, [0; 10]),
        needs: Resources::of(1_000, 256),
        labels: Labels::new(),
        apart: None,
        obstacle: Obstacle::NoPlace,
        since: at(NOW - MINUTE),
    }
}

pub(super) fn works(number: u64) -> Vec<Queued> {
    (0..number).map(work).collect()
}

pub(super) fn facts(queued: Vec<Queued>, pools: Vec<PoolFacts>) -> DemandFacts {
    DemandFacts {
        queued,
        pools,
        patience: Duration::from_secs(5),
        now: at(NOW),
    }
}
