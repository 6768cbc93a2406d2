//! How many machines a pool may still be asked for in this look: the runaway
//! guard. Every machine that exists or may exist counts towards `max`, and
//! every one that is not and was not a node towards `in_flight`; so neither is
//! exceeded, whatever providers answer and however often this is asked.

use super::bins::Source;
use super::facts::{Life, PoolFacts};
use super::failures::Failures;
use super::why::Why;
use crate::Timestamp;

/// What is left of a pool's bounds.
#[derive(Clone, Debug)]
pub(super) struct Headroom {
    /// Machines until `max`.
    room: u32,
    max: u32,
    /// Machines until the bound on those in flight.
    flights: u32,
    in_flight: u32,
    /// Whether it failed lately and is only tried.
    trying: bool,
    /// Why nothing at all may be asked of it.
    barred: Option<Why>,
}

impl Headroom {
    pub(super) fn of(pool: &PoolFacts, failures: Failures, now: Timestamp) -> Self {
        let terms = &pool.terms;
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let flying = pool.machines.iter().filter(|machine| {
            let under_way = matches!(machine.life, Life::Booting | Life::Failed | Life::Leaving);
            under_way && machine.joined_at.is_none()
        });
        let trying = failures.rounds > 0;
        let in_flight = terms.in_flight.min(if trying { 1 } else { u32::MAX });
        Self {
            room: terms.max.saturating_sub(count(pool.machines.len())),
            max: terms.max,
            flights: in_flight.saturating_sub(count(flying.count())),
            in_flight,
            trying,
            barred: barred(pool, failures, now),
        }
    }

    /// What a machine is that is taken now.
    pub(super) const fn source(&self) -> Source {
        if self.trying {
            Source::Trial
        } else {
            Source::New
        }
    }

    /// Takes one machine, or says why there is none to be had.
    pub(super) fn take(&mut self) -> Result<(), Why> {
        if let Some(why) = &self.barred {
            return Err(why.clone());
        }
        if self.room == 0 {
            return Err(Why::AtMax { max: self.max });
        }
        if self.flights == 0 {
            return Err(Why::InFlight {
                bound: self.in_flight,
                trying: self.trying,
            });
        }
        self.room -= 1;
        self.flights -= 1;
        Ok(())
    }
}

fn barred(pool: &PoolFacts, failures: Failures, now: Timestamp) -> Option<Why> {
    if !pool.terms.open {
        return Some(Why::Closed);
    }
    let until = failures.pause_until(&pool.terms)?;
    let rounds = failures.rounds;
    (now < until).then_some(Why::BackedOff {
        rounds,
        left: until.since(now),
    })
}
