//! Resize, rename, labels, restart, clone, snapshots, what is found.

use axum::http::Method;
use hostler_wire::node_api::DiskSource;
use serde_json::{Value, json};

use super::life::{post, stage};
use crate::testing::{Ask, House, Machine, on_both};

async fn patch(house: &House, id: &str, body: Value) -> crate::testing::Answer {
    let ask = Ask::new(Method::PATCH, &format!("/vms/{id}")).json(&body);
    ask.send(&house.router).await
}

#[tokio::test]
async fn a_vm_is_resized_within_its_node_and_its_disk_only_grows() {
    on_both(async |mut house| {
        let machine = stage(&house).await;
        let id = house.vm("web", json!({})).await;
        house.settle().await;
        let body = json!({"cpus": 2, "memory_bytes": 128 << 20, "disk_bytes": 128 << 20});
        patch(&house, &id, body).await.expect(202);
        house.settle().await;
        let order = machine.vms.wanted(&id);
        assert_eq!((order.size.cpus, order.size.disk.get()), (2, 128 << 20));
        let node = Ask::get(&format!("/slaves/{}", machine.id))
            .send(&house.router)
            .await;
        assert_eq!(node.expect(200)["reserved"]["cpu_millis"], 2_000);
        patch(&house, &id, json!({"disk_bytes": 64 << 20}))
            .await
            .refused(422, "invalid");
        patch(&house, &id, json!({"cpus": 200}))
            .await
            .refused(409, "conflict");
        patch(&house, &id, json!({"cpus": 0}))
            .await
            .refused(422, "invalid");
        assert_eq!(house.vm_of(&id).await["cpus"], 2);
    })
    .await;
}

#[tokio::test]
async fn a_name_and_labels_change_and_a_restart_is_counted() {
    on_both(async |mut house| {
        let machine = stage(&house).await;
        let id = house.vm("web", json!({})).await;
        house.vm("other", json!({})).await;
        house.settle().await;
        let rename = |name: &str| {
            let ask = Ask::post(&format!("/vms/{id}/rename"));
            ask.json(&json!({"name": name}))
        };
        rename("other")
            .send(&house.router)
            .await
            .refused(409, "conflict");
        rename("<x>")
            .send(&house.router)
            .await
            .refused(422, "invalid");
        rename("site").send(&house.router).await.expect(202);
        patch(&house, &id, json!({"labels": {"a": "b"}}))
            .await
            .expect(202);
        post(&house, &id, "restart").await;
        post(&house, &id, "restart").await;
        house.settle().await;
        let order = machine.vms.wanted(&id);
        assert_eq!((order.name.as_str(), order.reboots), ("site", 2));
        let shown = house.vm_of(&id).await;
        assert_eq!(
            (&shown["labels"], &shown["seen"]["reboots"]),
            (&json!({"a": "b"}), &json!(2))
        );
        post(&house, &id, "stop").await;
        post(&house, &id, "restart").await;
        house.settle().await;
        assert_eq!(
            machine.vms.wanted(&id).reboots,
            2,
            "what was off is only started"
        );
        assert_eq!(house.vm_status(&id).await, "running");
    })
    .await;
}

#[tokio::test]
async fn a_clone_is_made_beside_its_original_from_its_disk() {
    on_both(async |mut house| {
        let machine = stage(&house).await;
        let id = house
            .vm(
                "web",
                json!({"ssh_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5"]}),
            )
            .await;
        let early = Ask::post(&format!("/vms/{id}/duplicate")).json(&json!({}));
        early.send(&house.router).await.refused(409, "conflict");
        house.settle().await;
        let ask = || Ask::post(&format!("/vms/{id}/duplicate")).header("idempotency-key", "once");
        let made = ask().json(&json!({})).send(&house.router).await.expect(202);
        let again = ask().json(&json!({})).send(&house.router).await.expect(202);
        assert_eq!(again["id"], made["id"], "the same request makes one clone");
        house.settle().await;
        let clone = made["id"].as_str().unwrap();
        let (one, other) = (machine.vms.wanted(&id), machine.vms.wanted(clone));
        assert_eq!(
            other.root,
            DiskSource::Clone {
                vm: id.parse().unwrap()
            }
        );
        assert_ne!(one.nics[0].mac, other.nics[0].mac);
        assert_eq!(
            (other.seed.hostname.as_str(), one.seed.ssh_keys),
            ("web-copy", other.seed.ssh_keys)
        );
        let twice = Ask::post(&format!("/vms/{id}/duplicate")).json(&json!({}));
        twice.send(&house.router).await.refused(409, "conflict");
    })
    .await;
}

