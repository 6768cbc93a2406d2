//! Drains and removals.

use std::time::Duration;

use axum::http::Method;
use hostler_core::workload::SeenState;
use serde_json::{Value, json};

use crate::testing::{Ask, House, Machine, on_both};

async fn operation(house: &House, id: &Value) -> Value {
    let path = format!("/operations/{}", id.as_str().unwrap());
    Ask::get(&path).send(&house.router).await.expect(200)
}

async fn drain(house: &House, machine: &Machine) -> Value {
    let path = format!("/slaves/{}/drain", machine.id);
    Ask::post(&path)
        .json(&json!({"deadline_s": 60}))
        .send(&house.router)
        .await
        .expect(202)
}

async fn node(house: &House, machine: &Machine) -> Value {
    Ask::get(&format!("/slaves/{}", machine.id))
        .send(&house.router)
        .await
        .expect(200)
}

/// Lets operations that wait become due, with both nodes heard.
async fn turn(house: &mut House, machines: &[&Machine]) {
    house.wait(Duration::from_secs(2));
    for machine in machines {
        machine.beat(house).await;
    }
    house.settle().await;
}

#[tokio::test]
async fn a_drain_moves_all_work_and_closes_the_node() {
    on_both(async |mut house| {
        let first = Machine::join(&house, "n1").await;
        let ids = [house.deploy("a").await, house.deploy("b").await];
        house.settle().await;
        let second = Machine::join(&house, "n2").await;
        let asked = drain(&house, &first).await;
        assert_eq!(
            drain(&house, &first).await["id"],
            asked["id"],
            "asked twice, done once"
        );
        for _ in 0..6 {
            turn(&mut house, &[&first, &second]).await;
        }
        let done = operation(&house, &asked["id"]).await;
        assert_eq!(done["state"], "done", "{done}");
        for id in &ids {
            assert_eq!(house.workload(id).await["slave_name"], "n2");
            assert_eq!(house.status(id).await, "running");
            assert_eq!(first.state(id), Some(SeenState::Absent));
        }
        assert_eq!(node(&house, &first).await["status"], "maintenance");
        let path = format!("/operations/{}/cancel", asked["id"].as_str().unwrap());
        Ask::post(&path)
            .send(&house.router)
            .await
            .refused(409, "conflict");
    })
    .await;
}

#[tokio::test]
async fn a_drain_that_is_called_off_opens_the_node_again() {
    let mut house = House::on_sqlite().await;
    let lone = Machine::join(&house, "n1").await;
    house.deploy("a").await;
    house.settle().await;
    lone.hang();
    let asked = drain(&house, &lone).await;
    house.wait(Duration::from_secs(2));
    house.operate().await;
    assert_eq!(node(&house, &lone).await["status"], "draining");
    let path = format!("/operations/{}/cancel", asked["id"].as_str().unwrap());
    Ask::post(&path).send(&house.router).await.expect(202);
    house.wait(Duration::from_secs(2));
    house.operate().await;
    assert_eq!(operation(&house, &asked["id"]).await["state"], "undone");
    assert_eq!(node(&house, &lone).await["scheduling"], "open");
}

#[tokio::test]
async fn a_drain_without_another_place_is_stuck_at_its_deadline() {
    let mut house = House::on_sqlite().await;
    let lone = Machine::join(&house, "n1").await;
    house.deploy("a").await;
    house.settle().await;
    lone.hang();
    let asked = drain(&house, &lone).await;
    house.operate().await;
    house.wait(Duration::from_secs(61));
    house.operate().await;
    let stuck = operation(&house, &asked["id"]).await;
    assert_eq!(stuck["state"], "stuck");
    assert!(
        stuck["problem"]
            .as_str()
            .unwrap()
            .contains("could not be moved"),
        "{stuck}"
    );
    let listed = Ask::get("/operations?live=true")
        .send(&house.router)
        .await
        .expect(200);
    assert_eq!(listed, json!([]));
}

#[tokio::test]
async fn a_node_with_work_is_drained_before_it_is_removed() {
    on_both(async |mut house| {
        let first = Machine::join(&house, "n1").await;
        let id = house.deploy("a").await;
        house.settle().await;
        let second = Machine::join(&house, "n2").await;
        let path = format!("/slaves/{}", first.id);
        let asked = Ask::delete(&path).send(&house.router).await.expect(202);
        assert_eq!(asked["kind"], "node.remove");
        for _ in 0..6 {
            house.wait(Duration::from_secs(2));
            second.beat(&house).await;
            house.settle().await;
        }
        assert_eq!(operation(&house, &asked["id"]).await["state"], "done");
        Ask::get(&path)
            .send(&house.router)
            .await
            .refused(404, "not_found");
        assert_eq!(house.workload(&id).await["slave_name"], "n2");
        let late = Ask::post("/slaves/heartbeat").key(&first.key);
        let late = late.json(&json!({"total_cpu": 1, "total_mem": 1, "total_disk": 1}));
        late.send(&house.router)
            .await
            .refused(401, "unauthenticated");
    })
    .await;
}

#[tokio::test]
async fn an_empty_node_is_removed_at_once_and_a_dead_one_by_force() {
    let mut house = House::on_sqlite().await;
    let empty = Machine::register(&house, "n1").await;
    Ask::delete(&format!("/slaves/{}", empty.id))
        .send(&house.router)
        .await
        .expect(204);
    let dead = Machine::join(&house, "n2").await;
    let id = house.deploy("a").await;
    house.settle().await;
    let path = format!("/slaves/{}?force=true", dead.id);
    Ask::new(Method::DELETE, &path)
        .send(&house.router)
        .await
        .expect(204);
    let heir = Machine::join(&house, "n3").await;
    house.settle().await;
    assert_eq!(heir.state(&id), Some(SeenState::Running));
}
