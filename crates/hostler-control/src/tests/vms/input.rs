//! What is wrong is refused, with every mistake and what to do.

use serde_json::{Value, json};

use super::life::stage;
use crate::testing::{Ask, House};

#[tokio::test]
async fn a_vm_that_cannot_be_is_refused_and_nothing_is_made() {
    let house = House::on_sqlite().await;
    let _machine = stage(&house).await;
    let base = json!({"name": "web", "image": "debian"});
    let check = async |more: Value, status: u16, text: &str| {
        let mut body = base.clone();
        for (key, value) in more.as_object().unwrap() {
            body[key] = value.clone();
        }
        let answer = Ask::post("/vms").json(&body).send(&house.router).await;
        let said = answer.json();
        assert_eq!(answer.status.as_u16(), status, "{said}");
        assert!(said["error"].as_str().unwrap().contains(text), "{said}");
    };
    check(json!({"name": "<script>"}), 422, "name").await;
    check(json!({"image": "windows"}), 422, "has no image 'windows'").await;
    check(json!({"cpus": 0, "memory_bytes": 1}), 422, "memory").await;
    check(json!({"memory_bytes": -1}), 422, "memory_bytes").await;
    check(json!({"disk_bytes": u64::MAX}), 422, "disk").await;
    check(json!({"colour": "red"}), 422, "colour").await;
    check(json!({"user_data": "x".repeat(65_537)}), 422, "user_data").await;
    check(json!({"slave_id": uuid::Uuid::nil()}), 404, "node").await;
    check(json!({"goal": "gone"}), 422, "goal").await;
    let novel = Ask::post("/vms").json(&json!({"name": "x", "user_data": "x".repeat(10 << 20)}));
    novel.send(&house.router).await.refused(413, "too_large");
    let listed = Ask::get("/vms").send(&house.router).await.expect(200);
    assert_eq!(listed["items"], json!([]));
}

#[tokio::test]
async fn lists_go_page_by_page_and_narrow_by_status() {
    let mut house = House::on_sqlite().await;
    let _machine = stage(&house).await;
    for number in 0..5 {
        house.vm(&format!("v{number}"), json!({})).await;
    }
    house.settle().await;
    let first = Ask::get("/vms?limit=2")
        .send(&house.router)
        .await
        .expect(200);
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    let next = first["next"].as_str().unwrap();
    let rest = Ask::get(&format!("/vms?limit=10&after={next}"))
        .send(&house.router)
        .await;
    assert_eq!(rest.expect(200)["items"].as_array().unwrap().len(), 3);
    let count = async |query: &str| {
        let page = Ask::get(&format!("/vms?{query}"))
            .send(&house.router)
            .await
            .expect(200);
        page["items"].as_array().unwrap().len()
    };
    assert_eq!(count("status=running").await, 4);
    assert_eq!(count("status=queued").await, 1, "four cores are there");
    assert_eq!(count("status=stopped").await, 0);
    assert_eq!(count("name=v3").await, 1);
    assert_eq!(count("trashed=true").await, 0);
    Ask::get("/vms?status=happy")
        .send(&house.router)
        .await
        .refused(400, "bad_request");
}

#[tokio::test]
async fn verbs_that_make_no_sense_now_are_conflicts() {
    let mut house = House::on_sqlite().await;
    let _machine = stage(&house).await;
    let id = house.vm("web", json!({"activate_at_start": false})).await;
    let router = house.router.clone();
    let refused = async |verb: &str| {
        let ask = Ask::post(&format!("/vms/{id}/{verb}"));
        ask.send(&router).await.refused(409, "conflict")
    };
    refused("pause").await;
    refused("resume").await;
    Ask::get(&format!("/vms/{id}/screenshot"))
        .send(&house.router)
        .await
        .refused(409, "conflict");
    let snapshot = Ask::post(&format!("/vms/{id}/snapshots")).json(&json!({"name": "a"}));
    snapshot.send(&house.router).await.refused(409, "conflict");
    house.settle().await;
    refused("pause").await;
    Ask::delete(&format!("/vms/{id}?now=true"))
        .send(&house.router)
        .await
        .expect(202);
    let start = Ask::post(&format!("/vms/{id}/start"));
    start.send(&house.router).await.refused(410, "gone");
}
