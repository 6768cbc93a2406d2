//! Machines join as the nodes of their runners, and are ready only then.

use serde_json::json;

use super::*;

#[tokio::test]
async fn a_machine_that_nobody_answers_for_is_refused() {
    for (house, _) in small(5).await {
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
}

#[tokio::test]
async fn a_runner_is_ready_once_its_machine_has_joined() {
    for (mut house, fake) in small(5).await {
        house.deploy("a").await;
        until(&mut house, "it is asked for", || fake.count() == 1).await;
        let id = fake.ids().remove(0);
        fake.place(&id, "node-1");
        fake.run(&id);
        house.scale().await;
        let awaited = ("provisioning".to_owned(), "NotRegistered".to_owned());
        assert_eq!(status(&house, id.as_str()).await, awaited);
        let _machine = Machine::of_runner(&house, id.as_str()).await;
        house.scale().await;
        assert_eq!(status(&house, id.as_str()).await.0, "ready");
    }
}

/// Joins a machine that its cluster started, before or after the provider
/// shows whose it is; has its runner ready, at work, and given back.
async fn of_cluster(house: &mut House, fake: &Fake, is_early: bool) {
    let work = house.deploy("a").await;
    until(house, "it is asked for", || fake.count() == 1).await;
    let id = fake.ids().remove(0);
    let mut machine = None;
    if is_early {
        machine = Some(Machine::of_cluster(house, "node-1").await);
        house.scale().await;
    }
    fake.place(&id, "node-1");
    fake.run(&id);
    let machine = match machine {
        Some(machine) => machine,
        None => Machine::of_cluster(house, "node-1").await,
    };
    house.scale().await;
    house.scale().await;
    assert_eq!(status(house, id.as_str()).await.0, "ready");
    house.settle().await;
    assert_eq!(house.status(&work).await, "running");
    end(house, &work).await;
    house.settle().await;
    house.scale().await;
    house.wait(IDLE);
    machine.beat(house).await;
    until(house, "it is given back", || fake.count() == 0).await;
}

#[tokio::test]
async fn a_machine_that_its_cluster_starts_is_its_runners_node() {
    for is_early in [false, true] {
        for (mut house, fake) in small(5).await {
            of_cluster(&mut house, &fake, is_early).await;
        }
    }
}

#[tokio::test]
async fn a_machine_of_a_cluster_that_holds_no_runner_is_a_node_as_any() {
    for (mut house, fake) in small(5).await {
        let machine = Machine::of_cluster(&house, "node-1").await;
        let work = house.deploy("a").await;
        house.settle().await;
        assert_eq!(house.status(&work).await, "running");
        end(&house, &work).await;
        house.settle().await;
        house.scale().await;
        house.wait(IDLE);
        machine.beat(&house).await;
        house.scale().await;
        assert_eq!(fake.count(), 0);
        assert_eq!(nodes(&house).await[0]["scheduling"], "open");
    }
}
