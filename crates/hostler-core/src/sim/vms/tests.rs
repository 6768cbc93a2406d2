//! Seeds by the hundred; and each guard taken out once.

use super::*;
use crate::sim::Invariant;

#[test]
fn many_histories_of_vms_violate_nothing() {
    for seed in 0..500 {
        if let Some(violation) = run(seed, &VmOptions::default()).violation {
            panic!("{violation}");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_history() {
    let hashes = || -> Vec<u64> {
        let hash = |seed| run(seed, &VmOptions::default()).hash;
        (0..20).map(hash).collect()
    };
    let mut distinct = hashes();
    assert_eq!(distinct, hashes());
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), 20);
}

/// Taken out, the guard lets one of these be violated; with it, the same seed
/// goes well.
#[track_caller]
fn needed(guard: VmGuard, expected: &[Invariant]) {
    let options = VmOptions {
        without: Some(guard),
    };
    let found = (0..3_000).find_map(|seed| run(seed, &options).violation);
    let Some(violation) = found else {
        panic!("3,000 histories went well without {guard:?}");
    };
    assert!(expected.contains(&violation.invariant), "{violation}");
    let whole = run(violation.seed, &VmOptions::default()).violation;
    assert_eq!(whole, None, "with the guard, the same seed goes well");
}

#[test]
fn the_fence_is_needed() {
    needed(VmGuard::Fence, &[Invariant::OneInstance]);
}

#[test]
fn the_freshness_of_orders_is_needed() {
    needed(VmGuard::FreshOrder, &[Invariant::OneInstance]);
}

#[test]
fn the_second_look_is_needed() {
    needed(VmGuard::SecondLook, &[Invariant::OneInstance]);
}

#[test]
fn the_conditional_seat_is_needed() {
    needed(VmGuard::ConditionalSeat, &[Invariant::Capacity]);
}

#[test]
fn that_a_disk_is_kept_is_needed() {
    needed(VmGuard::KeepDisk, &[Invariant::NothingForgotten]);
}

#[test]
fn the_generation_of_what_is_adopted_is_needed() {
    needed(VmGuard::AdoptAbove, &[Invariant::Converges]);
}

#[test]
fn rows_are_lost_and_their_machines_are_adopted() {
    let adopts = |seed: &u64| {
        let mut world = world::World::new(*seed, VmOptions::default());
        world.play_on();
        world.adopted
    };
    let adopted = (0..50).filter(adopts).count();
    assert!(adopted > 25, "{adopted} of 50 histories");
}
