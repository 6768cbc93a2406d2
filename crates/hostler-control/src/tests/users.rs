//! Users: signing in and out, what they may do, who may change them.
// A story is told in one go.
#![allow(clippy::too_many_lines)]

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};

use crate::testing::{Ask, House, on_both};

pub(crate) const PASSWORD: &str = "correct horse battery";

/// Makes a user with the password above; their id.
pub(crate) async fn user(house: &House, name: &str, roles: &[&str]) -> String {
    let body = json!({"user": name, "password": PASSWORD, "roles": roles});
    let made = Ask::post("/users")
        .json(&body)
        .send(&house.router)
        .await
        .expect(201);
    assert!(made.get("generated_password").is_none());
    made["id"].as_str().unwrap().to_owned()
}

pub(crate) fn login(name: &str, password: &str) -> Ask {
    let body = json!({"username": name, "password": password});
    Ask::post("/auth/login").anonymous().json(&body)
}

/// Signs in; the session's secret.
pub(crate) async fn session(house: &House, name: &str) -> String {
    let begun = login(name, PASSWORD).send(&house.router).await.expect(200);
    assert_eq!(begun["token_type"], "bearer");
    begun["access_token"].as_str().unwrap().to_owned()
}

async fn status(house: &House, ask: Ask) -> u16 {
    ask.open(&house.router).await.status().as_u16()
}

fn me(secret: &str) -> Ask {
    Ask::get("/auth/me").token(secret)
}

fn patch(id: &str, body: &Value) -> Ask {
    Ask::new(Method::PATCH, &format!("/users/{id}")).json(body)
}

#[tokio::test]
async fn a_user_signs_in_does_what_their_role_says_and_signs_out() {
    on_both(async |house| {
        user(&house, "Ada", &["viewer"]).await;
        let ada = session(&house, "ada").await;
        let who = me(&ada).send(&house.router).await.expect(200);
        assert_eq!(
            (&who["user"], &who["is_admin"]),
            (&json!("ada"), &json!(false))
        );
        assert_eq!(who["roles"], json!(["viewer"]));
        assert_eq!(status(&house, Ask::get("/slaves").token(&ada)).await, 200);
        let refused = Ask::get("/audit").token(&ada).send(&house.router).await;
        refused.refused(403, "missing_policy");
        Ask::post("/auth/logout")
            .token(&ada)
            .send(&house.router)
            .await
            .expect(204);
        me(&ada)
            .send(&house.router)
            .await
            .refused(401, "unauthenticated");
    })
    .await;
}

#[tokio::test]
async fn a_session_ends_when_it_is_idle_or_old_or_taken_back() {
    let house = House::on_sqlite().await;
    let id = user(&house, "ada", &["viewer"]).await;
    let ada = session(&house, "ada").await;
    let limits = house.app.sessions;
    for _ in 0..3 {
        house.wait(limits.idle / 2);
        house.app.known_tokens.forget();
        me(&ada).send(&house.router).await.expect(200);
    }
    house.wait(limits.idle);
    me(&ada)
        .send(&house.router)
        .await
        .refused(401, "unauthenticated");

    let ada = session(&house, "ada").await;
    let other = session(&house, "ada").await;
    let listed = Ask::get("/auth/sessions")
        .token(&ada)
        .send(&house.router)
        .await
        .expect(200);
    let listed = listed.as_array().unwrap();
    assert!(
        !format!("{listed:?}").contains(&ada[3..]),
        "no secret is shown"
    );
    let theirs = listed.iter().find(|one| one["current"] == true).unwrap();
    let path = format!("/auth/sessions/{}", theirs["id"].as_str().unwrap());
    let admins = Ask::delete(&path).send(&house.router).await;
    admins.refused(404, "not_found");
    Ask::delete(&path)
        .token(&other)
        .send(&house.router)
        .await
        .expect(204);
    assert_eq!(status(&house, me(&ada)).await, 401);
    patch(&id, &json!({"disabled": true}))
        .send(&house.router)
        .await
        .expect(200);
    assert_eq!(
        status(&house, me(&other)).await,
        401,
        "a disabled user is out at once"
    );
    login("ada", PASSWORD)
        .send(&house.router)
        .await
        .refused(401, "unauthenticated");
}

#[tokio::test]
async fn nothing_tells_whether_a_name_exists() {
    let house = House::on_sqlite().await;
    user(&house, "ada", &[]).await;
    let off = user(&house, "off", &[]).await;
    patch(&off, &json!({"disabled": true}))
        .send(&house.router)
        .await
        .expect(200);
    let told = async |name: &str, password: &str| {
        let answer = login(name, password).send(&house.router).await;
        (answer.status.as_u16(), answer.json())
    };
    let wrong = told("ada", "wrong password").await;
    assert_eq!(wrong.0, 401);
    assert_eq!(told("nobody", "wrong password").await, wrong);
    assert_eq!(told("off", PASSWORD).await, wrong);
    assert_eq!(told("not a name!", "x").await, wrong);
    assert_eq!(told("ada", &"x".repeat(100_000)).await, wrong);
}

