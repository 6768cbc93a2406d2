//! Seeds by the hundred; and each guard taken out once, to show that it is
//! needed and that the histories are rough enough to need it.

use super::super::{Invariant, Violation};
use super::*;

fn first(seeds: u64, faults: u64) -> Option<Violation> {
    let options = GrowthOptions {
        faults,
        without: None,
    };
    let share = |from: u64| {
        let mut seeds = (from..seeds).step_by(2);
        std::thread::spawn(move || seeds.find_map(|seed| run(seed, &options).violation))
    };
    let shares = [share(0), share(1)];
    shares.into_iter().find_map(|share| share.join().unwrap())
}

#[track_caller]
fn check(seeds: u64, faults: u64) {
    if let Some(violation) = first(seeds, faults) {
        panic!("{violation}");
    }
}

#[test]
fn many_fleets_grow_and_shrink_within_their_bounds() {
    check(60, 50);
}

#[test]
fn fleets_in_which_everything_breaks_stay_within_their_bounds() {
    check(40, 100);
}

#[test]
fn fleets_whose_provider_is_well_settle() {
    check(20, 0);
}

#[test]
fn the_same_seed_gives_the_same_history() {
    let hashes = || -> Vec<u64> {
        let options = GrowthOptions::default();
        (0..8).map(|seed| run(seed, &options).hash).collect()
    };
    let mut distinct = hashes();
    assert_eq!(distinct, hashes());
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), 8, "other seeds give other histories");
}

/// Taken out, the guard lets this invariant be violated, and the violation
/// says where and after what.
#[track_caller]
fn needed(guard: GrowthGuard, expected: Invariant) {
    let without = Some(guard);
    let options = GrowthOptions {
        without,
        ..GrowthOptions::default()
    };
    let found = (0..400).find_map(|seed| run(seed, &options).violation);
    let Some(violation) = found else {
        panic!("400 histories went well without {guard:?}");
    };
    assert_eq!(violation.invariant, expected, "{violation}");
    assert!(!violation.tail.is_empty());
    let again = run(violation.seed, &options).violation;
    assert_eq!(again.as_ref(), Some(&violation), "the seed shows it again");
    let whole = run(violation.seed, &GrowthOptions::default()).violation;
    assert_eq!(whole, None, "with the guard, the same seed goes well");
}

#[test]
fn the_runaway_bound_is_needed() {
    needed(GrowthGuard::RunawayBound, Invariant::NoRunaway);
}

#[test]
fn emptying_before_giving_back_is_needed() {
    needed(GrowthGuard::EmptyFirst, Invariant::NoRunaway);
}

#[test]
fn writing_down_that_it_is_final_before_giving_back_is_needed() {
    needed(GrowthGuard::FinalFirst, Invariant::NoRunaway);
}

#[test]
fn the_floor_is_needed() {
    needed(GrowthGuard::Floor, Invariant::NoRunaway);
}

#[test]
fn derived_names_are_needed() {
    needed(GrowthGuard::DerivedNames, Invariant::NoRunaway);
}

#[test]
fn the_ownership_tag_is_needed() {
    needed(GrowthGuard::OwnershipTag, Invariant::NothingLeft);
}

#[test]
fn the_boot_time_of_the_pool_is_needed() {
    needed(GrowthGuard::BootTime, Invariant::NoRunaway);
}
