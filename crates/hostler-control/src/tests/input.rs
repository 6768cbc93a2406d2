//! What people send by mistake or on purpose: a clear answer each time, and
//! nothing made.

use axum::http::Method;
use serde_json::json;

use crate::testing::{Ask, House};

/// A field of a good request, what is written into it, and what is answered.
#[rustfmt::skip] // A table reads by columns.
const FIELDS: [(&str, &str, &str); 20] = [
    ("shoe_size", "43", "shoe_size"),
    ("name", "7", "name"),
    ("name", r#""a/b""#, "'a/b' is not a name"),
    ("name", r#""../../etc/passwd""#, "is not a name"),
    ("name", "null", "name"),
    ("project", r#""a.b""#, "project"),
    ("kind", r#""exe""#, "exe"),
    ("artifact", r#""abc""#, "artifact"),
    ("artifact", r#""0000000000000000000000000000000000000000000000000000000000000000""#, "has no artifact"),
    ("pids", "-1", "pids"),
    ("pids", "0", "pids"),
    ("argv", r#""-v""#, "argv"),
    ("triggers", r#"["a"]"#, "triggers"),
    ("goal", r#""gone""#, "goal"),
    ("resources", r#"{"cpu": 1}"#, "cpu"),
    ("labels", r#"{"a": 1}"#, "labels"),
    ("resources", "[100, 1048576]", "expected an object"),
    ("placement", "[{}, [], [], null]", "expected an object"),
    ("placement", r#"{"affinity": [[{}, null, true]]}"#, "expected an object"),
    ("placement", r#"{"spread": [null, {}]}"#, "expected an object"),
];

#[tokio::test]
async fn a_field_that_is_wrong_is_named() {
    let house = House::on_sqlite().await;
    let good = house.service("echo").await;
    for (field, value, part) in FIELDS {
        let mut body = good.clone();
        body[field] = serde_json::from_str(value).unwrap();
        let ask = Ask::post("/workloads").json(&body);
        let text = ask.send(&house.router).await.refused(422, "invalid");
        assert!(text.contains(part), "'{part}' is not in: {text}");
    }
    let listed = Ask::get("/workloads").send(&house.router).await.expect(200);
    assert_eq!(listed["items"], json!([]), "nothing was made");
}

#[tokio::test]
async fn a_body_that_is_wrong_as_a_whole_is_told_how() {
    let house = House::on_sqlite().await;
    let send = async |body: &str| Ask::post("/workloads").text(body).send(&house.router).await;
    for broken in ["{", "", "\u{0}", "{'name': 1}"] {
        let text = send(broken).await.refused(400, "bad_request");
        assert!(text.contains("JSON"), "{text}");
    }
    for other in ["[]", "{}", "7", "null"] {
        send(other).await.refused(422, "invalid");
    }
    let mut body = house.service("echo").await;
    let bare = Ask::post("/workloads").bytes(body.to_string().as_bytes());
    let bare = bare.send(&house.router).await;
    bare.refused(415, "unsupported_media_type");
    body["description"] = json!("x".repeat(2 << 20));
    send(&body.to_string()).await.refused(413, "too_large");
    body["description"] = json!("");
    body["kind"] = json!("wasm");
    body["triggers"] = json!(["shout"]);
    let text = send(&body.to_string()).await.refused(422, "invalid");
    assert!(text.contains("the artifact is elf, not wasm"), "{text}");
}

#[tokio::test]
async fn a_list_is_no_object_whatever_is_in_it() {
    let house = House::on_sqlite().await;
    for path in ["/join-tokens", "/tokens", "/slaves", "/workloads"] {
        for body in ["[]", "[null, null]", r#"["a", null, [], null]"#] {
            let answer = Ask::post(path).text(body).send(&house.router).await;
            let text = answer.refused(422, "invalid");
            assert!(text.contains("expected an object"), "{path}: {text}");
        }
    }
    let tokens = Ask::get("/join-tokens").send(&house.router).await;
    assert_eq!(tokens.expect(200), json!([]), "nothing was made");
}

#[tokio::test]
async fn every_mistake_of_a_request_is_told_at_once() {
    let house = House::on_sqlite().await;
    let body = json!({"name": "a/b", "kind": "elf", "artifact": "x", "pids": 0});
    let answer = Ask::post("/workloads")
        .json(&body)
        .send(&house.router)
        .await;
    let hint = answer.json()["hint"].as_str().unwrap().to_owned();
    let text = answer.refused(422, "invalid");
    for field in ["name", "artifact", "pids"] {
        assert!(
            text.contains(field) && hint.contains(field),
            "{field}: {text} / {hint}"
        );
    }
}

/// A path, in which `NIL` stands for an id of nothing, and what is answered.
#[rustfmt::skip] // A table reads by columns.
const PATHS: [(&str, &str, u16, &str); 22] = [
    ("GET", "/workloads/seven", 400, "bad_request"),
    ("GET", "/workloads/NIL", 404, "not_found"),
    ("GET", "/workloads?limit=many", 400, "bad_request"),
    ("GET", "/workloads?colour=red", 400, "bad_request"),
    ("GET", "/workloads?status=happy", 400, "bad_request"),
    ("GET", "/workloads?name=a/b", 400, "bad_request"),
    ("GET", "/workloads?after=7", 400, "bad_request"),
    ("GET", "/activity?after=7", 400, "bad_request"),
    ("GET", "/workloads/NIL/logs?follow=perhaps", 400, "bad_request"),
    ("GET", "/artifacts/abc", 400, "bad_request"),
    ("GET", "/artifacts/..%2F..%2Fetc%2Fpasswd", 400, "bad_request"),
    ("GET", "/artifacts/ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", 404, "not_found"),
    ("GET", "/slaves/NIL", 404, "not_found"),
    ("DELETE", "/slaves/NIL", 404, "not_found"),
    ("DELETE", "/slaves/NIL?force=true", 404, "not_found"),
    ("POST", "/slaves/NIL/drain", 404, "not_found"),
    ("DELETE", "/tokens/NIL", 404, "not_found"),
    ("DELETE", "/join-tokens/NIL", 404, "not_found"),
    ("POST", "/operations/NIL/cancel", 404, "not_found"),
    ("GET", "/nothing/here", 404, "not_found"),
    ("DELETE", "/workloads", 405, "method_not_allowed"),
    ("GET", "/metrics", 503, "unavailable"),
];

#[tokio::test]
async fn a_path_or_query_that_is_wrong_is_told_how() {
    let house = House::on_sqlite().await;
    for (method, path, status, code) in PATHS {
        let path = path.replace("NIL", &uuid::Uuid::nil().to_string());
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
    let text = register("a b", "evil/../x", 0)
        .send(&house.router)
        .await
        .refused(422, "invalid");
    for field in ["name", "hostname", "port"] {
        assert!(text.contains(field), "{text}");
    }
    register("n1", "10.0.0.1", 1)
        .send(&house.router)
        .await
        .expect(201);
    register("n1", "10.0.0.2", 1)
        .send(&house.router)
        .await
        .refused(409, "conflict");
    let body = json!({"name": "t", "policies": ["fly"], "ttl_s": 0});
    let text = Ask::post("/tokens")
        .json(&body)
        .send(&house.router)
        .await
        .refused(422, "invalid");
    assert!(text.contains("fly") && text.contains("ttl_s"), "{text}");
    let none = Ask::post("/join-tokens")
        .json(&json!({"uses": 0}))
        .send(&house.router)
        .await;
    none.refused(422, "invalid");
}

#[tokio::test]
async fn an_answer_carries_its_id_and_is_not_for_caches_or_frames() {
    let house = House::on_sqlite().await;
    let answer = Ask::get("/health")
        .header("x-request-id", "abc-1")
        .send(&house.router)
        .await;
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
    let api = Ask::get("/openapi.json")
        .anonymous()
        .send(&house.router)
        .await
        .expect(200);
    let create = &api["paths"]["/workloads"]["post"];
    assert!(
        create["description"]
            .as_str()
            .unwrap()
            .contains("workloads:create"),
        "{create}"
    );
    assert!(create["security"][0].get("token").is_some());
    let page = Ask::get("/docs/").anonymous().send(&house.router).await;
    assert_eq!(page.status, 200);
    let text = String::from_utf8(page.bytes.to_vec()).unwrap();
    assert!(
        text.contains("swagger") && !text.contains("https://"),
        "{text}"
    );
    assert!(
        page.headers["content-security-policy"]
            .to_str()
            .unwrap()
            .contains("'self'")
    );
}

#[tokio::test]
async fn it_says_that_it_lives_and_what_is_ready() {
    let mut house = House::on_sqlite().await;
    let root = Ask::get("/")
        .anonymous()
        .send(&house.router)
        .await
        .expect(200);
    assert_eq!(root["service"], "hostler");
    house.settle().await;
    let ready = Ask::get("/ready")
        .anonymous()
        .send(&house.router)
        .await
        .expect(200);
    assert_eq!(ready["checks"][0], json!({"name": "database", "ok": true}));
}
