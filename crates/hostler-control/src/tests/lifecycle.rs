//! A workload's life on a node that obeys.

use std::time::Duration;

use hostler_core::workload::{NodeGoal, SeenState};
use hostler_store::SeenEntry;
use serde_json::json;

use crate::testing::{Ask, House, Machine, on_both};

async fn post(house: &House, id: &str, verb: &str) {
    let path = format!("/workloads/{id}/{verb}");
    Ask::post(&path).send(&house.router).await.expect(202);
}

#[tokio::test]
async fn a_workload_is_placed_ordered_and_seen_running() {
    on_both(async |mut house| {
        let machine = Machine::join(&house, "n1").await;
        let id = house.deploy("echo").await;
        assert_eq!(house.status(&id).await, "queued");
        house.settle().await;
        let shown = house.workload(&id).await;
        assert_eq!(shown["status"], "running", "{shown}");
        assert_eq!(shown["slave_name"], "n1");
        assert_eq!(shown["seen"]["slot"], "slot");
        let orders = machine.orders(&id);
        assert_eq!(orders.len(), 1, "one order is enough");
        assert_eq!(orders[0].goal, NodeGoal::Running);
        assert!(
            orders[0].heartbeat.is_some(),
            "it names the heartbeat it was decided on"
        );
        house.settle().await;
        assert_eq!(
            machine.orders(&id).len(),
            1,
            "what is settled is left alone"
        );
    })
    .await;
}

#[tokio::test]
async fn a_workload_is_stopped_and_started_again() {
    on_both(async |mut house| {
        let machine = Machine::join(&house, "n1").await;
        let id = house.deploy("echo").await;
        house.settle().await;
        post(&house, &id, "stop").await;
        assert_eq!(house.status(&id).await, "stopping");
        house.settle().await;
        assert_eq!(house.status(&id).await, "stopped");
        assert_eq!(machine.state(&id), Some(SeenState::Absent));
        let node = Ask::get(&format!("/slaves/{}", machine.id))
            .send(&house.router)
            .await;
        let node = node.expect(200);
        assert_eq!(
            node["reserved"],
            json!({"cpu_millis": 0, "memory_bytes": 0})
        );
        let before = machine.entry(&id).unwrap().generation;
        post(&house, &id, "start").await;
        house.settle().await;
        assert_eq!(house.status(&id).await, "running");
        assert!(machine.entry(&id).unwrap().generation > before);
    })
    .await;
}

#[tokio::test]
async fn a_deleted_workload_is_erased_after_its_node_says_absent() {
    on_both(async |mut house| {
        let machine = Machine::join(&house, "n1").await;
        let id = house.deploy("echo").await;
        house.settle().await;
        machine.hang();
        Ask::delete(&format!("/workloads/{id}"))
            .send(&house.router)
            .await
            .expect(202);
        house.look_after_workloads().await;
        assert_eq!(
            house.status(&id).await,
            "deleting",
            "its node has not said so yet"
        );
        let path = format!("/workloads/{id}/start");
        Ask::post(&path)
            .send(&house.router)
            .await
            .refused(410, "gone");
        let mut entry = machine.entry(&id).unwrap();
        entry.generation = entry.generation.next();
        entry.state = SeenState::Absent;
        machine.set(entry);
        machine.beat(&house).await;
        house.look_after_workloads().await;
        house.look_after_workloads().await;
        Ask::get(&format!("/workloads/{id}"))
            .send(&house.router)
            .await
            .refused(404, "not_found");
        assert!(house.kinds().await.contains(&"workload.erased".to_owned()));
        let reply = machine.beat(&house).await;
        assert_eq!(
            reply["forget"][0][0],
            json!(id),
            "its mark is of no more use"
        );
    })
    .await;
}

