//! What people send by mistake or on purpose: a clear answer each time, and
//! nothing made.

use axum::http::Method;
use serde_json::{Value, json};

use crate::testing::{Ask, House};

#[tokio::test]
async fn a_body_that_is_wrong_is_told_how() {
    let house = House::on_sqlite().await;
    let good = house.service("echo").await;
    let with = |field: &str, value: Value| {
        let mut body = good.clone();
        body[field] = value;
        body.to_string()
    };
    let long = "x".repeat(2 << 20);
    let cases: Vec<(String, u16, &str, &str)> = vec![
        ("{".to_owned(), 400, "bad_request", "JSON"),
        (String::new(), 400, "bad_request", "JSON"),
        ("\u{0}".to_owned(), 400, "bad_request", "JSON"),
        ("[]".to_owned(), 422, "invalid", "WorkloadCreate"),
        ("{}".to_owned(), 422, "invalid", "name"),
        (with("shoe_size", json!(43)), 422, "invalid", "shoe_size"),
        (with("name", json!(7)), 422, "invalid", "name"),
        (with("name", json!("a/b")), 422, "invalid", "'a/b' is not a name"),
        (with("name", json!("../../etc/passwd")), 422, "invalid", "is not a name"),
        (with("project", json!("a.b")), 422, "invalid", "project"),
        (with("kind", json!("exe")), 422, "invalid", "exe"),
        (with("artifact", json!("abc")), 422, "invalid", "artifact"),
        (with("artifact", json!("0".repeat(64))), 422, "invalid", "has no artifact"),
        (with("pids", json!(-1)), 422, "invalid", "pids"),
        (with("pids", json!(0)), 422, "invalid", "pids"),
        (with("argv", json!("-v")), 422, "invalid", "argv"),
        (with("triggers", json!(["a"])), 422, "invalid", "triggers"),
        (with("goal", json!("gone")), 422, "invalid", "goal"),
        (with("resources", json!({"cpu": 1})), 422, "invalid", "cpu"),
        (with("description", json!(long)), 413, "too_large", "length limit"),
    ];
    for (body, status, code, part) in cases {
        let answer = Ask::post("/workloads").text(&body).send(&house.router).await;
        let text = answer.refused(status, code);
        assert!(text.contains(part), "'{part}' is not in: {text}");
    }
    let bare = Ask::post("/workloads").bytes(good.to_string().as_bytes());
    bare.send(&house.router).await.refused(415, "unsupported_media_type");
    let listed = Ask::get("/workloads").send(&house.router).await.expect(200);
    assert_eq!(listed["items"], json!([]), "nothing was made");
}

#[tokio::test]
async fn every_mistake_of_a_request_is_told_at_once() {
    let house = House::on_sqlite().await;
    let body = json!({"name": "a/b", "kind": "elf", "artifact": "x", "pids": 0});
    let answer = Ask::post("/workloads").json(&body).send(&house.router).await;
    let hint = answer.json()["hint"].as_str().unwrap().to_owned();
    let text = answer.refused(422, "invalid");
    for field in ["name", "artifact", "pids"] {
        assert!(text.contains(field) && hint.contains(field), "{field}: {text} / {hint}");
    }
}

