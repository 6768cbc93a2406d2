//! The closed loop as tables: what is queued, what there is, what to do.

use std::time::Duration;

use super::facts::{Life, Obstacle, PoolFacts, Queued};
use super::failures::Failures;
use super::fixtures::{MINUTE, NOW, SECOND, at, facts, pool, work, works};
use super::{Act, plan};
use crate::Resources;
use Life::{Booting, Busy, Draining, Failed, Held, Idle, Leaving, Silent};

/// What is done, as `pool: act, code` in order, and the codes of unmet work.
#[track_caller]
fn check(queued: Vec<Queued>, pools: Vec<PoolFacts>, expected: &[&str]) {
    let plan = plan(&facts(queued, pools));
    let decisions = plan.decisions.iter().map(|one| {
        let ids = |ids: &[crate::runner::RunnerId]| {
            let ids: Vec<&str> = ids.iter().map(crate::runner::RunnerId::as_str).collect();
            ids.join(" ")
        };
        let act = match &one.act {
            Act::Add(number) => format!("add {number}"),
            Act::Remove(them) => format!("remove {}", ids(them)),
            Act::Keep(them) => format!("keep {}", ids(them)),
            Act::Nothing => "nothing".to_owned(),
        };
        format!("{}: {act}, {}", one.pool, one.why.code())
    });
    let unmet = plan
        .unmet
        .iter()
        .map(|(_, why)| format!("unmet, {}", why.code()));
    let said: Vec<String> = decisions.chain(unmet).collect();
    assert_eq!(said, expected, "{plan:?}");
}

const LONG_IDLE: Life = Idle(at_const(NOW - 11 * MINUTE));
const JUST_IDLE: Life = Idle(at_const(NOW - MINUTE));
const EMPTY: Life = Draining { empty: true };

const fn at_const(ms: i64) -> crate::Timestamp {
    crate::Timestamp::from_ms(ms)
}

#[test]
fn queued_work_is_packed_into_as_few_machines_as_hold_it() {
    check(vec![], vec![pool("a")], &[]);
    check(works(1), vec![pool("a")], &["a: add 1, demand"]);
    check(works(5), vec![pool("a")], &["a: add 3, demand"]);
    let slots = pool("a").with(|terms| terms.slots = 1);
    check(works(3), vec![slots], &["a: add 3, demand"]);
    let mut apart = works(3);
    for work in &mut apart {
        work.apart = Some("web".into());
    }
    check(apart, vec![pool("a")], &["a: add 3, demand"]);
}

#[test]
fn large_work_goes_first_so_that_small_work_fills_the_rest() {
    let mut mixed = works(4);
    mixed[2].needs = Resources::of(1_500, 256);
    mixed[3].needs = Resources::of(1_500, 256);
    mixed[0].needs = Resources::of(500, 256);
    mixed[1].needs = Resources::of(500, 256);
    check(mixed, vec![pool("a")], &["a: add 2, demand"]);
}

#[test]
fn what_is_there_or_on_its_way_is_not_bought_again() {
    check(works(4), vec![pool("a").has(&[Booting, Booting])], &[]);
    check(
        works(5),
        vec![pool("a").has(&[Booting, Booting])],
        &["a: add 1, demand"],
    );
    let slow = NOW - 20 * MINUTE;
    let mut booting = pool("a").has(&[Booting]);
    booting.machines[0].asked_at = at(slow);
    check(works(2), vec![booting], &[]);
}

#[test]
fn a_drain_is_called_off_for_work_and_by_work() {
    check(
        works(2),
        vec![pool("a").has(&[EMPTY])],
        &["a: keep a-0, needed_again"],
    );
    let occupied = Draining { empty: false };
    check(
        vec![],
        vec![pool("a").has(&[occupied])],
        &["a: keep a-0, work_arrived"],
    );
    check(vec![], vec![pool("a").has(&[EMPTY])], &[]);
    let floor = pool("a").has(&[EMPTY]).with(|terms| terms.min = 1);
    check(vec![], vec![floor], &["a: keep a-0, needed_again"]);
    let full = pool("a").has(&[JUST_IDLE, EMPTY, Busy]).with(|terms| {
        (terms.min, terms.max, terms.warm) = (2, 2, 2);
    });
    check(vec![], vec![full], &["a: nothing, at_max"]);
}

