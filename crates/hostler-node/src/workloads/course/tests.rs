//! The course of a piece of work, as a table: what happened, what is next,
//! what is said of it.

use super::*;
use crate::ledger::testing::{plan, work};

const GRACE: Duration = Duration::from_secs(5);

fn slot() -> SlotId {
    SlotId::from_parts(1, [1; 8])
}

fn course() -> Course {
    Course::new(work(1), GRACE)
}

fn running() -> Course {
    let mut course = course();
    course.ready = true;
    course.claimed(slot());
    course.runs();
    course
}

#[track_caller]
fn check(course: &Course, step: Step, state: SeenState) {
    assert_eq!(course.next(Instant::now(), false), step);
    assert_eq!(course.state(), state);
}

#[tokio::test]
async fn wanted_work_is_fetched_claimed_for_and_deployed() {
    let mut course = course();
    check(&course, Step::Fetch, SeenState::Starting);
    course.ready = true;
    check(&course, Step::Claim, SeenState::Starting);
    course.claimed(slot());
    check(&course, Step::Deploy(slot()), SeenState::Starting);
    course.runs();
    check(&course, Step::Rest, SeenState::Running);
}

#[tokio::test]
async fn dropped_work_is_released_and_absent_only_then() {
    let mut course = running();
    course.dropped(Generation::new(2));
    check(&course, Step::Release(slot(), GRACE), SeenState::Stopping);
    course.released();
    check(&course, Step::Rest, SeenState::Absent);
    assert_eq!(course.work.plan, None, "the sealed environment is gone too");
}

#[tokio::test]
async fn a_claim_under_way_is_not_absent() {
    let mut course = course();
    course.claiming = true;
    course.dropped(Generation::new(2));
    assert_eq!(course.state(), SeenState::Stopping);
}

#[tokio::test]
async fn the_end_of_the_lease_kills_at_once_and_only_an_order_revives() {
    let mut course = running();
    let release = Step::Release(slot(), Duration::ZERO);
    assert_eq!(course.next(Instant::now(), true), release);
    assert!(course.fence("over"));
    check(&course, release, SeenState::Stopping);
    course.released();
    check(&course, Step::Rest, SeenState::Fenced);
    course.ordered(Generation::FIRST, plan(), true);
    check(&course, Step::Fetch, SeenState::Starting);
}

#[tokio::test]
async fn work_that_waits_for_its_node_outlives_the_lease() {
    let mut course = running();
    course.work.plan.as_mut().unwrap().on_node_loss = hostler_core::workload::OnNodeLoss::Wait;
    assert!(!course.fence("over"));
    assert_eq!(course.next(Instant::now(), true), Step::Rest);
}

#[tokio::test]
async fn what_was_running_before_a_restart_is_asked_first() {
    let mut known = work(1);
    known.slot = Some(slot());
    let mut course = Course::new(known, GRACE);
    check(&course, Step::Probe(slot()), SeenState::Starting);
    course.runs();
    check(&course, Step::Rest, SeenState::Running);
}

#[tokio::test]
async fn a_failed_essential_service_is_started_again_in_another_slot() {
    let mut course = running();
    let now = Instant::now();
    let exit = Exit {
        code: 1,
        ran: Duration::from_secs(1),
    };
    let after = course.exited(now, exit, &RestartPolicy::default());
    assert!(matches!(after, AfterExit::Restart { restarts: 1, .. }));
    assert_eq!(course.next(now, false), Step::Release(slot(), GRACE));
    course.released();
    assert!(matches!(course.next(now, false), Step::Wait(_)));
    let later = now + Duration::from_secs(1);
    assert_eq!(course.next(later, false), Step::Claim);
    assert_eq!(course.work.restarts, 1);
}

#[tokio::test]
async fn success_and_the_last_failure_are_final() {
    let policy = RestartPolicy {
        limit: 0,
        ..RestartPolicy::default()
    };
    for (code, state) in [(0, SeenState::Ended), (3, SeenState::Failed)] {
        let mut course = running();
        let exit = Exit {
            code,
            ran: Duration::ZERO,
        };
        course.exited(Instant::now(), exit, &policy);
        course.released();
        check(&course, Step::Rest, state);
    }
}

#[tokio::test]
async fn the_same_plan_in_a_newer_order_goes_on_and_another_begins_anew() {
    let mut course = running();
    course.ordered(Generation::new(2), plan(), true);
    check(&course, Step::Rest, SeenState::Running);
    course.ordered(Generation::new(3), plan(), false);
    check(&course, Step::Release(slot(), GRACE), SeenState::Starting);
    course.released();
    check(&course, Step::Fetch, SeenState::Starting);
}

#[tokio::test]
async fn a_failed_attempt_waits_and_uses_its_slot_up() {
    let mut course = course();
    course.ready = true;
    course.claimed(slot());
    let now = Instant::now();
    course.retry(now, "no answer".into());
    assert_eq!(course.next(now, false), Step::Release(slot(), GRACE));
    course.released();
    assert!(matches!(course.next(now, false), Step::Wait(_)));
    assert_eq!(course.problem().as_deref(), Some("no answer"));
}

#[tokio::test]
async fn a_lame_duck_is_no_longer_essential() {
    let mut course = running();
    assert!(course.lame_duck());
    assert!(!course.lame_duck());
}