#[tokio::test]
async fn who_tries_many_passwords_has_to_wait_and_no_name_tells_itself_by_it() {
    let house = House::on_sqlite().await;
    user(&house, "ada", &[]).await;
    let home = login("ada", PASSWORD).from("10.0.0.1");
    home.send(&house.router).await.expect(200);
    for name in ["ada", "nobody"] {
        for number in 0..10 {
            let from = format!("10.1.{number}.1");
            let tried = login(name, "guess").from(&from).send(&house.router).await;
            tried.refused(401, "unauthenticated");
        }
        let right = login(name, PASSWORD)
            .from("10.2.0.1")
            .send(&house.router)
            .await;
        assert_eq!(right.headers["retry-after"], "30", "{name}");
        right.refused(429, "too_many");
    }
    let home = login("ada", PASSWORD).from("10.0.0.1");
    home.send(&house.router).await.expect(200);
    house.wait(Duration::from_secs(30));
    let later = login("ada", PASSWORD).from("10.2.0.1");
    later.send(&house.router).await.expect(200);
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_it_and_shown_to_nobody() {
    on_both(async |house| {
        let body = json!({"user": "ada", "roles": ["viewer"]});
        let made = Ask::post("/users")
            .json(&body)
            .send(&house.router)
            .await
            .expect(201);
        let first = made["generated_password"].as_str().unwrap().to_owned();
        let id = made["id"].as_str().unwrap().to_owned();
        let begun = login("ada", &first).send(&house.router).await.expect(200);
        let (ada, other) = (
            begun["access_token"].as_str().unwrap(),
            login("ada", &first),
        );
        let other = other.send(&house.router).await.expect(200);
        let change = |current: &str, new: &str| {
            let body = json!({"current_password": current, "new_password": new});
            Ask::post("/auth/change-password").token(ada).json(&body)
        };
        change("wrong", PASSWORD)
            .send(&house.router)
            .await
            .refused(400, "bad_request");
        change(&first, "short")
            .send(&house.router)
            .await
            .refused(400, "bad_request");
        change(&first, PASSWORD)
            .send(&house.router)
            .await
            .expect(200);
        assert_eq!(status(&house, me(ada)).await, 200);
        assert_eq!(
            status(&house, me(other["access_token"].as_str().unwrap())).await,
            401
        );
        login("ada", &first)
            .send(&house.router)
            .await
            .refused(401, "unauthenticated");
        let reset = Ask::post(&format!("/users/{id}/password")).json(&json!({}));
        let reset = reset.send(&house.router).await.expect(200);
        assert_eq!(
            status(&house, me(ada)).await,
            401,
            "a reset ends all sessions"
        );
        let last = reset["generated_password"].as_str().unwrap();
        login("ada", last).send(&house.router).await.expect(200);
        for path in [
            "/users",
            &format!("/users/{id}"),
            "/activity?limit=1000",
            "/audit?limit=1000",
        ] {
            let text = Ask::get(path)
                .send(&house.router)
                .await
                .expect(200)
                .to_string();
            for secret in ["argon2", &first, last, PASSWORD] {
                assert!(!text.contains(secret), "{path} shows a secret");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn nobody_gives_what_they_lack_or_changes_who_may_more() {
    let house = House::on_sqlite().await;
    let body = json!({"description": "makes users", "policies": ["users:create", "users:update",
        "users:delete", "users:get", "slaves:get", "roles:manage"]});
    let set = Ask::new(Method::PUT, "/roles/hr").json(&body);
    let role = set.send(&house.router).await.expect(200);
    assert!(
        role["policies"]
            .as_array()
            .unwrap()
            .contains(&json!("nodes:get")),
        "{role}"
    );
    user(&house, "hr", &["hr"]).await;
    let root = user(&house, "root", &["admin"]).await;
    let hr = session(&house, "hr").await;
    let by_hr = async |ask: Ask| ask.token(&hr).send(&house.router).await;
    let make = |body: Value| Ask::post("/users").json(&body);
    by_hr(make(json!({"user": "a", "policies": ["nodes:get"]})))
        .await
        .expect(201);
    for more in [
        json!({"user": "b", "roles": ["admin"]}),
        json!({"user": "b", "policies": ["distribox:admin"]}),
    ] {
        by_hr(make(more)).await.refused(403, "missing_policy");
    }
    let refused = [
        patch(&root, &json!({"roles": []})),
        Ask::post(&format!("/users/{root}/password")).json(&json!({})),
        Ask::post(&format!("/users/{root}/policies")).json(&json!({"policies": []})),
        Ask::delete(&format!("/users/{root}")),
        Ask::new(Method::PUT, "/roles/hr").json(&json!({"policies": ["hostler:admin"]})),
    ];
    for ask in refused {
        by_hr(ask).await.refused(403, "missing_policy");
    }
}

#[tokio::test]
async fn the_last_administrator_stays() {
    on_both(async |house| {
        let listed = Ask::get("/tokens").send(&house.router).await.expect(200);
        let bootstrap = format!("/tokens/{}", listed[0]["id"].as_str().unwrap());
        Ask::delete(&bootstrap)
            .send(&house.router)
            .await
            .refused(409, "conflict");
        let root = user(&house, "root", &["admin"]).await;
        Ask::delete(&bootstrap)
            .send(&house.router)
            .await
            .expect(204);
        let secret = session(&house, "root").await;
        let as_root = async |ask: Ask| ask.token(&secret).send(&house.router).await;
        as_root(patch(&root, &json!({"roles": ["operator"]})))
            .await
            .refused(409, "conflict");
        as_root(patch(&root, &json!({"disabled": true})))
            .await
            .refused(409, "conflict");
        as_root(Ask::delete(&format!("/users/{root}")))
            .await
            .refused(409, "conflict");
        assert_eq!(status(&house, me(&secret)).await, 200);
    })
    .await;
}

#[tokio::test]
async fn a_users_token_never_does_more_than_its_user() {
    on_both(async |house| {
        let id = user(&house, "ada", &["operator"]).await;
        let ada = session(&house, "ada").await;
        let body = json!({"name": "laptop", "policies": ["nodes:get", "workloads:get"]});
        let ask = Ask::post("/tokens").token(&ada).json(&body);
        let made = ask.send(&house.router).await.expect(201);
        assert_eq!(made["owner"], json!(id));
        let laptop = made["secret"].as_str().unwrap();
        let look = async |path: &str| status(&house, Ask::get(path).token(laptop)).await;
        assert_eq!(
            (look("/slaves").await, look("/workloads").await),
            (200, 200)
        );
        assert_eq!(look("/operations").await, 403, "its scope");
        patch(
            &id,
            &json!({"roles": [], "policies": ["vms:get", "workloads:get"]}),
        )
        .send(&house.router)
        .await;
        patch(&id, &json!({"roles": [], "policies": ["workloads:get"]}))
            .send(&house.router)
            .await
            .expect(200);
        assert_eq!(
            (look("/slaves").await, look("/workloads").await),
            (403, 200)
        );
        patch(&id, &json!({"disabled": true}))
            .send(&house.router)
            .await
            .expect(200);
        assert_eq!(look("/workloads").await, 401);
    })
    .await;
}

#[tokio::test]
async fn a_user_keeps_what_they_prefer() {
    let house = House::on_sqlite().await;
    user(&house, "ada", &[]).await;
    let ada = session(&house, "ada").await;
    let put = |body: Value| {
        Ask::new(Method::PUT, "/auth/settings")
            .token(&ada)
            .json(&body)
    };
    put(json!({"default_vcpus": 4, "default_os": "debian-12"}))
        .send(&house.router)
        .await
        .expect(200);
    put(json!({"default_os": "", "timezone": "Europe/Paris"}))
        .send(&house.router)
        .await
        .expect(200);
    let kept = Ask::get("/auth/settings")
        .token(&ada)
        .send(&house.router)
        .await
        .expect(200);
    assert_eq!(
        kept,
        json!({"default_vcpus": 4, "timezone": "Europe/Paris"})
    );
    put(json!({"default_vcpus": -1}))
        .send(&house.router)
        .await
        .refused(422, "invalid");
    put(json!({"shoe_size": 43}))
        .send(&house.router)
        .await
        .refused(422, "invalid");
    let settings = Ask::get("/auth/settings").send(&house.router).await;
    settings.refused(409, "conflict");
}

#[tokio::test]
async fn what_is_wrong_with_a_user_is_told() {
    let house = House::on_sqlite().await;
    let check = async |body: Value, part: &str| {
        let answer = Ask::post("/users").json(&body).send(&house.router).await;
        let text = answer.refused(422, "invalid");
        assert!(text.contains(part), "'{part}' is not in: {text}");
    };
    check(json!({"user": "a b"}), "user").await;
    check(json!({"user": "ada", "password": "short"}), "password").await;
    check(
        json!({"user": "ada", "password": "x".repeat(1_000)}),
        "password",
    )
    .await;
    check(
        json!({"user": "ada", "password": "i am ada, really"}),
        "name",
    )
    .await;
    check(
        json!({"user": "ada", "policies": ["fly"]}),
        "'fly' is not a policy",
    )
    .await;
    check(json!({"user": "ada", "roles": ["a b"]}), "roles").await;
    check(
        json!({"user": "ada", "roles": ["chief"]}),
        "no role 'chief'",
    )
    .await;
    check(json!({"user": "ada", "is_admin": true}), "is_admin").await;
    check(json!({"user": 7}), "user").await;
    user(&house, "ada", &[]).await;
    let again = json!({"user": "ADA"});
    let again = Ask::post("/users").json(&again).send(&house.router).await;
    again.refused(409, "conflict");
}
