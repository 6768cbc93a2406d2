//! Many at once: places, names, keys.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::life::stage;
use crate::testing::{Ask, House, Machine, eventually, on_both};

/// A node with room for ten VMs.
async fn room(house: &House, name: &str) -> Machine {
    let machine = Machine::join(house, name).await;
    machine.grow(house, 400).await;
    machine.hold_vms(house, 10).await;
    machine
}

/// The VMs of this status, once they are as they should be.
async fn listed(house: &House, status: &str, is_so: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let began = Instant::now();
    loop {
        let page = Ask::get(&format!("/vms?limit=1000&status={status}"));
        let page = page.send(&house.router).await.expect(200);
        let found = page["items"].as_array().unwrap().clone();
        if is_so(&found) {
            return found;
        }
        assert!(
            began.elapsed() < Duration::from_mins(1),
            "{status}: {found:?}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_creates_for_twenty_places_seat_twenty_and_queue_eighty_with_a_reason() {
    on_both(async |house| {
        house.image("debian").await;
        let machines = [room(&house, "n1").await, room(&house, "n2").await];
        let tasks = house.run_passes();
        let creates = (0..100).map(|number| {
            let body = json!({"name": format!("v{number}"), "image": "debian",
                "memory_bytes": 64 << 20});
            let router = house.router.clone();
            tokio::spawn(async move { Ask::post("/vms").json(&body).send(&router).await.status })
        });
        for status in futures::future::join_all(creates).await {
            assert_eq!(status.unwrap(), 201);
        }
        let held = || {
            machines
                .iter()
                .map(|machine| machine.vms.ledger().len())
                .sum::<usize>()
        };
        eventually("twenty are held", || held() == 20).await;
        let queued = listed(&house, "queued", |all| {
            all.iter().all(|vm| vm["reason"].is_string())
        });
        let queued = queued.await;
        assert_eq!(queued.len(), 80);
        for vm in &queued {
            let reason = vm["reason"].as_str().unwrap_or_default();
            assert!(reason.contains("without room"), "{vm}");
        }
        assert_eq!(held(), 20, "and no more");
        listed(&house, "running", |all| all.len() == 20).await;
        house.end(tasks).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_creates_within_a_quota_of_twenty_make_twenty() {
    on_both(async |house| {
        house.image("debian").await;
        let project = json!({"name": "lab", "quota": {"vms": 20}});
        let made = Ask::post("/projects").json(&project);
        made.send(&house.router).await.expect(201);
        let creates = (0..100).map(|number| {
            let body = json!({"name": format!("v{number}"), "project": "lab",
                "disk_bytes": 1 << 20});
            let router = house.router.clone();
            tokio::spawn(async move { Ask::post("/vms").json(&body).send(&router).await })
        });
        let (mut made, mut refused) = (Vec::new(), 0);
        for answer in futures::future::join_all(creates).await {
            let answer = answer.unwrap();
            if answer.status == 201 {
                made.push(answer.expect(201)["id"].as_str().unwrap().to_owned());
            } else {
                let body = answer.expect(409);
                let text = body["error"].as_str().unwrap();
                assert!(text.contains("vms: 20 of 20 are used"), "{text}");
                let hint = "GET /projects/lab shows what it may have and what it has";
                assert_eq!(
                    (&body["code"], &body["hint"]),
                    (&json!("conflict"), &json!(hint))
                );
                refused += 1;
            }
        }
        assert_eq!((made.len(), refused), (20, 80));
        let shown = Ask::get("/projects/lab").send(&house.router).await;
        let shown = shown.expect(200);
        assert_eq!(
            (&shown["used"]["vms"], &shown["used"]["disk_bytes"]),
            (&json!(20), &json!(20 << 20))
        );
        let delete = Ask::delete("/projects/lab").send(&house.router).await;
        delete.refused(409, "conflict");
        let trash = Ask::delete(&format!("/vms/{}", made[0]));
        trash.send(&house.router).await.expect(202);
        let body = json!({"name": "one-more", "project": "lab", "disk_bytes": 1 << 20});
        let create = Ask::post("/vms").json(&body);
        create.send(&house.router).await.expect(201);
        let restore = Ask::post(&format!("/vms/{}/restore", made[0]));
        restore.send(&house.router).await.refused(409, "conflict");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_name_asked_for_at_once_in_one_project_is_given_once() {
    on_both(async |house| {
        let _machine = stage(&house).await;
        let body = json!({"name": "web", "image": "debian"});
        let ask = || {
            let (router, body) = (house.router.clone(), body.clone());
            tokio::spawn(async move { Ask::post("/vms").json(&body).send(&router).await.status })
        };
        let answers = futures::future::join_all((0..8).map(|_| ask())).await;
        let count = |status: u16| {
            let same = |answer: &&Result<axum::http::StatusCode, _>| {
                answer.as_ref().unwrap().as_u16() == status
            };
            answers.iter().filter(same).count()
        };
        assert_eq!((count(201), count(409)), (1, 7));
    })
    .await;
}

#[tokio::test]
async fn a_request_sent_again_makes_nothing_new() {
    on_both(async |house| {
        let _machine = stage(&house).await;
        let ask = |name: &str| {
            let body = json!({"name": name, "image": "debian"});
            Ask::post("/vms").header("idempotency-key", "k").json(&body)
        };
        let made = ask("web").send(&house.router).await.expect(201);
        let again = ask("web").send(&house.router).await.expect(200);
        assert_eq!(made["id"], again["id"]);
        ask("other")
            .send(&house.router)
            .await
            .refused(422, "invalid");
    })
    .await;
}

#[tokio::test]
async fn workloads_and_vms_never_share_room() {
    let mut house = House::on_sqlite().await;
    let machine = stage(&house).await;
    // 16 slots: 4 cores, 8 GiB.
    let id = house.vm("web", json!({"cpus": 4})).await;
    house.settle().await;
    assert_eq!(house.vm_status(&id).await, "running");
    let work = house.deploy("echo").await;
    house.settle().await;
    assert_eq!(house.status(&work).await, "queued");
    super::life::post(&house, &id, "stop").await;
    house.settle().await;
    assert_eq!(
        house.status(&work).await,
        "running",
        "what a stopped VM gave back is used"
    );
    let start = Ask::post(&format!("/vms/{id}/start"));
    start.send(&house.router).await.refused(409, "conflict");
    drop(machine);
}
