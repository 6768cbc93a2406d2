//! What holds for all facts: no runaway, nothing needed is taken away, and
//! deciding again changes nothing.

use proptest::prelude::*;

use super::facts::{DemandFacts, Life, Machine, Obstacle, PoolFacts, Queued};
use super::failures::Failures;
use super::fixtures::{MINUTE, NOW, at, facts, pool, work};
use super::{Act, Decision, DemandPlan, Why, plan};
use crate::Resources;
use crate::runner::RunnerId;

fn life() -> impl Strategy<Value = Life> {
    let ago = || (0..30_i64).prop_map(|minutes| at(NOW - minutes * MINUTE));
    prop_oneof![
        3 => Just(Life::Booting),
        3 => Just(Life::Busy),
        3 => ago().prop_map(Life::Idle),
        1 => Just(Life::Held),
        1 => any::<bool>().prop_map(|empty| Life::Draining { empty }),
        1 => ago().prop_map(Life::Silent),
        1 => Just(Life::Failed),
        1 => Just(Life::Leaving),
    ]
}

prop_compose! {
    fn a_pool()(
        name in "[a-e]",
        lives in prop::collection::vec((life(), 0..40_i64, any::<bool>()), 0..8),
        (min, max, warm) in (0..4_u32, 0..9_u32, 0..3_u32),
        (in_flight, price, slots) in (0..5_u32, 0..3_u64, 0..5_u32),
        cores in 1..5_u64,
        (rounds, ago) in (0..4_u32, prop::option::of(0..20_i64)),
        open in prop::bool::weighted(0.9),
    ) -> PoolFacts {
        let mut facts = pool(&name).with(|terms| {
            (terms.min, terms.max, terms.warm) = (min.min(max), max, warm);
            (terms.in_flight, terms.price, terms.slots) = (in_flight, price, slots);
            (terms.machine, terms.open) = (Resources::of(cores * 1_000, 4_096), open);
        });
        facts.failures = Failures { rounds, last: ago.map(|ago| at(NOW - ago * MINUTE)) };
        facts.scaled_at = ago.map(|ago| at(NOW - ago * 10_000));
        for (number, (life, minutes, joined)) in lives.into_iter().enumerate() {
            let joined = joined || !matches!(life, Life::Booting | Life::Failed | Life::Leaving);
            let joined = joined && life != Life::Booting;
            facts.machines.push(Machine {
                id: format!("{name}-{number}").parse().unwrap(),
                life,
                asked_at: at(NOW - minutes * MINUTE),
                joined_at: joined.then(|| at(NOW - minutes * MINUTE / 2)),
            });
        }
        facts
    }
}

prop_compose! {
    fn some_work()(
        (cpu, memory) in (1..30_u64, 1..40_u64),
        label in prop::option::of("[a-e]"),
        apart in prop::option::weighted(0.3, "[xy]"),
        near in prop::bool::weighted(0.1),
        seconds in 0..60_i64,
    ) -> Queued {
        let mut queued = work(0);
        queued.needs = Resources::of(cpu * 100, memory * 64);
        queued.labels.extend(label.map(|label| ("pool".to_owned(), label)));
        queued.apart = apart;
        queued.since = at(NOW - seconds * 1_000);
        if near {
            queued.obstacle = Obstacle::Nearness;
        }
        queued
    }
}

prop_compose! {
    fn a_world()(
        mut queued in prop::collection::vec(some_work(), 0..25),
        mut pools in prop::collection::vec(a_pool(), 0..4),
    ) -> DemandFacts {
        for (number, one) in (0..).zip(&mut queued) {
            one.workload = work(number).workload;
        }
        pools.sort_by(|one, other| one.terms.name.cmp(&other.terms.name));
        pools.dedup_by(|one, other| one.terms.name == other.terms.name);
        facts(queued, pools)
    }
}

fn of<'a>(plan: &'a DemandPlan, pool: &'a PoolFacts) -> impl Iterator<Item = &'a Decision> {
    plan.decisions
        .iter()
        .filter(|one| one.pool == pool.terms.name)
}

fn added(plan: &DemandPlan, pool: &PoolFacts) -> usize {
    let number = |one: &Decision| match one.act {
        Act::Add(number) => number as usize,
        _ => 0,
    };
    of(plan, pool).map(number).sum()
}

fn flying(pool: &PoolFacts) -> usize {
    let flies = |one: &&Machine| {
        matches!(one.life, Life::Booting | Life::Failed | Life::Leaving) && one.joined_at.is_none()
    };
    pool.machines.iter().filter(flies).count()
}

