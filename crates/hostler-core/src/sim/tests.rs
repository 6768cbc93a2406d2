//! Seeds by the hundred; and each guard taken out once, to show that it is
//! needed and that the histories are rough enough to need it.

use super::*;

/// The first violation among these seeds, which two threads share.
fn first(seeds: u64, options: SimOptions) -> Option<Violation> {
    let share = |from: u64| {
        let mut seeds = (from..seeds).step_by(2);
        std::thread::spawn(move || seeds.find_map(|seed| run(seed, &options).violation))
    };
    let shares = [share(0), share(1)];
    shares.into_iter().find_map(|share| share.join().unwrap())
}

#[test]
fn many_histories_violate_nothing() {
    if let Some(violation) = first(300, SimOptions::default()) {
        panic!("{violation}");
    }
}

#[test]
fn histories_in_which_everything_breaks_violate_nothing() {
    let faults = 100;
    let options = SimOptions {
        faults,
        ..SimOptions::default()
    };
    if let Some(violation) = first(100, options) {
        panic!("{violation}");
    }
}

#[test]
fn a_fleet_in_which_nothing_breaks_settles() {
    let options = SimOptions {
        faults: 0,
        ..SimOptions::default()
    };
    if let Some(violation) = first(50, options) {
        panic!("{violation}");
    }
}

/// What they showed: an older order to drop is obeyed by a node that has just
/// lost its ledger, and seen of it remains what followed; a machine joins anew
/// with the rest of a process in its ledger.
#[test]
fn histories_that_went_wrong_once_violate_nothing() {
    for seed in [5_004_336, 5_038_294, 5_011_397, 86_519, 174_244] {
        let outcome = run(seed, &SimOptions::default());
        assert_eq!(outcome.violation, None, "{seed}");
    }
}

#[test]
fn the_same_seed_gives_the_same_history() {
    let options = SimOptions::default();
    let hashes: Vec<u64> = (0..20).map(|seed| run(seed, &options).hash).collect();
    let again: Vec<u64> = (0..20).map(|seed| run(seed, &options).hash).collect();
    assert_eq!(hashes, again);
    let mut distinct = hashes;
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), 20, "other seeds give other histories");
}

/// Taken out, the guard lets one of these invariants be violated, and the
/// violation says where and after what.
#[track_caller]
fn needed(guard: Guard, expected: &[Invariant]) {
    let without = Some(guard);
    let options = SimOptions {
        without,
        ..SimOptions::default()
    };
    let found = (0..2_000).find_map(|seed| run(seed, &options).violation);
    let Some(violation) = found else {
        panic!("2,000 histories went well without {guard:?}");
    };
    assert!(expected.contains(&violation.invariant), "{violation}");
    assert!(!violation.tail.is_empty());
    let again = run(violation.seed, &options).violation;
    assert_eq!(again.as_ref(), Some(&violation), "the seed shows it again");
    let whole = run(violation.seed, &SimOptions::default()).violation;
    assert_eq!(whole, None, "with the guard, the same seed goes well");
}

const RUNS_WRONGLY: [Invariant; 4] = [
    Invariant::OneInstance,
    Invariant::Capacity,
    Invariant::NoOldOrder,
    Invariant::NothingLeft,
];

#[test]
fn the_generation_check_is_needed() {
    needed(Guard::GenerationCheck, &[Invariant::NoOldOrder]);
}

#[test]
fn the_conditional_seat_is_needed() {
    needed(Guard::ConditionalSeat, &[Invariant::Capacity]);
}

#[test]
fn the_tombstone_is_needed() {
    needed(
        Guard::Tombstone,
        &[Invariant::NoOldOrder, Invariant::Converges],
    );
}

#[test]
fn the_fence_is_needed() {
    needed(Guard::Fence, &RUNS_WRONGLY);
}

#[test]
fn what_agents_know_of_the_end_is_needed() {
    needed(Guard::AgentsKnow, &RUNS_WRONGLY);
}

#[test]
fn that_agents_know_before_the_control_plane_relies_on_it_is_needed() {
    needed(Guard::AgentsFirst, &RUNS_WRONGLY);
}

#[test]
fn the_freshness_of_orders_is_needed() {
    needed(Guard::FreshOrder, &RUNS_WRONGLY);
}

#[test]
fn the_span_that_the_node_names_is_needed() {
    needed(Guard::NamedSpan, &RUNS_WRONGLY);
}

#[test]
fn the_second_look_is_needed() {
    needed(Guard::SecondLook, &RUNS_WRONGLY);
}
