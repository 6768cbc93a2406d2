//! Made, placed, seen, stopped, trashed, gone; and nodes that are lost.

use std::time::Duration;

use hostler_core::vm::{VmGoal, VmSeenState};
use hostler_wire::node_api::DiskSource;
use serde_json::{Value, json};

use crate::testing::{Ask, House, Machine, on_both};

/// A node with room for VMs, and the image they are made from.
pub(super) async fn stage(house: &House) -> Machine {
    house.image("debian").await;
    let machine = Machine::join(house, "n1").await;
    machine.hold_vms(house, 100).await;
    machine
}

pub(super) async fn post(house: &House, id: &str, verb: &str) -> Value {
    let path = format!("/vms/{id}/{verb}");
    Ask::post(&path).send(&house.router).await.expect(202)
}

async fn delete(house: &House, id: &str, query: &str) {
    let path = format!("/vms/{id}{query}");
    Ask::delete(&path).send(&house.router).await.expect(202);
}

#[tokio::test]
async fn a_vm_is_placed_ordered_and_seen_running() {
    on_both(async |mut house| {
        let machine = stage(&house).await;
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me";
        let id = house
            .vm(
                "web",
                json!({"ssh_keys": [key], "password": "correct horse"}),
            )
            .await;
        assert_eq!(house.vm_status(&id).await, "queued");
        house.settle().await;
        let shown = house.vm_of(&id).await;
        assert_eq!(
            (&shown["status"], &shown["slave_name"]),
            (&json!("running"), &json!("n1"))
        );
        assert_eq!(
            (&shown["ipv4"], &shown["os"]),
            (&json!("10.0.0.9"), &json!("debian:1"))
        );
        assert_eq!(shown["disk_bytes"], 64 << 20, "as large as its image");
        let order = machine.vms.wanted(&id);
        assert!(matches!(order.root, DiskSource::Image { .. }));
        assert_eq!(
            (order.seed.user.as_deref(), order.seed.ssh_keys),
            (Some("debian"), vec![key.to_owned()])
        );
        assert!(order.seed.password_hash.unwrap().starts_with("$6$"));
        let everything = shown.to_string() + &house.kinds().await.join(" ");
        assert!(!everything.contains("horse") && !everything.contains("$6$"));
        let orders = machine.vms.orders(&id);
        assert_eq!(orders.len(), 1, "one order is enough");
        assert!(orders[0].heartbeat.is_some());
        house.settle().await;
        assert_eq!(
            machine.vms.orders(&id).len(),
            1,
            "what is settled is left alone"
        );
    })
    .await;
}

#[tokio::test]
async fn a_stopped_vm_keeps_its_place_and_starts_there_again() {
    on_both(async |mut house| {
        let machine = stage(&house).await;
        let id = house.vm("web", json!({})).await;
        house.settle().await;
        post(&house, &id, "stop").await;
        assert_eq!(house.vm_status(&id).await, "stopping");
        house.settle().await;
        let shown = house.vm_of(&id).await;
        assert_eq!(
            (&shown["status"], &shown["slave_name"]),
            (&json!("stopped"), &json!("n1"))
        );
        let node = Ask::get(&format!("/slaves/{}", machine.id))
            .send(&house.router)
            .await;
        assert_eq!(node.expect(200)["reserved"]["memory_bytes"], 0);
        post(&house, &id, "start").await;
        house.settle().await;
        assert_eq!(house.vm_status(&id).await, "running");
        post(&house, &id, "stop?force=true").await;
        assert_eq!(machine.vms.wanted(&id).stop_deadline_ms, 60_000);
        house.settle().await;
        assert_eq!(
            machine.vms.wanted(&id).stop_deadline_ms,
            0,
            "it is switched off at once"
        );
    })
    .await;
}