#[tokio::test]
async fn snapshots_are_taken_gone_back_to_and_removed() {
    on_both(async |mut house| {
        let machine = stage(&house).await;
        let id = house.vm("web", json!({})).await;
        house.settle().await;
        let path = format!("/vms/{id}/snapshots");
        let take = || Ask::post(&path).json(&json!({"name": "before", "memory": true}));
        machine.vms.mute(true);
        let made = take().send(&house.router).await.expect(202);
        assert_eq!(made["state"], "taking");
        take().send(&house.router).await.refused(409, "conflict");
        let snapshot = format!("{path}/{}", made["id"].as_str().unwrap());
        let back = || Ask::post(&format!("{snapshot}/rollback"));
        back().send(&house.router).await.refused(409, "conflict");
        house.pass().await;
        machine.vms.mute(false);
        house.settle().await;
        let listed = Ask::get(&path).send(&house.router).await.expect(200);
        assert_eq!(
            (&listed[0]["state"], &listed[0]["memory"]),
            (&json!("ready"), &json!(true))
        );
        back().send(&house.router).await.expect(202);
        back().send(&house.router).await.expect(202);
        house.settle().await;
        let order = machine.vms.wanted(&id);
        assert_eq!(order.rollback.unwrap().number, 2);
        Ask::delete(&snapshot).send(&house.router).await.expect(202);
        house.settle().await;
        assert_eq!(machine.vms.wanted(&id).snapshots, []);
        let listed = Ask::get(&path).send(&house.router).await.expect(200);
        assert_eq!(listed, json!([]));
        Ask::delete(&snapshot)
            .send(&house.router)
            .await
            .refused(404, "not_found");
    })
    .await;
}

#[tokio::test]
async fn what_is_found_on_nodes_is_listed_and_left_alone() {
    let mut house = House::on_sqlite().await;
    let machine = stage(&house).await;
    house.settle().await;
    let listed = Ask::get("/vms/unclaimed")
        .send(&house.router)
        .await
        .expect(200);
    assert_eq!(
        (&listed[0]["name"], &listed[0]["slave_name"]),
        (&json!("old"), &json!("n1"))
    );
    assert_eq!(machine.vms.ledger(), []);
}

#[tokio::test]
async fn a_plan_says_where_it_would_go_and_makes_nothing() {
    on_both(async |mut house| {
        let machine = stage(&house).await;
        let other = Machine::join(&house, "n2").await;
        let body = json!({"name": "web", "image": "debian", "memory_bytes": 64 << 20});
        let plan = Ask::post("/vms?dry_run=1")
            .json(&body)
            .send(&house.router)
            .await;
        let plan = plan.expect(200);
        assert_eq!(plan["summary"], "it would be placed on n1");
        let verdicts = plan["nodes"].to_string();
        assert!(verdicts.contains("of disk for VMs"), "{verdicts}");
        let listed = Ask::get("/vms").send(&house.router).await.expect(200);
        assert_eq!(listed["items"], json!([]));
        let pinned = house.vm("pinned", json!({"slave_id": other.id})).await;
        house.settle().await;
        assert_eq!(house.vm_status(&pinned).await, "queued");
        other.hold_vms(&house, 1).await;
        house.settle().await;
        assert_eq!(house.vm_of(&pinned).await["slave_name"], "n2");
        let told = Ask::get(&format!("/vms/{pinned}/explain"))
            .send(&house.router)
            .await;
        let told = told.expect(200)["summary"].to_string();
        assert!(told.contains("seated on n2"), "{told}");
        drop(machine);
    })
    .await;
}
