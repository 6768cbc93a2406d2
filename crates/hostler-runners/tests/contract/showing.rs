//! What is shown: runners, the service, its health.

use hostler_core::Timestamp;
use hostler_core::runner::{RunnerFacts, RunnerId};
use serde_json::json;

use crate::support::{House, call};

/// One runner at work.
async fn at_work() -> (House, RunnerId) {
    let house = House::usual().await;
    let added = house.add(1).await;
    let id = added.ids()[0].clone();
    house.fake.place(&id, "node-1");
    house.fake.run(&id);
    (house, id)
}

#[tokio::test]
async fn row_1_a_runner_has_the_shape_it_always_had() {
    let (house, id) = at_work().await;
    let runner = house.runner(&id).await;
    assert_eq!(
        (&runner["id"], &runner["status"]),
        (&json!(id.as_str()), &json!("ready"))
    );
    let metadata = runner["metadata"].as_object().unwrap();
    let expected = [
        "node_internal_ip",
        "node_name",
        "placeholder_pod",
        "runner_pod",
    ];
    assert_eq!(metadata.keys().collect::<Vec<_>>(), expected);
    assert!(metadata.values().all(serde_json::Value::is_string));
    let list = house.get("/runners").await;
    assert_eq!((list.status, &list.body), (200, &json!([runner])));
}

#[tokio::test]
async fn row_2_01_an_unknown_id_is_404_and_asks_nobody() {
    let house = House::usual().await;
    for id in [
        "node-placeholder-nobody",
        "kube-apiserver",
        "A",
        "..%2f",
        "..%2F..%2Fnodes",
        "%00",
    ] {
        let answer = house.get(&format!("/runners/{id}")).await;
        assert_eq!(answer.status, 404, "{id}");
        assert!(answer.body["error"].is_string());
    }
    assert_eq!(house.fake.calls(), []);
}

#[tokio::test]
async fn row_2_14_ready_takes_a_ready_program_on_a_ready_machine() {
    let (house, id) = at_work().await;
    let reset = |house: &House, id: &RunnerId| {
        house.fake.place(id, "node-1");
        house.fake.run(id);
    };
    house
        .fake
        .alter(&id, |facts| facts.program.is_ready = false);
    assert_eq!(house.status(&id).await.0, "provisioning");
    reset(&house, &id);
    assert_eq!(house.status(&id).await.0, "ready");
    house.fake.alter(&id, |facts| {
        facts.machine.as_mut().unwrap().is_ready = Some(false);
    });
    assert_eq!(
        house.status(&id).await,
        ("provisioning".into(), "NodeNotReady".into())
    );
}

#[tokio::test]
async fn row_2_16_addresses_absent_or_several() {
    let (house, id) = at_work().await;
    let set = |ips: &[&str]| {
        let ips = ips.iter().map(ToString::to_string).collect();
        house.fake.alter(&id, |facts| {
            facts.machine.as_mut().unwrap().internal_ips = ips;
        });
    };
    set(&[]);
    let metadata = house.runner(&id).await["metadata"].clone();
    assert!(
        metadata.get("node_internal_ip").is_none() && metadata.get("node_internal_ips").is_none()
    );
    set(&["10.0.0.1", "fd00::1"]);
    let metadata = house.runner(&id).await["metadata"].clone();
    assert_eq!(metadata["node_internal_ip"], "10.0.0.1");
    assert_eq!(metadata["node_internal_ips"], "10.0.0.1,fd00::1");
}

#[tokio::test]
async fn row_2_18_what_is_ending_stays_in_the_list_with_its_last_status() {
    let (house, id) = at_work().await;
    house.fake.ends_slowly();
    let answer = house.post("/runners/remove", "").await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let runner = house.runner(&id).await;
    assert_eq!(
        (&runner["status"], &runner["metadata"]["terminating"]),
        (&json!("ready"), &json!("true"))
    );
    house.fake.vanish(&id);
    house.job_is(&answer.job(), "completed").await;
    assert_eq!(house.get("/runners").await.body, json!([]));
}