#[test]
fn work_that_no_machine_helps_buys_none() {
    let mut near = works(1);
    near[0].obstacle = Obstacle::Nearness;
    check(near, vec![pool("a")], &["unmet, nearness"]);
    check(
        works(1),
        vec![pool("a").has(&[JUST_IDLE])],
        &["unmet, not_by_room"],
    );
    let mut large = works(1);
    large[0].needs = Resources::of(2_001, 256);
    check(large, vec![pool("a")], &["unmet, no_pool"]);
    let mut labelled = works(1);
    labelled[0].labels.insert("pool".into(), "b".into());
    check(labelled.clone(), vec![pool("a")], &["unmet, no_pool"]);
    check(labelled, vec![pool("a"), pool("b")], &["b: add 1, demand"]);
    check(
        works(1),
        vec![pool("a").with(|terms| terms.machine = Resources::default())],
        &["unmet, no_pool"],
    );
}

#[test]
fn work_that_came_just_now_buys_nothing_yet_and_keeps_what_is_there() {
    let mut young = works(1);
    young[0].since = at(NOW - SECOND);
    check(young.clone(), vec![pool("a")], &[]);
    check(
        young,
        vec![pool("a").has(&[LONG_IDLE])],
        &["unmet, not_by_room"],
    );
}

#[test]
fn the_cheapest_pool_that_suits_is_taken() {
    let dear = || pool("a").with(|terms| terms.price = 9);
    check(works(1), vec![dear(), pool("b")], &["b: add 1, demand"]);
    let mut large = works(1);
    large[0].needs = Resources::of(4_000, 256);
    let big = dear().with(|terms| terms.machine = Resources::of(8_000, 8_192));
    check(large, vec![big, pool("b")], &["a: add 1, demand"]);
}

#[test]
fn a_pool_that_is_full_closed_or_failing_is_passed_over() {
    let dear = || pool("b").with(|terms| terms.price = 9);
    let full = pool("a")
        .has(&[Busy, Held, Leaving])
        .with(|terms| terms.max = 3);
    check(
        works(1),
        vec![full, dear()],
        &["a: nothing, at_max", "b: add 1, demand"],
    );
    let closed = pool("a").with(|terms| terms.open = false);
    check(
        works(1),
        vec![closed.clone(), dear()],
        &["a: nothing, closed", "b: add 1, demand"],
    );
    check(
        works(1),
        vec![closed],
        &["a: nothing, closed", "unmet, no_pool_now"],
    );
    let mut failing = pool("a");
    failing.failures = Failures {
        rounds: 3,
        last: Some(at(NOW - 59 * SECOND)),
    };
    check(
        works(1),
        vec![failing.clone(), dear()],
        &["a: nothing, backed_off", "b: add 1, demand"],
    );
    failing.failures.last = Some(at(NOW - 60 * SECOND));
    check(
        works(4),
        vec![failing, dear()],
        &[
            "a: add 1, demand",
            "a: nothing, in_flight",
            "b: add 2, demand",
        ],
    );
}

#[test]
fn a_pool_whose_machines_boot_is_waited_for() {
    let dear = || pool("b").with(|terms| terms.price = 9);
    check(
        works(20),
        vec![pool("a"), dear()],
        &["a: add 5, demand", "a: nothing, in_flight"],
    );
    let booting = pool("a").has(&[Booting; 5]);
    check(works(20), vec![booting, dear()], &["a: nothing, in_flight"]);
}

#[test]
fn the_floor_and_the_warm_number_are_kept() {
    let floor = |lives: &[Life]| pool("a").has(lives).with(|terms| terms.min = 2);
    check(vec![], vec![floor(&[])], &["a: add 2, floor"]);
    check(vec![], vec![floor(&[Busy, Booting])], &[]);
    check(vec![], vec![floor(&[LONG_IDLE, LONG_IDLE])], &[]);
    check(
        vec![],
        vec![floor(&[Busy, Failed])],
        &["a: nothing, backed_off", "a: remove a-1, failed"],
    );
    check(vec![], vec![floor(&[Busy, Leaving])], &["a: add 1, floor"]);
    let warm = |lives: &[Life]| pool("a").has(lives).with(|terms| terms.warm = 1);
    check(vec![], vec![warm(&[Busy])], &["a: add 1, warm"]);
    check(vec![], vec![warm(&[Busy, Booting])], &[]);
    check(
        vec![],
        vec![warm(&[LONG_IDLE, LONG_IDLE])],
        &["a: remove a-1, idle"],
    );
    check(
        works(1),
        vec![warm(&[])],
        &["a: add 1, demand", "a: add 1, warm"],
    );
}

