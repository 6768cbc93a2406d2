//! The audit log over HTTP: changes, refusals and sign-ins, in one chain that a
//! client can verify by itself.
// A story is told in one go.
#![allow(clippy::too_many_lines)]

use hostler_core::audit::Verifier;
use hostler_wire::rest;
use serde_json::json;

use super::users::{login, session, user};
use crate::testing::{Ask, House, on_both};

#[tokio::test]
async fn it_says_who_did_what_from_where_and_what_came_of_it() {
    on_both(async |house| {
        user(&house, "ada", &["viewer"]).await;
        let ada = session(&house, "ada").await;
        login("ada", "wrong password")
            .from("10.0.0.9")
            .send(&house.router)
            .await
            .refused(401, "unauthenticated");
        let drain = Ask::post(&format!("/slaves/{}/drain", uuid::Uuid::nil()));
        drain
            .token(&ada)
            .from("10.0.0.7")
            .json(&json!({}))
            .send(&house.router)
            .await
            .refused(403, "missing_policy");
        let deploy = house.service("echo").await;
        Ask::post("/workloads")
            .from("10.0.0.8")
            .json(&deploy)
            .send(&house.router)
            .await
            .expect(201);
        let page = Ask::get("/audit?after=0&limit=1000")
            .send(&house.router)
            .await
            .expect(200);
        let entries: Vec<rest::AuditEntry> = serde_json::from_value(page["items"].clone()).unwrap();
        let said: Vec<_> = entries
            .iter()
            .map(|entry| {
                (
                    entry.actor.as_str(),
                    entry.action.as_str(),
                    entry.outcome.as_str(),
                    entry.origin.as_str(),
                )
            })
            .collect();
        for expected in [
            ("admin", "user.created", "done", ""),
            ("ada", "session.begun", "done", "0.0.0.0"),
            ("ada", "session.begun", "refused", "10.0.0.9"),
            ("ada", "nodes:drain", "refused", "10.0.0.7"),
            ("admin", "workload.created", "done", "10.0.0.8"),
        ] {
            assert!(said.contains(&expected), "{expected:?} is not in {said:?}");
        }
        let mut verifier = Verifier::default();
        for entry in &entries {
            verifier.read(&entry.entry(), entry.hash).unwrap();
        }
        let verdict = Ask::get("/audit/verify")
            .send(&house.router)
            .await
            .expect(200);
        assert_eq!(verdict["whole"], true);
        assert_eq!(verdict["hash"], json!(verifier.hash.to_string()));
        let only = Ask::get("/audit?actor=ada")
            .send(&house.router)
            .await
            .expect(200);
        assert_eq!(only["items"].as_array().unwrap().len(), 3);
    })
    .await;
}

#[tokio::test]
async fn who_sends_nothing_valid_writes_nothing_into_it() {
    let house = House::on_sqlite().await;
    for _ in 0..3 {
        let ask = Ask::post("/tokens").token("wrong").json(&json!({}));
        ask.send(&house.router)
            .await
            .refused(401, "unauthenticated");
    }
    let page = Ask::get("/audit?after=0")
        .send(&house.router)
        .await
        .expect(200);
    assert_eq!(page["items"], json!([]));
}
