//! Lists that lag behind our own answers, and lists that fail.

use std::sync::atomic::{AtomicI64, Ordering};

use hostler_core::runner::ReasonCode;

use super::*;
use crate::seen::fixtures::instance;

fn world() -> (World, Arc<AtomicI64>) {
    let time = Arc::new(AtomicI64::new(10_000));
    let eye = Eye {
        checks: false,
        usual: "default".parse().unwrap(),
    };
    let clock: Clock = {
        let time = Arc::clone(&time);
        Arc::new(move || Timestamp::from_ms(time.load(Ordering::SeqCst)))
    };
    (World::new(eye, clock), time)
}

fn list(world: &World, instances: &[Instance]) {
    world.list(Listed {
        instances: instances
            .iter()
            .map(|one| (one.id.clone(), one.clone()))
            .collect(),
        ..Listed::default()
    });
}

fn shown(world: &World) -> Vec<String> {
    let snapshot = world.snapshots().borrow().clone();
    snapshot.runners.keys().map(ToString::to_string).collect()
}

#[test]
fn a_newborn_that_no_list_shows_yet_stays_for_a_while() {
    let (world, time) = world();
    world.answer(instance("i-1", "a", 0));
    list(&world, &[]);
    assert_eq!(shown(&world), ["a"]);
    time.fetch_add(60_000, Ordering::SeqCst);
    list(&world, &[]);
    assert!(shown(&world).is_empty());
}

#[test]
fn what_was_ended_does_not_come_to_life_again_by_an_older_list() {
    let (world, _) = world();
    let one = instance("i-1", "a", 0);
    let mut ended = one.clone();
    (ended.state, ended.why) = (State::Ending, "Client.UserInitiatedShutdown".to_owned());
    list(&world, std::slice::from_ref(&one));
    world.answer(ended);
    list(&world, &[one]);
    let snapshot = world.snapshots().borrow().clone();
    assert!(snapshot.runners.values().all(|facts| facts.is_terminating));
}

#[test]
fn a_list_that_failed_leaves_everything_as_it_was_and_says_why() {
    let (world, time) = world();
    world.fail(Reason::new(ReasonCode::Throttled, "slowly"));
    assert!(!world.snapshots().borrow().is_synced);
    list(&world, &[instance("i-1", "a", 0)]);
    let before = world.snapshots().borrow().clone();
    world.fail(Reason::new(ReasonCode::Throttled, "slowly"));
    time.fetch_add(5_000, Ordering::SeqCst);
    world.fail(Reason::new(ReasonCode::ProviderUnreachable, "cut"));
    let after = world.snapshots().borrow().clone();
    assert_eq!(after.runners, before.runners);
    assert_eq!(after.stale_since, Some(Timestamp::from_ms(10_000)));
    assert_eq!(
        after.problem.as_ref().unwrap().code,
        ReasonCode::ProviderUnreachable
    );
    list(&world, &[]);
    assert_eq!(world.snapshots().borrow().problem, None);
}