#[tokio::test]
async fn a_path_or_query_that_is_wrong_is_told_how() {
    let house = House::on_sqlite().await;
    let nil = uuid::Uuid::nil();
    let cases = [
        ("GET", "/workloads/seven".to_owned(), 400, "bad_request"),
        ("GET", format!("/workloads/{nil}"), 404, "not_found"),
        ("GET", "/workloads?limit=many".to_owned(), 400, "bad_request"),
        ("GET", "/workloads?colour=red".to_owned(), 400, "bad_request"),
        ("GET", "/workloads?status=happy".to_owned(), 400, "bad_request"),
        ("GET", "/workloads?name=a/b".to_owned(), 400, "bad_request"),
        ("GET", "/workloads?after=7".to_owned(), 400, "bad_request"),
        ("GET", "/activity?after=7".to_owned(), 400, "bad_request"),
        ("GET", format!("/workloads/{nil}/logs?follow=perhaps"), 400, "bad_request"),
        ("GET", "/artifacts/abc".to_owned(), 400, "bad_request"),
        ("GET", "/artifacts/..%2F..%2Fetc%2Fpasswd".to_owned(), 400, "bad_request"),
        ("GET", format!("/artifacts/{}", "0".repeat(64)), 404, "not_found"),
        ("GET", format!("/slaves/{nil}"), 404, "not_found"),
        ("DELETE", format!("/slaves/{nil}"), 404, "not_found"),
        ("POST", format!("/slaves/{nil}/drain"), 404, "not_found"),
        ("DELETE", format!("/tokens/{nil}"), 404, "not_found"),
        ("DELETE", format!("/join-tokens/{nil}"), 404, "not_found"),
        ("POST", format!("/operations/{nil}/cancel"), 404, "not_found"),
        ("GET", "/nothing/here".to_owned(), 404, "not_found"),
        ("DELETE", "/workloads".to_owned(), 405, "method_not_allowed"),
        ("GET", "/metrics".to_owned(), 503, "unavailable"),
    ];
    for (method, path, status, code) in cases {
        let method: Method = method.parse().unwrap();
        let answer = Ask::new(method, &path).send(&house.router).await;
        let text = answer.refused(status, code);
        assert!(!text.is_empty(), "{path}");
    }
}

#[tokio::test]
async fn a_node_that_is_registered_wrongly_is_told_how() {
    let house = House::on_sqlite().await;
    let register = |name: &str, hostname: &str, port: u16| {
        let body = json!({"name": name, "hostname": hostname, "port": port});
        Ask::post("/slaves").json(&body)
    };
    let text = register("a b", "evil/../x", 0).send(&house.router).await.refused(422, "invalid");
    for field in ["name", "hostname", "port"] {
        assert!(text.contains(field), "{text}");
    }
    register("n1", "10.0.0.1", 1).send(&house.router).await.expect(201);
    register("n1", "10.0.0.2", 1).send(&house.router).await.refused(409, "conflict");
    let body = json!({"name": "t", "policies": ["fly"], "ttl_s": 0});
    let text = Ask::post("/tokens").json(&body).send(&house.router).await.refused(422, "invalid");
    assert!(text.contains("fly") && text.contains("ttl_s"), "{text}");
    let none = Ask::post("/join-tokens").json(&json!({"uses": 0})).send(&house.router).await;
    none.refused(422, "invalid");
}

#[tokio::test]
async fn an_answer_carries_its_id_and_is_not_for_caches_or_frames() {
    let house = House::on_sqlite().await;
    let answer = Ask::get("/health").header("x-request-id", "abc-1").send(&house.router).await;
    assert_eq!(answer.headers["x-request-id"], "abc-1");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    assert_eq!(answer.headers["cache-control"], "no-store");
    let novel = Ask::get("/health").header("x-request-id", "a b\tc");
    let answer = novel.send(&house.router).await;
    assert_ne!(answer.headers["x-request-id"], "a b\tc");
    answer.expect(200);
}

#[tokio::test]
async fn the_description_and_its_page_are_served() {
    let house = House::on_sqlite().await;
    let api = Ask::get("/openapi.json").anonymous().send(&house.router).await.expect(200);
    let create = &api["paths"]["/workloads"]["post"];
    assert!(create["description"].as_str().unwrap().contains("workloads:create"), "{create}");
    assert!(create["security"][0].get("token").is_some());
    let page = Ask::get("/docs/").anonymous().send(&house.router).await;
    assert_eq!(page.status, 200);
    let text = String::from_utf8(page.bytes.to_vec()).unwrap();
    assert!(text.contains("swagger") && !text.contains("https://"), "{text}");
    assert!(page.headers["content-security-policy"].to_str().unwrap().contains("'self'"));
}

#[tokio::test]
async fn it_says_that_it_lives_and_what_is_ready() {
    let mut house = House::on_sqlite().await;
    let root = Ask::get("/").anonymous().send(&house.router).await.expect(200);
    assert_eq!(root["service"], "hostler");
    house.settle().await;
    let ready = Ask::get("/ready").anonymous().send(&house.router).await.expect(200);
    assert_eq!(ready["checks"][0], json!({"name": "database", "ok": true}));
}