#[test]
fn idle_machines_go_after_a_while_the_newest_first() {
    let idle = |lives: &[Life]| pool("a").has(lives);
    check(
        vec![],
        vec![idle(&[LONG_IDLE, LONG_IDLE, Busy])],
        &["a: remove a-1 a-0, idle"],
    );
    check(
        vec![],
        vec![idle(&[JUST_IDLE, LONG_IDLE])],
        &["a: remove a-1, idle"],
    );
    check(vec![], vec![idle(&[Held, Silent(at(NOW - MINUTE))])], &[]);
    let mut cooling = idle(&[LONG_IDLE]);
    cooling.scaled_at = Some(at(NOW - 59 * SECOND));
    check(vec![], vec![cooling.clone()], &[]);
    cooling.scaled_at = Some(at(NOW - 60 * SECOND));
    check(vec![], vec![cooling], &["a: remove a-0, idle"]);
    let over = idle(&[JUST_IDLE, JUST_IDLE, Busy]).with(|terms| terms.max = 2);
    check(vec![], vec![over], &["a: remove a-1, above_max"]);
}

#[test]
fn what_failed_goes_at_once_and_its_pool_is_left_alone_for_a_while() {
    let mut late = pool("a").has(&[Booting, Booting]);
    late.machines[0].asked_at = at(NOW - 25 * MINUTE);
    check(
        works(4),
        vec![late],
        &[
            "a: nothing, backed_off",
            "a: remove a-0, never_joined",
            "unmet, no_pool_now",
            "unmet, no_pool_now",
            "unmet, no_pool_now",
            "unmet, no_pool_now",
        ],
    );
    let lost = pool("a").has(&[Silent(at(NOW - 10 * MINUTE))]);
    check(vec![], vec![lost], &["a: remove a-0, lost"]);
}

#[test]
fn machines_that_fail_together_are_one_failure_and_a_steady_one_ends_the_count() {
    let count = |pool: &PoolFacts| plan(&facts(vec![], vec![pool.clone()])).failures[0].1;
    let mut failing = pool("a").has(&[Failed, Failed, Failed]);
    let first = count(&failing);
    assert_eq!(
        first,
        Failures {
            rounds: 1,
            last: Some(at(NOW))
        }
    );
    failing.failures = first;
    assert_eq!(count(&failing), first, "not again at the next look");
    failing.failures.last = Some(at(NOW - 2_000 * MINUTE));
    assert_eq!(count(&failing).rounds, 2);
    failing.machines[2].life = Busy;
    failing.machines[2].joined_at = Some(at(NOW - 59 * SECOND));
    failing.machines.drain(..2);
    assert_eq!(count(&failing).rounds, 1, "a node for less than a minute");
    failing.machines[0].joined_at = Some(at(NOW - MINUTE));
    assert_eq!(count(&failing).rounds, 0);
}

#[test]
fn a_pause_doubles_up_to_its_longest() {
    let terms = pool("a").terms;
    let pause = |rounds| {
        let failures = Failures {
            rounds,
            last: Some(at(0)),
        };
        failures
            .pause_until(&terms)
            .map(|until| until.ms() / SECOND)
    };
    assert_eq!(
        [0, 1, 2, 3, 4, 40].map(pause),
        [None, Some(15), Some(30), Some(60), Some(120), Some(120),]
    );
}

#[test]
fn every_reason_is_a_sentence() {
    let plan = plan(&facts(
        works(3),
        vec![pool("a").with(|terms| terms.max = 1)],
    ));
    let said: Vec<String> = plan
        .decisions
        .iter()
        .map(|one| one.why.to_string())
        .collect();
    assert_eq!(
        said,
        [
            "2 workloads have no place: cpu 2, memory 512MiB together",
            "the pool has all 1 machines that it may",
        ]
    );
    let left = Duration::from_mins(2);
    let why = super::Why::BackedOff { rounds: 2, left };
    assert_eq!(
        why.to_string(),
        "failed 2 times in a row; tried again in 2 min"
    );
    assert_eq!(plan.unmet[0].0, work(2).workload);
}
