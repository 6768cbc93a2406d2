//! Work that changes its place: its node dies, comes back, hangs, or holds
//! what it should not.

use std::time::Duration;

use hostler_core::Generation;
use hostler_core::id::WorkloadId;
use hostler_core::workload::SeenState;
use hostler_store::{By, ChangeOutcome, Unseat};
use hostler_wire::node_api::Entry;
use serde_json::json;

use crate::testing::{Ask, House, Machine, eventually, on_both};

/// Heartbeats come every ten seconds; a lease lasts five of them.
const BEAT: Duration = Duration::from_secs(10);

/// Two nodes, a workload running on one of them: (that one, the other).
async fn running_on_one_of_two(house: &mut House) -> (Machine, Machine, String) {
    let first = Machine::join(house, "n1").await;
    let second = Machine::join(house, "n2").await;
    // Both know by now that they are two.
    first.beat(house).await;
    let id = house.deploy("echo").await;
    house.settle().await;
    let on_first = house.workload(&id).await["slave_name"] == "n1";
    if on_first {
        (first, second, id)
    } else {
        (second, first, id)
    }
}

#[tokio::test]
async fn a_silent_nodes_work_is_unknown_and_moves_after_the_lease() {
    on_both(async |mut house| {
        let (silent, other, id) = running_on_one_of_two(&mut house).await;
        for _ in 0..3 {
            house.wait(BEAT);
            other.beat(&house).await;
            house.settle().await;
        }
        assert_eq!(house.status(&id).await, "unknown");
        assert_eq!(other.orders(&id).len(), 0, "the lease has not ended");
        let node = Ask::get(&format!("/slaves/{}", silent.id))
            .send(&house.router)
            .await;
        assert_eq!(node.expect(200)["status"], "offline");
        for _ in 0..2 {
            house.wait(BEAT);
            other.beat(&house).await;
            house.settle().await;
        }
        assert_eq!(house.status(&id).await, "running");
        assert_eq!(other.state(&id), Some(SeenState::Running));
        let old = silent.entry(&id).unwrap();
        assert_eq!(old.state, SeenState::Running, "nobody could tell it");
        silent.beat(&house).await;
        house.settle().await;
        let retired = silent.entry(&id).unwrap();
        assert_eq!(
            retired.state,
            SeenState::Absent,
            "it was told as soon as it was back"
        );
        assert!(retired.generation > old.generation);
        assert_eq!(
            house.status(&id).await,
            "running",
            "where it went, it stays"
        );
        let kinds = house.kinds().await;
        for kind in ["node.offline", "workload.unseated", "node.online"] {
            assert!(
                kinds.contains(&kind.to_owned()),
                "{kind} is not in {kinds:?}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn work_that_waits_for_its_node_does_not_move() {
    let mut house = House::on_sqlite().await;
    let silent = Machine::join(&house, "n1").await;
    let mut body = house.service("db").await;
    body["on_node_loss"] = json!("wait");
    let made = Ask::post("/workloads")
        .json(&body)
        .send(&house.router)
        .await
        .expect(201);
    let id = made["id"].as_str().unwrap();
    house.settle().await;
    let other = Machine::join(&house, "n2").await;
    silent.beat(&house).await;
    for _ in 0..20 {
        house.wait(BEAT);
        other.beat(&house).await;
        house.settle().await;
    }
    assert_eq!(house.status(id).await, "unknown");
    assert_eq!(other.orders(id).len(), 0);
    silent.beat(&house).await;
    house.settle().await;
    assert_eq!(house.status(id).await, "running");
}

#[tokio::test]
async fn a_lone_nodes_work_is_its_own_for_ever() {
    let mut house = House::on_sqlite().await;
    let machine = Machine::register(&house, "n1").await;
    let reply = machine.beat(&house).await;
    assert_eq!(reply.get("fence_after_ms"), None, "{reply}");
    let id = house.deploy("echo").await;
    house.settle().await;
    house.wait(BEAT * 100);
    let second = Machine::join(&house, "n2").await;
    house.settle().await;
    assert_eq!(house.status(&id).await, "unknown");
    assert_eq!(second.orders(&id).len(), 0);
}

#[tokio::test]
async fn a_node_that_does_not_answer_delays_nobody_else() {
    let mut house = House::on_sqlite().await;
    let hanging = Machine::join(&house, "n1").await;
    hanging.hang();
    for number in 0..20 {
        house.deploy(&format!("slow{number}")).await;
    }
    house.look_after_workloads().await;
    house.look_after_workloads().await;
    let fine = Machine::join(&house, "n2").await;
    let path = format!("/slaves/{}", hanging.id);
    let close = Ask::new(axum::http::Method::PATCH, &path).json(&json!({"scheduling": "closed"}));
    close.send(&house.router).await.expect(200);
    let id = house.deploy("quick").await;
    house.look_after_workloads().await;
    house.look_after_workloads().await;
    eventually("the other node has its order", || fine.state(&id).is_some()).await;
}

#[tokio::test]
async fn what_a_node_holds_of_the_dead_it_is_told_to_drop() {
    on_both(async |mut house| {
        let machine = Machine::join(&house, "n1").await;
        let id = house.deploy("echo").await;
        house.settle().await;
        let before = machine.entry(&id).unwrap();
        Ask::delete(&format!("/workloads/{id}"))
            .send(&house.router)
            .await
            .expect(202);
        house.settle().await;
        // A disk put back from yesterday.
        machine.set(before);
        machine.beat(&house).await;
        house.settle().await;
        assert_eq!(machine.state(&id), Some(SeenState::Absent));
    })
    .await;
}

#[tokio::test]
async fn what_nobody_knows_is_shown_and_left_alone() {
    let mut house = House::on_sqlite().await;
    let machine = Machine::join(&house, "n1").await;
    let id = WorkloadId::from_parts(1, [9; 10]);
    machine.set(Entry {
        id,
        generation: Generation::FIRST,
        state: SeenState::Running,
        slot: None,
        restarts: 0,
        problem: None,
    });
    machine.beat(&house).await;
    house.settle().await;
    assert_eq!(machine.state(&id.to_string()), Some(SeenState::Running));
    let node = Ask::get(&format!("/slaves/{}", machine.id))
        .send(&house.router)
        .await
        .expect(200);
    assert_eq!(node["unclaimed"], json!([id.to_string()]));
}

#[tokio::test]
async fn a_heartbeat_that_comes_late_changes_nothing() {
    let mut house = House::on_sqlite().await;
    let machine = Machine::join(&house, "n1").await;
    let id = house.deploy("echo").await;
    house.settle().await;
    machine.beat(&house).await;
    machine.rewind(2);
    machine.forget_all();
    machine
        .ask_beat()
        .send(&house.router)
        .await
        .refused(409, "conflict");
    house.settle().await;
    assert_eq!(
        machine.orders(&id).len(),
        1,
        "nothing was concluded from it"
    );
}

#[tokio::test]
async fn a_node_heard_in_the_last_moment_keeps_its_work() {
    on_both(async |mut house| {
        let (silent, _, id) = running_on_one_of_two(&mut house).await;
        house.wait(BEAT * 5);
        let row = house
            .app
            .store
            .workload_get(id.parse().unwrap())
            .await
            .unwrap()
            .unwrap();
        let unseat = Unseat {
            workload: row.facts.id,
            expected: row.facts.generation,
            node: row.facts.seat.unwrap(),
            why: "it was silent when the pass looked",
        };
        // Between the look and the deed it is heard.
        silent.beat(&house).await;
        let by = By::new("hostler", house.app.now());
        let outcome = house
            .app
            .store
            .workload_unseat_lost(&by, unseat, None)
            .await
            .unwrap();
        assert_eq!(outcome, ChangeOutcome::Stale);
        let kept = house
            .app
            .store
            .workload_get(row.facts.id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(kept.facts.seat, row.facts.seat);
        house.wait(BEAT * 5);
        let by = By::new("hostler", house.app.now());
        let outcome = house
            .app
            .store
            .workload_unseat_lost(&by, unseat, None)
            .await
            .unwrap();
        assert_eq!(outcome, ChangeOutcome::Changed);
    })
    .await;
}
