//! The fleet that grows and shrinks: the pass, the manager and the store, over
//! a provider whose machines the tests move.

use std::sync::Arc;
use std::time::Duration;

use hostler_core::id::JobId;
use hostler_core::runner::{Mark, RunnerFacts, RunnerId, RunnerPool};
use hostler_core::{Resources, Timestamp};
use hostler_runners::provider::fake::Fake;
use serde_json::{Value, json};

use crate::runners::RunnerOptions;
use crate::testing::{Ask, House, Machine, eventually};

const IDLE: Duration = Duration::from_mins(1);

/// A control plane with a pool of machines for one workload each.
async fn house(max: u32) -> (House, Fake) {
    let mut fake = None;
    let house = House::with(|options| {
        let provider = Fake::new(options.clock.clone());
        fake = Some(provider.clone());
        let mut pool = RunnerPool::named("default".parse().unwrap());
        (pool.shape, pool.slots) = (Resources::of(4_000, 8_192), 1);
        (pool.idle_for, pool.cool_down) = (IDLE, Duration::ZERO);
        pool.bounds.max = max;
        options.runners = Some(RunnerOptions {
            provider: Arc::new(provider),
            pools: vec![Arc::new(pool)],
            patience: Duration::ZERO,
        });
    })
    .await;
    (house, fake.unwrap())
}

/// Gives every runner its machine, which joins.
async fn boot(house: &House, fake: &Fake) -> Vec<Machine> {
    let mut machines = Vec::new();
    for id in fake.ids() {
        fake.place(&id, id.as_str());
        fake.run(&id);
        machines.push(Machine::of_runner(house, id.as_str()).await);
    }
    machines
}

/// Runs all passes until something is so.
async fn until(house: &mut House, what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..1_000 {
        house.scale().await;
        house.pass().await;
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("not so: {what}; {:?}", house.kinds().await);
}

async fn nodes(house: &House) -> Value {
    Ask::get("/slaves").send(&house.router).await.expect(200)
}

/// One idle runner that the loop has begun to take away.
async fn leaving(max: u32) -> (House, Fake, Machine) {
    let (mut house, fake) = house(max).await;
    let id = house.deploy("first").await;
    until(&mut house, "it is asked for", || fake.count() == 1).await;
    let machine = boot(&house, &fake).await.remove(0);
    house.settle().await;
    let path = format!("/workloads/{id}");
    Ask::delete(&path).send(&house.router).await.expect(202);
    house.settle().await;
    house.scale().await;
    house.wait(IDLE);
    machine.beat(&house).await;
    assert_eq!(house.scale().await, 1);
    (house, fake, machine)
}

#[tokio::test]
async fn work_without_a_place_is_given_machines_and_they_go_after_it() {
    let (mut house, fake) = house(5).await;
    let ids = [house.deploy("a").await, house.deploy("b").await];
    until(&mut house, "they are asked for", || fake.count() == 2).await;
    house.scale().await;
    assert_eq!(fake.count(), 2, "those on their way are enough");
    let machines = boot(&house, &fake).await;
    house.settle().await;
    for id in &ids {
        assert_eq!(house.status(id).await, "running");
        let path = format!("/workloads/{id}");
        Ask::delete(&path).send(&house.router).await.expect(202);
    }
    house.settle().await;
    house.scale().await;
    house.wait(IDLE);
    for machine in &machines {
        machine.beat(&house).await;
    }
    until(&mut house, "they are given back", || fake.count() == 0).await;
    for _ in 0..100 {
        if nodes(&house).await == json!([]) {
            let kinds = house.kinds().await;
            for kind in ["pool.grows", "pool.shrinks", "node.removed"] {
                assert!(kinds.iter().any(|one| one == kind), "{kind}: {kinds:?}");
            }
            return;
        }
        house.pass().await;
    }
    panic!("{}", nodes(&house).await);
}

#[tokio::test]
async fn a_decision_says_why() {
    let (mut house, fake) = house(5).await;
    house.deploy("a").await;
    until(&mut house, "it is asked for", || fake.count() == 1).await;
    let page = Ask::get("/activity?limit=1000").send(&house.router).await;
    let page = page.expect(200);
    let mut items = page["items"].as_array().unwrap().iter();
    let grown = items.find(|one| one["kind"] == "pool.grows").unwrap();
    assert_eq!(grown["data"]["why"], "demand");
    assert!(
        grown["text"]
            .as_str()
            .unwrap()
            .contains("1 workload has no place")
    );
}

#[tokio::test]
async fn a_pool_never_has_more_than_its_most() {
    let (mut house, fake) = house(2).await;
    for name in ["a", "b", "c"] {
        house.deploy(name).await;
    }
    until(&mut house, "they are asked for", || fake.count() == 2).await;
    boot(&house, &fake).await;
    for _ in 0..5 {
        house.pass().await;
        house.scale().await;
    }
    assert_eq!(fake.count(), 2);
    let kinds = house.kinds().await;
    let told = kinds.iter().filter(|kind| *kind == "pool.waits").count();
    assert_eq!(told, 1, "told once: {kinds:?}");
}

#[tokio::test]
async fn a_machine_that_nobody_answers_for_is_refused() {
    let (house, _) = house(5).await;
    let join = |runner: &str| {
        let body = json!({"name": "n1", "hostname": "127.0.0.1", "port": 1,
            "labels": {"runner": runner}});
        Ask::post("/slaves").json(&body)
    };
    let stranger = join("node-placeholder-1").send(&house.router).await;
    stranger.refused(409, "conflict");
    let nonsense = join("../x").send(&house.router).await;
    nonsense.refused(422, "invalid");
}

#[tokio::test]
async fn work_that_comes_while_a_node_is_drained_keeps_it() {
    let (mut house, fake, _machine) = leaving(1).await;
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

#[tokio::test]
async fn a_node_that_is_being_given_back_is_drained_first() {
    let (mut house, fake, _machine) = leaving(1).await;
    until(&mut house, "it is given back", || fake.count() == 0).await;
    let kinds = house.kinds().await;
    let place = |kind: &str| kinds.iter().position(|one| one == kind);
    assert!(place("operation.created").is_some(), "{kinds:?}");
    assert!(
        place("operation.created") < place("node.removed"),
        "{kinds:?}"
    );
}

#[tokio::test]
async fn a_dead_machine_is_replaced_and_its_work_runs_again() {
    let (mut house, fake) = house(2).await;
    let work = house.deploy("a").await;
    until(&mut house, "it is asked for", || fake.count() == 1).await;
    let _dead = boot(&house, &fake).await;
    house.settle().await;
    let lost = fake.ids()[0].clone();
    fake.alter(&lost, |facts| {
        if let Some(machine) = &mut facts.machine {
            machine.exists = Some(false);
        }
    });
    until(&mut house, "it is given back", || fake.count() == 0).await;
    // A pool that failed is left alone for a while.
    house.wait(Duration::from_secs(20));
    until(&mut house, "another is asked for", || fake.count() == 1).await;
    let _heir = boot(&house, &fake).await;
    house.settle().await;
    assert_eq!(house.status(&work).await, "running");
    assert!(!fake.ids().contains(&lost));
}

#[tokio::test]
async fn an_orphan_goes_at_the_second_look_and_a_strangers_never() {
    let (mut house, fake) = house(5).await;
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
