//! What a pool's growth comes to, as decisions.

use super::bins::Source;
use super::facts::{Life, PoolFacts};
use super::grow::{DEMAND, FLOOR, Growing, WARM};
use super::why::Why;
use super::{Act, Decision};
use crate::runner::RunnerId;

/// The decisions that make a pool grow, or keep what was to go.
pub(super) fn say(pool: &PoolFacts, growing: &Growing<'_>) -> Vec<Decision> {
    let terms = &pool.terms;
    let (works, needs) = growing.bought_for;
    let reasons = [
        (DEMAND, Why::Demand { works, needs }),
        (FLOOR, Why::Floor { min: terms.min }),
        (WARM, Why::Warm { warm: terms.warm }),
    ];
    let added = reasons
        .into_iter()
        .map(|(at, why)| (Act::Add(growing.added[at]), why))
        .filter(|(act, _)| *act != Act::Add(0));
    let held_back = growing.held_back.clone().map(|why| (Act::Nothing, why));
    let decision = |(act, why)| Decision {
        pool: terms.name.clone(),
        act,
        why,
    };
    let kept = kept(pool, growing).into_iter();
    kept.chain(added).chain(held_back).map(decision).collect()
}

/// Machines whose removal is called off.
fn kept(pool: &PoolFacts, growing: &Growing<'_>) -> Vec<(Act, Why)> {
    let bins = growing.bins.iter().filter(|bin| bin.stays());
    let needed = bins.filter_map(|bin| match bin.source {
        Source::Draining(at) => Some(pool.machines[at].id.clone()),
        _ => None,
    });
    let occupied = pool.machines.iter().filter_map(|machine| {
        let is_so = machine.life == Life::Draining { empty: false };
        is_so.then(|| machine.id.clone())
    });
    let kept: [(Vec<RunnerId>, Why); 2] = [
        (occupied.collect(), Why::WorkArrived),
        (needed.collect(), Why::NeededAgain),
    ];
    let some = kept.into_iter().filter(|(ids, _)| !ids.is_empty());
    some.map(|(ids, why)| (Act::Keep(ids), why)).collect()
}