#[tokio::test]
async fn what_a_workload_comes_to_is_told_by_heartbeats() {
    on_both(async |mut house| {
        let machine = Machine::join(&house, "n1").await;
        let id = house.deploy("echo").await;
        house.settle().await;
        let mut entry = machine.entry(&id).unwrap();
        entry.state = SeenState::Failed;
        entry.problem = Some("exited with 1, ten times".to_owned());
        machine.set(entry);
        machine.beat(&house).await;
        let shown = house.workload(&id).await;
        assert_eq!(shown["status"], "failed");
        assert_eq!(shown["reason"], "exited with 1, ten times");
        assert!(house.kinds().await.contains(&"workload.failed".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn a_node_that_lost_its_ledger_is_told_again() {
    on_both(async |mut house| {
        let machine = Machine::join(&house, "n1").await;
        let id = house.deploy("echo").await;
        house.settle().await;
        machine.forget_all();
        machine.beat(&house).await;
        house.settle().await;
        assert_eq!(machine.state(&id), Some(SeenState::Running));
        assert_eq!(machine.orders(&id).len(), 2);
    })
    .await;
}

/// It had dropped the work in a drain that was called off, and its ledger was
/// lost before its answer to that was heard.
#[tokio::test]
async fn an_absent_that_is_heard_after_the_work_was_ordered_again_says_nothing() {
    on_both(async |mut house| {
        let machine = Machine::join(&house, "n1").await;
        let id = house.deploy("echo").await;
        house.settle().await;
        let dropped = machine.entry(&id).unwrap();
        machine.forget_all();
        machine.beat(&house).await;
        house.settle().await;
        let again = machine.entry(&id).unwrap();
        assert!(again.generation > dropped.generation);
        let late = SeenEntry {
            id: dropped.id,
            generation: dropped.generation,
            state: SeenState::Absent,
            slot: None,
            restarts: 0,
            problem: None,
        };
        let node = machine.id.parse().unwrap();
        let (store, now) = (&house.app.store, house.app.now());
        store.workload_seen(now, node, &[late], None).await.unwrap();
        house.settle().await;
        assert_eq!(machine.entry(&id), Some(again));
        assert_eq!(house.status(&id).await, "running");
    })
    .await;
}

#[tokio::test]
async fn a_node_that_lost_its_ledger_and_obeyed_an_older_order_is_told_again() {
    on_both(async |mut house| {
        let machine = Machine::join(&house, "n1").await;
        let id = house.deploy("echo").await;
        house.settle().await;
        let running = machine.entry(&id).unwrap();
        // An order to drop what ran before, which was under way all the time.
        let mut dropped = running.clone();
        dropped.generation = hostler_core::Generation::new(running.generation.number() - 1);
        dropped.state = SeenState::Absent;
        machine.set(dropped);
        machine.beat(&house).await;
        house.settle().await;
        let again = machine.entry(&id).unwrap();
        assert_eq!(again.state, SeenState::Running);
        assert!(again.generation > running.generation);
        assert_eq!(machine.orders(&id).len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_row_older_than_what_its_node_was_told_overtakes_it() {
    let mut house = House::on_sqlite().await;
    let machine = Machine::join(&house, "n1").await;
    let id = house.deploy("echo").await;
    house.settle().await;
    let mut entry = machine.entry(&id).unwrap();
    entry.generation = hostler_core::Generation::new(40);
    entry.state = SeenState::Absent;
    machine.set(entry);
    machine.beat(&house).await;
    house.settle().await;
    assert_eq!(house.status(&id).await, "running");
    assert!(machine.entry(&id).unwrap().generation > hostler_core::Generation::new(40));
}

#[tokio::test]
async fn a_fenced_workload_is_ordered_again_at_the_same_generation() {
    let mut house = House::on_sqlite().await;
    let machine = Machine::join(&house, "n1").await;
    let id = house.deploy("echo").await;
    house.settle().await;
    let mut entry = machine.entry(&id).unwrap();
    let generation = entry.generation;
    entry.state = SeenState::Fenced;
    machine.set(entry);
    machine.beat(&house).await;
    assert_eq!(house.status(&id).await, "starting");
    house.settle().await;
    assert_eq!(house.status(&id).await, "running");
    assert_eq!(machine.entry(&id).unwrap().generation, generation);
}

#[tokio::test]
async fn the_mark_of_an_erased_workload_outlives_any_absence_of_a_node() {
    const HOUR: Duration = Duration::from_hours(1);
    let mut house = House::on_sqlite().await;
    let machine = Machine::join(&house, "n1").await;
    let id = house.deploy("echo").await;
    house.settle().await;
    let running = machine.entry(&id).unwrap();
    let delete = Ask::delete(&format!("/workloads/{id}"));
    delete.send(&house.router).await.expect(202);
    house.settle().await;
    house.wait(HOUR);
    machine.beat(&house).await;
    house.wait(100 * 24 * HOUR);
    house.sweep().await;
    // An order to run that was under way all the time arrives after all.
    machine.set(running);
    machine.beat(&house).await;
    let shown = Ask::get(&format!("/slaves/{}", machine.id));
    let shown = shown.send(&house.router).await.expect(200);
    assert_eq!(shown["unclaimed"], json!([]), "it is known to be dead");
    house.settle().await;
    assert_eq!(machine.state(&id), Some(SeenState::Absent));
    house.wait(25 * HOUR);
    machine.beat(&house).await;
    assert_eq!(house.sweep().await, 1, "now nobody can have it any more");
}