#[tokio::test]
async fn a_deleted_vm_lies_in_the_trash_until_its_time_is_over() {
    on_both(async |mut house| {
        let machine = stage(&house).await;
        let id = house.vm("web", json!({})).await;
        house.settle().await;
        delete(&house, &id, "").await;
        house.settle().await;
        assert_eq!(house.vm_status(&id).await, "trashed");
        assert_eq!(machine.vms.entry(&id).unwrap().state, VmSeenState::Stopped);
        let start = Ask::post(&format!("/vms/{id}/start"));
        start.send(&house.router).await.refused(409, "conflict");
        post(&house, &id, "restore").await;
        post(&house, &id, "start").await;
        house.settle().await;
        assert_eq!(house.vm_status(&id).await, "running");
        delete(&house, &id, "").await;
        house.settle().await;
        house.wait(Duration::from_hours(7 * 24));
        machine.beat(&house).await;
        house.settle().await;
        let path = format!("/vms/{id}");
        Ask::get(&path)
            .send(&house.router)
            .await
            .refused(404, "not_found");
        assert_eq!(machine.vms.entry(&id).unwrap().state, VmSeenState::Absent);
        let reply = machine.beat(&house).await;
        assert_eq!(reply["forget_vms"][0][0], json!(id));
    })
    .await;
}

#[tokio::test]
async fn a_vm_is_erased_only_after_its_node_has_said_absent() {
    on_both(async |mut house| {
        let machine = stage(&house).await;
        let id = house.vm("web", json!({})).await;
        house.settle().await;
        machine.vms.mute(true);
        delete(&house, &id, "?now=true").await;
        house.pass().await;
        house.pass().await;
        assert_eq!(
            house.vm_status(&id).await,
            "deleting",
            "its answer was lost"
        );
        machine.vms.mute(false);
        machine.beat(&house).await;
        house.settle().await;
        Ask::get(&format!("/vms/{id}"))
            .send(&house.router)
            .await
            .refused(404, "not_found");
        house.vm("web", json!({})).await;
    })
    .await;
}

#[tokio::test]
async fn a_protected_vm_is_not_deleted() {
    let mut house = House::on_sqlite().await;
    let _machine = stage(&house).await;
    let id = house.vm("web", json!({"protected": true})).await;
    house.settle().await;
    for query in ["", "?now=true"] {
        let path = format!("/vms/{id}{query}");
        Ask::delete(&path)
            .send(&house.router)
            .await
            .refused(409, "conflict");
    }
    let ask = Ask::new(axum::http::Method::PATCH, &format!("/vms/{id}"));
    ask.json(&json!({"protected": false}))
        .send(&house.router)
        .await
        .expect(202);
    delete(&house, &id, "").await;
}

#[tokio::test]
async fn every_step_is_done_again_when_its_answer_was_lost() {
    on_both(async |mut house| {
        let machine = stage(&house).await;
        let id = house.vm("web", json!({})).await;
        for verb in ["start", "stop", "start", "pause", "resume"] {
            machine.vms.mute(true);
            post(&house, &id, verb).await;
            house.pass().await;
            house.pass().await;
            machine.vms.mute(false);
            house.settle().await;
            let shown = house.vm_of(&id).await;
            let seen = machine.vms.entry(&id).unwrap();
            assert_eq!(shown["seen"]["generation"], shown["generation"], "{verb}");
            assert_eq!(json!(seen.generation), shown["generation"], "{verb}");
        }
        assert_eq!(house.vm_status(&id).await, "running");
    })
    .await;
}

#[tokio::test]
async fn a_node_that_lost_its_ledger_is_told_again() {
    on_both(async |mut house| {
        let machine = stage(&house).await;
        let id = house.vm("web", json!({"activate_at_start": false})).await;
        house.settle().await;
        assert_eq!(house.vm_status(&id).await, "stopped");
        machine.vms.forget_all();
        machine.beat(&house).await;
        house.settle().await;
        assert_eq!(machine.vms.entry(&id).unwrap().state, VmSeenState::Stopped);
    })
    .await;
}

/// Two nodes; a VM on the first of them, which falls silent until its lease is
/// over. The VM, and both nodes.
async fn lost(house: &mut House, more: Value) -> (String, Machine, Machine) {
    let first = stage(house).await;
    let id = house.vm("web", more).await;
    house.settle().await;
    let second = Machine::join(house, "n2").await;
    second.hold_vms(house, 10).await;
    first.beat(house).await;
    first.beat(house).await;
    for _ in 0..8 {
        house.wait(Duration::from_secs(10));
        second.beat(house).await;
    }
    house.settle().await;
    (id, first, second)
}