/// Those that are taken away although they work.
fn spared<'a>(plan: &'a DemandPlan, pool: &'a PoolFacts) -> Vec<&'a Machine> {
    let gone = of(plan, pool).filter_map(|one| match (&one.act, &one.why) {
        (Act::Remove(ids), Why::Idle { .. } | Why::AboveMax { .. }) => Some(ids),
        _ => None,
    });
    let find = |id: &RunnerId| pool.machines.iter().find(|one| one.id == *id).unwrap();
    gone.flatten().map(find).collect()
}

/// The facts after the plan was carried out, at the same moment.
fn carried_out(facts: &DemandFacts, plan: &DemandPlan) -> DemandFacts {
    let mut after = facts.clone();
    for pool in &mut after.pools {
        let adds = added(plan, pool);
        for number in 0..adds {
            let id = format!("{}-new-{}-{number}", pool.terms.name, pool.machines.len());
            pool.machines.push(Machine {
                id: id.parse().unwrap(),
                life: Life::Booting,
                asked_at: facts.now,
                joined_at: None,
            });
        }
        for decision in of(plan, pool).cloned().collect::<Vec<_>>() {
            for machine in &mut pool.machines {
                match &decision.act {
                    Act::Keep(ids) if ids.contains(&machine.id) => machine.life = Life::Busy,
                    Act::Remove(ids) if ids.contains(&machine.id) => machine.life = Life::Leaving,
                    _ => (),
                }
            }
        }
        let state = plan
            .failures
            .iter()
            .find(|(name, _)| *name == pool.terms.name);
        pool.failures = state.unwrap().1;
        pool.scaled_at = Some(facts.now);
    }
    after
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_pool_grows_beyond_its_bounds(facts in a_world()) {
        let plan = plan(&facts);
        for pool in &facts.pools {
            let added = added(&plan, pool);
            if added > 0 {
                prop_assert!(pool.machines.len() + added <= pool.terms.max as usize);
                prop_assert!(flying(pool) + added <= pool.terms.in_flight as usize);
                prop_assert!(pool.terms.open);
                let failures = plan.failures.iter().find(|(name, _)| *name == pool.terms.name);
                let pause = failures.unwrap().1.pause_until(&pool.terms);
                prop_assert!(pause.is_none_or(|until| until <= facts.now));
            }
        }
    }

    #[test]
    fn no_more_is_bought_than_demand_floor_and_warm_numbers_ask_for(facts in a_world()) {
        let plan = plan(&facts);
        let all: usize = facts.pools.iter().map(|pool| added(&plan, pool)).sum();
        let asked = facts.queued.iter().filter(|one| one.obstacle == Obstacle::NoPlace).count();
        let kept: u32 = facts.pools.iter().map(|pool| pool.terms.min + pool.terms.warm).sum();
        let trials = plan.failures.iter().filter(|(_, failures)| failures.rounds > 0).count();
        let bound = asked + kept as usize + trials;
        prop_assert!(all <= bound, "{all} for {asked}, {kept} and {trials} trials");
    }

    #[test]
    fn nothing_needed_is_taken_away(facts in a_world()) {
        let plan = plan(&facts);
        for pool in &facts.pools {
            let spared = spared(&plan, pool);
            if spared.is_empty() {
                continue;
            }
            prop_assert_eq!(added(&plan, pool), 0, "nothing is bought and sold at once");
            let is_idle = |one: &&Machine| matches!(one.life, Life::Idle(_));
            prop_assert!(spared.iter().all(is_idle));
            let wants = |one: &Queued| one.obstacle == Obstacle::NoPlace && pool.terms.suits(one);
            prop_assert!(!facts.queued.iter().any(wants), "queued work could use it");
            let serves = |one: &&Machine| {
                !matches!(one.life, Life::Failed | Life::Leaving | Life::Draining { empty: true })
                    && !one.is_late(&pool.terms, facts.now)
                    && !one.is_lost(&pool.terms, facts.now)
            };
            let left = pool.machines.iter().filter(serves).count() - spared.len();
            prop_assert!(left >= pool.terms.min as usize);
        }
    }

    #[test]
    fn what_was_decided_is_not_decided_again(facts in a_world()) {
        let mut facts = facts;
        for _ in 0..4 {
            let plan = plan(&facts);
            facts = carried_out(&facts, &plan);
        }
        let again = plan(&facts);
        let acts = again.decisions.iter().filter(|one| one.act != Act::Nothing);
        prop_assert_eq!(acts.collect::<Vec<_>>(), Vec::<&Decision>::new());
    }

    #[test]
    fn the_order_of_facts_does_not_matter(facts in a_world()) {
        let mut turned = facts.clone();
        turned.queued.reverse();
        turned.pools.reverse();
        turned.pools.iter_mut().for_each(|pool| pool.machines.reverse());
        let (one, other) = (plan(&facts), plan(&turned));
        prop_assert_eq!(&one.unmet, &other.unmet);
        for pool in &facts.pools {
            prop_assert_eq!(added(&one, pool), added(&other, pool));
        }
    }
}
