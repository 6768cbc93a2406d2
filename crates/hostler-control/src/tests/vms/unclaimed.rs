//! Machines that nobody here ordered: listed, adopted as they are, removed;
//! and otherwise left alone.

use hostler_core::vm::VmSeenState;
use serde_json::{Value, json};

use super::life::{post, stage};
use crate::testing::{Ask, House, Machine, on_both};

async fn listed(house: &House) -> Vec<Value> {
    let listed = Ask::get("/vms/unclaimed").send(&house.router).await;
    let listed = listed.expect(200);
    let ours = listed.as_array().unwrap().iter();
    ours.filter(|one| one.get("id").is_some())
        .cloned()
        .collect()
}

/// A VM that was made, stopped and given a snapshot by a control plane whose
/// database is lost since; its node joins `house`.
async fn orphan(house: &mut House) -> (Machine, String) {
    let mut before = House::on_sqlite().await;
    let there = stage(&before).await;
    let disks = json!([{"name": "data", "bytes": 1 << 20}]);
    let id = before.vm("web", json!({"cpus": 2, "disks": disks})).await;
    before.settle().await;
    let snapshot = Ask::post(&format!("/vms/{id}/snapshots")).json(&json!({"name": "first"}));
    snapshot.send(&before.router).await.expect(202);
    before.settle().await;
    let machine = Machine::join(house, "n1").await;
    machine.hold_vms(house, 100).await;
    machine.vms.take_over(&there.vms);
    machine.beat(house).await;
    (machine, id)
}

async fn adopt(house: &House, id: &str, body: Value) -> crate::testing::Answer {
    let path = format!("/vms/unclaimed/{id}/adopt");
    Ask::post(&path).json(&body).send(&house.router).await
}

#[tokio::test]
async fn a_machine_is_adopted_as_it_is_and_obeys_from_then_on() {
    on_both(async |mut house| {
        let (machine, id) = orphan(&mut house).await;
        let before = machine.vms.entry(&id).unwrap();
        let told = machine.vms.orders(&id).len();
        house.settle().await;
        assert_eq!(machine.vms.orders(&id).len(), told, "it is left alone");
        let found = &listed(&house).await[0];
        assert_eq!(
            (&found["id"], &found["running"]),
            (&json!(id), &json!(true))
        );
        let made = adopt(&house, &id, json!({})).await.expect(202);
        assert_eq!(
            (&made["name"], &made["cpus"], &made["slave_name"]),
            (&json!("web"), &json!(2), &json!("n1"))
        );
        assert!(listed(&house).await.is_empty());
        house.settle().await;
        assert_eq!(house.vm_status(&id).await, "running");
        let entry = machine.vms.entry(&id).unwrap();
        assert_eq!(entry.generation, before.generation.next());
        let order = machine.vms.wanted(&id);
        assert_eq!((order.disks.len(), order.snapshots.len()), (1, 1));
        let snapshots = Ask::get(&format!("/vms/{id}/snapshots"));
        let snapshots = snapshots.send(&house.router).await.expect(200);
        assert_eq!(
            (&snapshots[0]["name"], &snapshots[0]["state"]),
            (&json!("adopted-1"), &json!("ready"))
        );
        assert!(house.kinds().await.contains(&"vm.adopted".to_owned()));
        // Its room was counted as that of a stranger until its node speaks again.
        machine.beat(&house).await;
        let node = Ask::get(&format!("/slaves/{}", machine.id));
        let node = node.send(&house.router).await.expect(200);
        assert_eq!(node["reserved"]["cpu_millis"], 2_000);
        post(&house, &id, "stop").await;
        house.settle().await;
        assert_eq!(machine.vms.entry(&id).unwrap().state, VmSeenState::Stopped);
        adopt(&house, &id, json!({}))
            .await
            .refused(404, "not_found");
    })
    .await;
}

#[tokio::test]
async fn a_machine_that_two_nodes_have_is_adopted_after_one_was_removed() {
    let mut house = House::on_sqlite().await;
    let (machine, id) = orphan(&mut house).await;
    let other = Machine::join(&house, "n2").await;
    other.hold_vms(&house, 100).await;
    other.vms.take_over(&machine.vms);
    other.beat(&house).await;
    adopt(&house, &id, json!({})).await.refused(409, "conflict");
    let here = json!({"slave_id": machine.id});
    let text = adopt(&house, &id, here.clone()).await;
    let text = text.refused(409, "conflict");
    assert!(text.contains("has a machine of this id, too"), "{text}");
    let path = format!("/vms/unclaimed/{id}");
    let remove = || Ask::delete(&format!("{path}?slave_id={}", other.id));
    remove().send(&house.router).await.expect(202);
    assert_eq!(other.vms.entry(&id).unwrap().state, VmSeenState::Absent);
    assert_eq!(machine.vms.entry(&id).unwrap().state, VmSeenState::Running);
    other.beat(&house).await;
    remove().send(&house.router).await.refused(404, "not_found");
    adopt(&house, &id, here).await.expect(202);
    house.settle().await;
    assert_eq!(house.vm_status(&id).await, "running");
    let kinds = house.kinds().await;
    assert!(
        kinds.contains(&"vm.unclaimed-removed".to_owned()),
        "{kinds:?}"
    );
}

#[tokio::test]
async fn an_adoption_keeps_to_names_and_quotas_and_to_what_is_ours() {
    let mut house = House::on_sqlite().await;
    let (_machine, id) = orphan(&mut house).await;
    house
        .vm("web", json!({"image": null, "disk_bytes": 1 << 20}))
        .await;
    adopt(&house, &id, json!({})).await.refused(409, "conflict");
    let bad = adopt(&house, &id, json!({"name": "../x"})).await;
    bad.refused(422, "invalid");
    let lab = json!({"name": "lab", "quota": {"cpu_millis": 1_000}});
    let made = Ask::post("/projects").json(&lab);
    made.send(&house.router).await.expect(201);
    let text = adopt(&house, &id, json!({"project": "lab"})).await;
    let text = text.refused(409, "conflict");
    assert!(text.contains("quota"), "{text}");
    let nobody = uuid::Uuid::now_v7().to_string();
    adopt(&house, &nobody, json!({}))
        .await
        .refused(404, "not_found");
    let free = adopt(&house, &id, json!({"name": "found"})).await;
    free.expect(202);
}
