//! Many at once: places, names, keys.

use serde_json::json;

use super::life::stage;
use crate::testing::{Ask, House, Machine, eventually, on_both};

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_creates_for_twenty_places_seat_twenty_and_queue_eighty_with_a_reason() {
    on_both(async |house| {
        house.image("debian").await;
        let mut machines = Vec::new();
        for name in ["n1", "n2"] {
            let machine = Machine::join(&house, name).await;
            machine.grow(&house, 400).await;
            machine.hold_vms(&house, 10).await;
            machines.push(machine);
        }
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
        let mut queued = Vec::new();
        for _ in 0..500 {
            let page = Ask::get("/vms?limit=1000&status=queued")
                .send(&house.router)
                .await;
            let page = page.expect(200);
            queued = page["items"].as_array().unwrap().clone();
            if queued.iter().all(|vm| vm["reason"].is_string()) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert_eq!(queued.len(), 80);
        for vm in &queued {
            let reason = vm["reason"].as_str().unwrap_or_default();
            assert!(reason.contains("without room"), "{vm}");
        }
        assert_eq!(held(), 20, "and no more");
        house.end(tasks).await;
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
