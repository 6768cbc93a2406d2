//! Queued work by kind: equal work is matched with pools once, and goes on
//! looking for room where the last of its kind found some. That is what keeps
//! a decision over a thousand requests within milliseconds.

use std::collections::BTreeMap;

use super::facts::{PoolFacts, Queued};
use crate::Labels;

/// What makes work equal for packing.
type Key<'a> = (u64, u64, &'a Labels, Option<&'a str>);

/// One kind of work.
#[derive(Clone, Debug)]
pub(super) struct Kind {
    /// The pools whose machines could take it, the cheapest first, each with
    /// the first bin that may still have room for it.
    pub(super) pools: Vec<(usize, usize)>,
}

/// The kinds of all queued work, and which kind each is of.
pub(super) fn kinds(queued: &[&Queued], pools: &[PoolFacts]) -> (Vec<Kind>, Vec<usize>) {
    let cheapest = cheapest_first(pools);
    let mut kinds = Vec::new();
    let mut known: BTreeMap<Key<'_>, usize> = BTreeMap::new();
    let mut of = Vec::with_capacity(queued.len());
    for work in queued.iter().copied() {
        let kind = known.entry(key(work)).or_insert_with(|| {
            let suits = |at: &&usize| pools[**at].terms.suits(work);
            let pools = cheapest.iter().filter(suits).map(|at| (*at, 0)).collect();
            kinds.push(Kind { pools });
            kinds.len() - 1
        });
        of.push(*kind);
    }
    (kinds, of)
}

fn key(work: &Queued) -> Key<'_> {
    let (cpu, memory) = (work.needs.cpu.as_millis(), work.needs.memory.get());
    (cpu, memory, &work.labels, work.apart.as_deref())
}

/// By price, then by name.
fn cheapest_first(pools: &[PoolFacts]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..pools.len()).collect();
    order.sort_by_key(|at| (pools[*at].terms.price, &pools[*at].terms.name));
    order
}

/// Queued work, the largest first (first-fit decreasing): measured by whichever
/// of processor and memory is the greater part of the largest machine.
pub(super) fn largest_first<'a>(queued: &'a [Queued], pools: &[PoolFacts]) -> Vec<&'a Queued> {
    let machines = pools.iter().map(|pool| pool.terms.machine);
    let cpu = machines.clone().map(|one| one.cpu.as_millis()).max();
    let memory = machines.map(|one| one.memory.get()).max();
    let part = |of: u64, whole: Option<u64>| {
        u128::from(of) * 1_000_000 / u128::from(whole.unwrap_or_default().max(1))
    };
    let size = |work: &Queued| {
        let of_cpu = part(work.needs.cpu.as_millis(), cpu);
        of_cpu.max(part(work.needs.memory.get(), memory))
    };
    let mut sorted: Vec<&Queued> = queued.iter().collect();
    sorted.sort_by_cached_key(|work| (std::cmp::Reverse(size(work)), work.workload));
    sorted
}