#[tokio::test]
async fn a_vm_of_a_lost_node_waits_or_is_lost_and_comes_back_with_it() {
    on_both(async |mut house| {
        let more = json!({"on_node_loss": "restart"});
        let (id, first, second) = lost(&mut house, more).await;
        let shown = house.vm_of(&id).await;
        assert_eq!(
            (&shown["status"], &shown["slave_name"]),
            (&json!("lost"), &json!("n1"))
        );
        assert!(shown["reason"].as_str().unwrap().contains("lost"));
        assert_eq!(second.vms.entry(&id), None);
        first
            .vms
            .change(&id, |entry| entry.state = VmSeenState::Fenced);
        first.beat(&house).await;
        house.settle().await;
        assert_eq!(house.vm_status(&id).await, "running");
    })
    .await;
    let mut house = House::on_sqlite().await;
    let (id, _, _) = lost(&mut house, json!({})).await;
    assert_eq!(
        house.vm_status(&id).await,
        "unknown",
        "it waits, and nothing ended it"
    );
}

#[tokio::test]
async fn a_vm_that_may_begin_anew_does_so_elsewhere_and_once() {
    on_both(async |mut house| {
        let more = json!({"on_node_loss": "restart", "disk_on_loss": "fresh"});
        let (id, first, second) = lost(&mut house, more).await;
        let shown = house.vm_of(&id).await;
        assert_eq!(
            (&shown["status"], &shown["slave_name"]),
            (&json!("running"), &json!("n2"))
        );
        assert_eq!(second.vms.entry(&id).unwrap().state, VmSeenState::Running);
        first.beat(&house).await;
        house.settle().await;
        let entry = first.vms.entry(&id).unwrap();
        assert_eq!(
            entry.state,
            VmSeenState::Absent,
            "what moved is not run here again"
        );
        assert_eq!(house.vm_of(&id).await["slave_name"], "n2");
    })
    .await;
}

#[tokio::test]
async fn a_node_with_vms_leaves_only_by_force_and_their_disks_with_it() {
    let mut house = House::on_sqlite().await;
    let machine = stage(&house).await;
    let id = house.vm("web", json!({})).await;
    house.settle().await;
    let path = format!("/slaves/{}", machine.id);
    Ask::delete(&path)
        .send(&house.router)
        .await
        .refused(409, "conflict");
    let forced = format!("{path}?force=true");
    Ask::delete(&forced).send(&house.router).await.expect(204);
    house.settle().await;
    assert_eq!(house.vm_status(&id).await, "lost");
    let next = Machine::join(&house, "n2").await;
    next.hold_vms(&house, 10).await;
    house.settle().await;
    assert_eq!(
        house.vm_status(&id).await,
        "lost",
        "nobody said that a new disk will do"
    );
    let ask = Ask::new(axum::http::Method::PATCH, &format!("/vms/{id}"));
    ask.json(&json!({"disk_on_loss": "fresh"}))
        .send(&house.router)
        .await
        .expect(202);
    house.settle().await;
    assert_eq!(house.vm_status(&id).await, "running");
}

#[tokio::test]
async fn a_vm_that_failed_is_tried_again_by_its_owner() {
    let mut house = House::on_sqlite().await;
    let machine = stage(&house).await;
    let id = house.vm("web", json!({})).await;
    house.settle().await;
    machine.vms.change(&id, |entry| {
        entry.state = VmSeenState::Failed;
        entry.problem = Some("no such machine type".to_owned());
    });
    machine.beat(&house).await;
    let shown = house.vm_of(&id).await;
    assert_eq!(
        (&shown["status"], &shown["reason"]),
        (&json!("failed"), &json!("no such machine type"))
    );
    post(&house, &id, "start").await;
    house.settle().await;
    assert_eq!(house.vm_status(&id).await, "running");
    assert_eq!(
        machine.vms.orders(&id).last().unwrap().goal,
        VmGoal::Running
    );
}
