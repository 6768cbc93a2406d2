//! `POST /runners/add`.

use std::collections::BTreeSet;

use hostler_core::runner::{ReasonCode, RunnerId};
use hostler_runners::provider::ProviderError;
use hostler_runners::provider::fake::{Call, Fault};

use crate::support::{House, call};

#[tokio::test]
async fn row_2_02_add_answers_201() {
    let house = House::usual().await;
    assert_eq!(
        house
            .post("/runners/add", r#"{"instances": 2}"#)
            .await
            .status,
        201
    );
    assert_eq!(house.fake.count(), 2);
}

#[tokio::test]
async fn row_2_03_missing_body_is_one() {
    let house = House::usual().await;
    for body in ["", "{}", " \n"] {
        let answer = house.post("/runners/add", body).await;
        assert_eq!(
            (answer.status, answer.body["instances"].as_i64()),
            (201, Some(1)),
            "{body:?}"
        );
    }
    assert_eq!(house.fake.count(), 3);
}

#[tokio::test]
async fn row_2_03_a_bad_count_is_refused_with_the_limit_and_nothing_is_created() {
    let house = House::with(|rules| rules.max_add = 7).await;
    for count in ["0", "-1", "1.5", "\"two\"", "8", "1e99", "null5", "[1]"] {
        let answer = house
            .post("/runners/add", &format!(r#"{{"instances": {count}}}"#))
            .await;
        assert_eq!(answer.status, 400, "{count}: {answer:?}");
        let text = answer.body.to_string();
        assert!(text.contains("from 1 to 7"), "{text}");
    }
    let unknown = house.post("/runners/add", r#"{"instance": 1}"#).await;
    assert_eq!(unknown.status, 400);
    assert_eq!(house.fake.count(), 0);
    assert_eq!(house.fake.calls(), []);
    assert_eq!(house.get("/jobs").await.body.as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn row_2_04_the_answer_has_the_exact_words() {
    let house = House::usual().await;
    let answer = house.add(2).await;
    assert_eq!(answer.body["message"], "Runner provisioning started");
    assert_eq!(answer.body["provider"], "fake");
    assert_eq!(answer.body["instances"], 2);
    let keys: BTreeSet<&String> = answer.body.as_object().unwrap().keys().collect();
    assert_eq!(
        keys.into_iter().collect::<Vec<_>>(),
        ["instances", "job_id", "message", "pod_names", "provider"]
    );
    for id in answer.ids() {
        assert!(id.as_str().starts_with("node-placeholder-"), "{id}");
    }
}

#[tokio::test]
async fn row_2_05_the_same_key_creates_nothing_and_answers_the_same() {
    let house = House::usual().await;
    let key = [("idempotency-key", "k1")];
    let first = house
        .call("POST", "/runners/add", r#"{"instances": 2}"#, &key)
        .await;
    let again = house
        .call("POST", "/runners/add", r#"{"instances": 2}"#, &key)
        .await;
    assert_eq!((first.status, &first.body), (again.status, &again.body));
    assert_eq!(house.fake.count(), 2);
    let other = house
        .call("POST", "/runners/add", r#"{"instances": 3}"#, &key)
        .await;
    assert_eq!(
        (other.status, other.body["code"].as_str()),
        (409, Some("key_reused"))
    );
    let empty = house
        .call("POST", "/runners/add", "", &[("idempotency-key", " ")])
        .await;
    assert_eq!(empty.status, 400);
    assert_eq!(house.fake.count(), 2);
}

#[tokio::test]
async fn row_2_05_the_same_key_answers_the_same_after_a_restart() {
    let mut house = House::usual().await;
    let key = [("idempotency-key", "k1")];
    let first = house.call("POST", "/runners/add", "", &key).await;
    house.restart().await;
    let again = house.call("POST", "/runners/add", "", &key).await;
    assert_eq!((first.status, &first.body), (again.status, &again.body));
    assert_eq!(house.fake.count(), 1);
}

#[tokio::test]
async fn edge_concurrent_duplicates_of_a_key_are_one_job() {
    let house = House::usual().await;
    let one = || {
        house.call(
            "POST",
            "/runners/add",
            r#"{"instances": 3}"#,
            &[("idempotency-key", "k")],
        )
    };
    let all = futures::future::join_all((0..20).map(|_| one())).await;
    assert!(
        all.iter().all(|answer| answer.body == all[0].body),
        "{all:?}"
    );
    assert_eq!(house.fake.count(), 3);
    assert_eq!(house.get("/jobs").await.body.as_array().unwrap().len(), 1);
}

/// The second of three requests fails so.
async fn fails_half_way(error: ProviderError) -> (House, crate::support::Answer) {
    let house = House::with(|rules| rules.ask_patience = std::time::Duration::ZERO).await;
    house.fake.fault(Fault::CreateWell);
    house.fake.fault(Fault::Create(error));
    let answer = house.post("/runners/add", r#"{"instances": 3}"#).await;
    (house, answer)
}

#[tokio::test]
async fn row_2_06_what_fails_half_way_leaves_nothing_and_says_why() {
    let text = || "exceeded quota: pods".to_owned();
    let unreachable = ProviderError::Unreachable(text());
    let throttled = ProviderError::Throttled {
        retry_after: None,
        text: text(),
    };
    for (error, status, code) in [
        (ProviderError::Quota(text()), 429, "quota_exceeded"),
        (ProviderError::Denied(text()), 502, "provider_denied"),
        (ProviderError::NoCapacity(text()), 503, "no_capacity"),
        (throttled, 429, "throttled"),
        (unreachable, 503, "provider_unreachable"),
    ] {
        let (house, answer) = fails_half_way(error).await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.body["code"], code);
        assert!(
            answer.body["error"]
                .as_str()
                .unwrap()
                .contains("exceeded quota: pods")
        );
        assert_eq!(
            answer.headers.contains_key("retry-after"),
            status != 502,
            "{answer:?}"
        );
        assert_eq!(house.fake.count(), 0, "{code}");
        let jobs = house.get("/jobs").await.body;
        assert_eq!(
            (&jobs[0]["status"], jobs[0]["reason"]["text"].as_str()),
            (&"timeout".into(), Some("exceeded quota: pods"))
        );
        assert_eq!(
            house.get("/runners").await.body.as_array().unwrap().len(),
            0
        );
    }
}

#[tokio::test]
async fn row_2_06_a_roll_back_that_fails_is_finished_later() {
    let house = House::usual().await;
    house.fake.fault(Fault::CreateWell);
    house.fake.fault(Fault::CreateUnheard);
    house
        .fake
        .fault(Fault::Create(ProviderError::Quota("full".into())));
    for _ in 0..5 {
        house
            .fake
            .fault(Fault::Release(ProviderError::Unreachable("gone".into())));
    }
    let answer = house.post("/runners/add", r#"{"instances": 3}"#).await;
    assert_eq!(answer.status, 429);
    house.until(|house| house.fake.count() == 0).await;
}

#[tokio::test]
async fn a_provider_that_stumbles_is_asked_again() {
    let house = House::usual().await;
    house.fake.fault(Fault::CreateUnheard);
    house.fake.fault(Fault::Create(ProviderError::Throttled {
        retry_after: Some(std::time::Duration::from_millis(1)),
        text: "slow down".into(),
    }));
    let answer = house.add(2).await;
    let there: BTreeSet<RunnerId> = house.fake.ids().into_iter().collect();
    assert_eq!(there, answer.ids().into_iter().collect());
}

#[tokio::test]
async fn nothing_is_asked_of_the_provider_before_the_job_is_written() {
    let house = House::usual().await;
    house.book.breaks(true);
    let answer = house.post("/runners/add", "").await;
    assert_eq!(
        (answer.status, answer.body["code"].as_str()),
        (503, Some("unavailable"))
    );
    assert_eq!(house.fake.calls(), []);
    house.book.breaks(false);
    house.add(1).await;
}

#[tokio::test]
async fn a_dry_run_does_nothing() {
    let house = House::usual().await;
    let answer = house
        .post("/runners/add", r#"{"instances": 2, "dry_run": true}"#)
        .await;
    assert_eq!(
        (answer.status, answer.body["instances"].as_i64()),
        (200, Some(2))
    );
    assert!(answer.body.get("job_id").is_none());
    assert_eq!((house.fake.count(), house.book.writes()), (0, 0));
}

#[tokio::test]
async fn row_2_17_a_machine_that_nobody_manages_is_shown_and_can_be_adopted() {
    let house = House::usual().await;
    house.fake.machine("node-1");
    let hosts = house.get("/nodes").await.body;
    assert_eq!(
        (&hosts[0]["name"], &hosts[0]["managed"]),
        (&"node-1".into(), &false.into())
    );
    let answer = house.post("/nodes/node-1/adopt", "").await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let runner = house.runner(&answer.ids()[0]).await;
    assert_eq!(runner["metadata"]["node_name"], "node-1");
    assert_eq!(house.get("/nodes").await.body[0]["managed"], true);
    assert_eq!(house.post("/nodes/node-1/adopt", "").await.status, 409);
    assert_eq!(house.post("/nodes/node-2/adopt", "").await.status, 404);
}

#[tokio::test]
async fn row_2_21_without_the_token_nothing_is_said_or_done() {
    let house = House::usual().await;
    for (method, path) in [
        ("GET", "/runners"),
        ("GET", "/runners/node-placeholder-a"),
        ("POST", "/runners/add"),
        ("POST", "/runners/remove"),
        ("GET", "/jobs"),
        ("GET", "/jobs/x"),
        ("GET", "/pools"),
        ("GET", "/nodes"),
        ("POST", "/nodes/a/adopt"),
        ("GET", "/doctor"),
        ("GET", "/metrics"),
    ] {
        for headers in [
            &[][..],
            &[("authorization", "Bearer wrong")],
            &[("authorization", "test-token")],
        ] {
            let answer = call(house.router(), method, path, "", headers).await;
            assert_eq!(answer.status, 401, "{method} {path}");
            assert!(answer.body["error"].is_string());
        }
    }
    assert_eq!(house.fake.calls(), []);
}

#[tokio::test]
async fn every_route_about_runners_is_behind_the_lock() {
    let house = House::usual().await;
    for route in hostler_runners::http::routes() {
        let path = route.path.replace("{id}", "a").replace("{name}", "a");
        for method in ["GET", "POST"] {
            let status = call(house.router(), method, &path, "", &[]).await.status;
            assert!(status == 401 || status == 405, "{method} {path}: {status}");
        }
    }
}

#[tokio::test]
async fn creates_are_made_for_each_runner_once() {
    let house = House::usual().await;
    let answer = house.add(40).await;
    let created: Vec<Call> = house.fake.calls();
    assert_eq!(created.len(), 40);
    for id in answer.ids() {
        assert!(created.contains(&Call::Create(id)));
    }
}

#[tokio::test]
async fn a_refusal_is_counted_as_its_reason() {
    let (house, _) = fails_half_way(ProviderError::Quota("full".into())).await;
    let code = &house.get("/jobs").await.body[0]["reason"]["code"];
    assert_eq!(*code, ReasonCode::QuotaExceeded.to_string());
}
