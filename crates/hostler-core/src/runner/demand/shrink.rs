//! What each pool loses: what failed, at once; and what nobody has needed for
//! long enough, down to its floor and its warm number, never while queued work
//! could use it.

use super::facts::{Life, Machine, PoolFacts};
use super::grow::Supply;
use super::why::Why;
use super::{Act, Decision};
use crate::Timestamp;

/// The decisions that make a pool smaller.
pub(super) fn shrink(pool: &PoolFacts, supply: Supply, now: Timestamp) -> Vec<Decision> {
    let terms = &pool.terms;
    let (within, after) = (terms.boot_within, terms.lost_after);
    let some = |test: &dyn Fn(&Machine) -> bool| -> Vec<&Machine> {
        pool.machines.iter().filter(|one| test(one)).collect()
    };
    let groups = [
        (
            some(&|one| one.is_late(terms, now)),
            Why::NeverJoined { within },
        ),
        (some(&|one| one.is_lost(terms, now)), Why::Lost { after }),
        (some(&|one| one.life == Life::Failed), Why::Failed),
        unneeded(pool, supply, now),
    ];
    let some = groups.into_iter().filter(|(them, _)| !them.is_empty());
    some.map(|(them, why)| decision(pool, &them, why)).collect()
}

fn decision(pool: &PoolFacts, them: &[&Machine], why: Why) -> Decision {
    Decision {
        pool: pool.terms.name.clone(),
        act: Act::Remove(them.iter().map(|one| one.id.clone()).collect()),
        why,
    }
}

/// Idle machines that may go, the newest first: they are the cheapest to lose.
fn unneeded(pool: &PoolFacts, supply: Supply, now: Timestamp) -> (Vec<&Machine>, Why) {
    let terms = &pool.terms;
    let (max, idle_for) = (terms.max, terms.idle_for);
    let is_over = supply.machines > max as usize;
    let mut idle: Vec<&Machine> = pool
        .machines
        .iter()
        .filter(|one| is_over || is_idle(one, pool, now))
        .filter(|one| matches!(one.life, Life::Idle(_)))
        .collect();
    idle.sort_by_key(|one| (std::cmp::Reverse(one.asked_at), &one.id));
    let rested = pool.scaled_at.is_none_or(|at| now >= at + terms.cool_down);
    idle.truncate(if supply.is_wanted || !rested {
        0
    } else if is_over {
        supply.machines - max as usize
    } else {
        surplus(pool, supply)
    });
    let over = Why::AboveMax { max };
    let why = if is_over {
        over
    } else {
        Why::Idle { idle_for }
    };
    (idle, why)
}

fn is_idle(machine: &Machine, pool: &PoolFacts, now: Timestamp) -> bool {
    matches!(machine.life, Life::Idle(since) if now >= since + pool.terms.idle_for)
}

/// How many the pool can spare, floor and warm number kept.
fn surplus(pool: &PoolFacts, supply: Supply) -> usize {
    let above_floor = supply.machines.saturating_sub(pool.terms.min as usize);
    above_floor.min(supply.spare.saturating_sub(pool.terms.warm as usize))
}