#[tokio::test]
async fn row_2_22_health_is_about_the_process_only() {
    let house = House::usual().await;
    let answer = call(house.router(), "GET", "/health", "", &[]).await;
    assert_eq!(
        (answer.status, &answer.body),
        (200, &json!({"status": "ok"}))
    );
    let ready = call(house.router(), "GET", "/ready", "", &[]).await;
    assert_eq!((ready.status, &ready.body["ready"]), (200, &json!(true)));
}

#[tokio::test]
async fn row_2_23_the_root_names_service_version_and_provider() {
    let house = House::usual().await;
    let answer = call(house.router(), "GET", "/", "", &[]).await;
    let version = env!("CARGO_PKG_VERSION");
    let expected = json!({"service": "runner-manager", "version": version, "provider": "fake"});
    assert_eq!((answer.status, answer.body), (200, expected));
}

/// Puts these runners there, with these times of creation.
fn appear(house: &House, runners: &[(&str, i64)]) {
    for (id, created) in runners {
        let pool = "default".parse().unwrap();
        let created = Timestamp::from_ms(*created);
        house.fake.appear(RunnerFacts::waiting(
            id.parse().unwrap(),
            pool,
            None,
            created,
        ));
    }
}

async fn ids(house: &House, query: &str) -> Vec<String> {
    let list = house.get(&format!("/runners{query}")).await.body;
    let id = |runner: &serde_json::Value| runner["id"].as_str().unwrap().to_owned();
    list.as_array().unwrap().iter().map(id).collect()
}

#[tokio::test]
async fn row_2_24_the_list_is_sorted_and_can_be_read_in_parts() {
    let house = House::usual().await;
    appear(
        &house,
        &[("b", 999_000), ("a", 999_000), ("c", 998_000), ("d", 1)],
    );
    assert_eq!(ids(&house, "").await, ["d", "c", "a", "b"]);
    assert_eq!(ids(&house, "?limit=2").await, ["d", "c"]);
    assert_eq!(ids(&house, "?limit=2&continue=c").await, ["a", "b"]);
    assert_eq!(ids(&house, "?status=failed").await, ["d"]);
    assert_eq!(ids(&house, "?pool=other").await, Vec::<String>::new());
    for bad in ["?status=fine", "?continue=x", "?size=3"] {
        assert_eq!(
            house.get(&format!("/runners{bad}")).await.status,
            400,
            "{bad}"
        );
    }
}

#[tokio::test]
async fn row_2_29_the_placeholder_is_kept_when_the_runner_is_ready() {
    let (house, id) = at_work().await;
    assert_eq!(house.status(&id).await.0, "ready");
    assert_eq!(house.fake.ids(), [id]);
}

#[tokio::test]
async fn row_2_30_a_runner_whose_program_is_gone_is_provisioning_with_a_reason() {
    let (house, id) = at_work().await;
    house.fake.alter(&id, |facts| {
        facts.program = hostler_core::runner::Program::default();
    });
    assert_eq!(
        house.status(&id).await,
        ("provisioning".into(), "ProgramMissing".into())
    );
    house.fake.run(&id);
    assert_eq!(house.status(&id).await.0, "ready");
}

#[tokio::test]
async fn edge_a_thousand_runners_are_listed_in_a_stable_order_without_a_call() {
    let house = House::with(|rules| rules.max_add = 1_000).await;
    house.add(1_000).await;
    let calls = house.fake.calls().len();
    let first = ids(&house, "").await;
    assert_eq!(first.len(), 1_000);
    assert_eq!(ids(&house, "").await, first);
    assert_eq!(house.fake.calls().len(), calls);
}

#[tokio::test]
async fn a_runner_is_shown_as_soon_as_it_is_asked_for() {
    let house = House::usual().await;
    let added = house.add(1).await;
    assert_eq!(
        house.status(&added.ids()[0]).await,
        ("pending".into(), String::new())
    );
}

#[tokio::test]
async fn a_path_or_method_that_is_not_there_answers_in_the_envelope() {
    let house = House::usual().await;
    for (method, path, status) in [("GET", "/nothing", 404), ("DELETE", "/runners", 405)] {
        let answer = house.call(method, path, "", &[]).await;
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.body["error"].is_string(), "{answer:?}");
    }
}
