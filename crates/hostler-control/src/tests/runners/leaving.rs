//! Machines are given back: drained first, called off while they may be, and
//! never a stranger's.

use hostler_core::Timestamp;
use hostler_core::id::JobId;
use hostler_core::runner::{Mark, RunnerFacts, RunnerId};
use hostler_runners::provider::Provider as _;
use serde_json::json;

use super::*;
use crate::testing::eventually;

const SECOND: Duration = Duration::from_secs(1);
const ALMOST_IDLE: Duration = Duration::from_secs(59);

/// One idle runner that the loop has begun to take away.
async fn leaving(max: u32) -> Vec<(House, Fake, Machine)> {
    let mut all = Vec::new();
    for (mut house, fake) in small(max).await {
        let machine = leave(&mut house, &fake).await;
        all.push((house, fake, machine));
    }
    all
}

async fn leave(house: &mut House, fake: &Fake) -> Machine {
    let machine = rest(house, fake).await;
    house.wait(IDLE);
    machine.beat(house).await;
    assert_eq!(house.scale().await, 1);
    machine
}

/// One runner that has just become idle.
async fn rest(house: &mut House, fake: &Fake) -> Machine {
    let id = house.deploy("first").await;
    until(house, "it is asked for", || fake.count() == 1).await;
    let machine = boot(house, fake).await.remove(0);
    house.settle().await;
    let path = format!("/workloads/{id}");
    Ask::delete(&path).send(&house.router).await.expect(202);
    house.settle().await;
    house.scale().await;
    machine
}

#[tokio::test]
async fn work_that_comes_while_a_node_is_drained_keeps_it() {
    for (mut house, fake, _machine) in leaving(1).await {
        let id = house.deploy("second").await;
        house.scale().await;
        assert!(house.kinds().await.iter().any(|kind| kind == "runner.kept"));
        for _ in 0..10 {
            house.pass().await;
            house.scale().await;
        }
        assert_eq!(house.status(&id).await, "running");
        assert_eq!(nodes(&house).await[0]["scheduling"], "open");
        assert_eq!(fake.count(), 1);
    }
}

#[tokio::test]
async fn a_node_that_is_being_given_back_is_drained_first() {
    for (mut house, fake, _machine) in leaving(1).await {
        until(&mut house, "it is given back", || fake.count() == 0).await;
        let kinds = house.kinds().await;
        let place = |kind: &str| kinds.iter().position(|one| one == kind);
        assert!(place("operation.created").is_some(), "{kinds:?}");
        assert!(
            place("operation.created") < place("node.removed"),
            "{kinds:?}"
        );
    }
}

#[tokio::test]
async fn an_orphan_goes_at_the_second_look_and_a_strangers_never() {
    for (mut house, fake) in small(5).await {
        let now = Timestamp::from_ms(1_750_000_000_000);
        let mark = Mark {
            job: JobId::from_parts(1, [0; 10]),
            index: 0,
            requested_at: now,
            deadline: now,
        };
        for (id, mark) in [("orphan", Some(mark)), ("stranger", None)] {
            let id: RunnerId = id.parse().unwrap();
            let pool = "default".parse().unwrap();
            fake.appear(RunnerFacts::waiting(id, pool, mark, now));
        }
        house.scale().await;
        assert_eq!(fake.count(), 2, "only suspected");
        house.wait(Duration::from_mins(1));
        house.scale().await;
        eventually("the orphan is gone", || fake.count() == 1).await;
        assert_eq!(fake.ids()[0].as_str(), "stranger");
    }
}

#[tokio::test]
async fn a_node_goes_once_it_was_idle_for_as_long_as_its_pool_says() {
    for (mut house, fake) in small(1).await {
        let machine = rest(&mut house, &fake).await;
        house.wait(ALMOST_IDLE);
        machine.beat(&house).await;
        assert_eq!(house.scale().await, 0, "not yet");
        let work = house.deploy("second").await;
        house.settle().await;
        house.scale().await;
        end(&house, &work).await;
        house.settle().await;
        house.scale().await;
        house.wait(ALMOST_IDLE);
        machine.beat(&house).await;
        assert_eq!(house.scale().await, 0, "it was used in between");
        house.wait(SECOND);
        assert_eq!(house.scale().await, 1);
    }
}

#[tokio::test]
async fn after_a_change_the_pool_rests_before_it_shrinks() {
    let almost = Duration::from_secs(299);
    let cool_down = almost + SECOND;
    for (mut house, fake) in houses(|pool| pool.cool_down = cool_down).await {
        let machine = rest(&mut house, &fake).await;
        house.wait(almost);
        machine.beat(&house).await;
        assert_eq!(house.scale().await, 0, "it grew lately");
        house.wait(SECOND);
        machine.beat(&house).await;
        assert_eq!(house.scale().await, 1);
    }
}

#[tokio::test]
async fn a_machine_that_is_being_given_back_joins_no_more() {
    for (mut house, fake, _machine) in leaving(1).await {
        fake.ends_slowly();
        let id = fake.ids().remove(0);
        let is_ending = || {
            let seen = fake.snapshots().borrow().clone();
            seen.runners[&id].is_terminating
        };
        until(&mut house, "it is ending", is_ending).await;
        until_gone(&mut house).await;
        let body = json!({"name": "again", "hostname": "127.0.0.1", "port": 1,
            "labels": {"runner": id.as_str()}});
        let again = Ask::post("/slaves").json(&body).send(&house.router).await;
        again.refused(409, "conflict");
        fake.vanish(&id);
        until(&mut house, "it is gone", || fake.count() == 0).await;
    }
}
