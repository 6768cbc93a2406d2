//! Making workloads, and making them again by accident.

use serde_json::json;

use crate::testing::{Answer, Ask, House, Machine, on_both};

async fn create(house: &House, key: &str, body: &serde_json::Value) -> Answer {
    let ask = Ask::post("/workloads").header("idempotency-key", key);
    ask.json(body).send(&house.router).await
}

#[tokio::test]
async fn the_same_request_five_times_makes_one_workload() {
    on_both(async |house| {
        let body = house.service("echo").await;
        let first = create(&house, "k1", &body).await.expect(201);
        for _ in 0..4 {
            let again = create(&house, "k1", &body).await.expect(200);
            assert_eq!(again["id"], first["id"]);
        }
        let mut other = body.clone();
        other["name"] = json!("other");
        create(&house, "k1", &other).await.refused(422, "invalid");
        create(&house, "k2", &body).await.refused(409, "conflict");
        let listed = Ask::get("/workloads").send(&house.router).await.expect(200);
        assert_eq!(listed["items"].as_array().unwrap().len(), 1);
        let created = house
            .kinds()
            .await
            .into_iter()
            .filter(|kind| kind == "workload.created");
        assert_eq!(created.count(), 1);
    })
    .await;
}

#[tokio::test]
async fn keys_of_different_tokens_never_meet() {
    let house = House::on_sqlite().await;
    let body = house.service("echo").await;
    create(&house, "k", &body).await.expect(201);
    let other = house.token(None, &["workloads:create"]).await;
    let ask = Ask::post("/workloads")
        .token(&other)
        .header("idempotency-key", "k");
    ask.json(&body)
        .send(&house.router)
        .await
        .refused(409, "conflict");
    let bad = Ask::post("/workloads")
        .header("idempotency-key", "")
        .json(&body);
    bad.send(&house.router).await.refused(400, "bad_request");
}

#[tokio::test]
async fn a_request_whose_work_was_deleted_since_makes_nothing_new() {
    let mut house = House::on_sqlite().await;
    let body = house.service("echo").await;
    let made = create(&house, "k", &body).await.expect(201);
    let path = format!("/workloads/{}", made["id"].as_str().unwrap());
    Ask::delete(&path).send(&house.router).await.expect(202);
    house.settle().await;
    create(&house, "k", &body).await.refused(410, "gone");
}

#[tokio::test]
async fn an_environment_is_never_shown_and_reaches_the_node() {
    on_both(async |mut house| {
        let machine = Machine::join(&house, "n1").await;
        let mut body = house.service("echo").await;
        body["environment"] = json!({"PASSWORD": "hunter2"});
        let made = Ask::post("/workloads")
            .json(&body)
            .send(&house.router)
            .await
            .expect(201);
        assert_eq!(made["environment_names"], json!(["PASSWORD"]));
        let id = made["id"].as_str().unwrap();
        house.settle().await;
        let order = machine.orders(id)[0].order.clone().unwrap();
        assert_eq!(order.environment["PASSWORD"], "hunter2");
        assert!(order.artifact_size > 0);
        for path in [
            "/workloads",
            "/activity?limit=1000",
            &format!("/workloads/{id}"),
        ] {
            let answer = Ask::get(path).send(&house.router).await;
            let text = String::from_utf8_lossy(&answer.bytes).into_owned();
            assert!(!text.contains("hunter2"), "{path}: {text}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_explanation_names_every_node_and_why() {
    let mut house = House::on_sqlite().await;
    Machine::join(&house, "n1").await;
    Machine::register(&house, "n2").await;
    let mut body = house.service("big").await;
    let told = Ask::post("/workloads/explain")
        .json(&body)
        .send(&house.router)
        .await
        .expect(200);
    let node = |told: &serde_json::Value, name: &str| {
        let nodes = told["nodes"].as_array().unwrap().clone();
        nodes
            .into_iter()
            .find(|node| node["slave_name"] == name)
            .unwrap()
    };
    assert_eq!(node(&told, "n1")["chosen"], true);
    assert_eq!(node(&told, "n2")["possible"], false);
    assert!(told["summary"].as_str().unwrap().contains("n1"), "{told}");
    body["resources"] = json!({"cpu_millis": 64_000, "memory_bytes": 1 << 30});
    let made = Ask::post("/workloads")
        .json(&body)
        .send(&house.router)
        .await
        .expect(201);
    house.settle().await;
    let id = made["id"].as_str().unwrap();
    let shown = house.workload(id).await;
    assert_eq!(shown["status"], "queued");
    assert!(
        shown["reason"]
            .as_str()
            .is_some_and(|reason| !reason.is_empty()),
        "{shown}"
    );
    let path = format!("/workloads/{id}/explain");
    let told = Ask::get(&path).send(&house.router).await.expect(200);
    let reasons = node(&told, "n1")["reasons"].to_string();
    assert!(reasons.contains("64 cores"), "{reasons}");
    let listed = Ask::get("/workloads").send(&house.router).await.expect(200);
    assert_eq!(
        listed["items"].as_array().unwrap().len(),
        1,
        "a dry run makes nothing"
    );
}

#[tokio::test]
async fn logs_without_nats_are_unavailable_and_say_what_to_do() {
    let house = House::on_sqlite().await;
    let id = house.deploy("echo").await;
    let answer = Ask::get(&format!("/workloads/{id}/logs"))
        .send(&house.router)
        .await;
    assert!(answer.json()["hint"].as_str().unwrap().contains("NATS"));
    answer.refused(503, "unavailable");
}
