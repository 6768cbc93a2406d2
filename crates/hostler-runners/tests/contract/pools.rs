//! Pools, their bounds, and falling back from one to another.

use std::sync::Arc;

use hostler_core::runner::{Reason, ReasonCode};
use hostler_runners::fleet::NoFleet;
use hostler_runners::provider::ProviderError;
use hostler_runners::provider::fake::Fault;

use crate::support::House;

const TWO: &str = r#"
[[pool]]
name = "default"
max = 3
fallback = ["spare"]
[[pool]]
name = "spare"
max = 2
"#;

async fn two_pools() -> House {
    House::of(|_| (), TWO, Arc::new(NoFleet::default())).await
}

#[tokio::test]
async fn req_8_10_a_pool_can_be_named_and_pools_are_shown() {
    let house = two_pools().await;
    let answer = house.post("/runners/add", r#"{"pool": "spare"}"#).await;
    assert_eq!(answer.status, 201);
    assert_eq!(house.runner(&answer.ids()[0]).await["pool"], "spare");
    let pools = house.get("/pools").await.body;
    assert_eq!(
        (&pools[0]["name"], &pools[0]["max"]),
        (&"default".into(), &3.into())
    );
    assert_eq!(pools[1]["runners"]["pending"], 1);
    assert_eq!(
        house
            .post("/runners/add", r#"{"pool": "other"}"#)
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn a_pool_never_has_more_than_its_most_and_its_fallback_is_asked_then() {
    let house = two_pools().await;
    house.add(3).await;
    let spare = house.add(2).await;
    assert_eq!(house.runner(&spare.ids()[0]).await["pool"], "spare");
    let full = house.post("/runners/add", "").await;
    assert_eq!(
        (full.status, full.body["code"].as_str()),
        (409, Some("bounds"))
    );
    assert_eq!(house.fake.count(), 5);
}

#[tokio::test]
async fn concurrent_additions_stay_within_the_most() {
    let house = two_pools().await;
    let all = futures::future::join_all((0..20).map(|_| house.post("/runners/add", ""))).await;
    let made = all.iter().filter(|answer| answer.status == 201).count();
    assert_eq!((made, house.fake.count()), (5, 5));
}

#[tokio::test]
async fn req_8_11_a_request_that_is_refused_for_capacity_goes_to_the_fallback() {
    let house = two_pools().await;
    house.fake.fault(Fault::Create(ProviderError::NoCapacity(
        "no m7i.large".into(),
    )));
    let added = house.add(1).await;
    assert_eq!(house.runner(&added.ids()[0]).await["pool"], "spare");
    let pools = house.get("/pools").await.body;
    assert_eq!(pools[0]["reason"]["text"], "no m7i.large");
    assert!(pools[0]["resting_until"].is_string());
    // While it rests, the fallback is asked at once.
    let added = house.add(1).await;
    assert_eq!(house.runner(&added.ids()[0]).await["pool"], "spare");
    house.pass(3_600);
    let added = house.add(1).await;
    assert_eq!(house.runner(&added.ids()[0]).await["pool"], "default");
}

#[tokio::test]
async fn req_8_11_a_request_that_waits_for_a_full_pool_moves_under_its_id() {
    let house = two_pools().await;
    house.fake.limit("default", 0);
    let added = house.add(1).await;
    let id = added.ids()[0].clone();
    house
        .job_until(&added.job(), |job| job["runners"][0]["pool"] == "spare")
        .await;
    house.until(|house| house.fake.ids() == [id.clone()]).await;
    house.fake.place(&id, "node-1");
    house.job_is(&added.job(), "completed").await;
    assert_eq!(house.runner(&id).await["pool"], "spare");
}

#[tokio::test]
async fn req_8_11_a_manager_that_dies_in_a_move_goes_on_with_it() {
    let mut house = two_pools().await;
    house.fake.ends_slowly();
    let added = house.add(1).await;
    let id = added.ids()[0].clone();
    let full = Reason::new(ReasonCode::MaxNodesReached, "max size reached");
    house.fake.alter(&id, |facts| facts.reasons.insert(0, full));
    house
        .job_until(&added.job(), |job| job["runners"][0]["pool"] == "spare")
        .await;
    house.restart().await;
    house.fake.vanish(&id);
    house.until(|house| house.fake.ids() == [id.clone()]).await;
    assert_eq!(
        house.get(&format!("/runners/{id}")).await.body["pool"],
        "spare"
    );
}

#[tokio::test]
async fn a_runner_without_another_pool_waits_where_it_is() {
    let house = House::usual().await;
    house.fake.limit("default", 0);
    let added = house.add(1).await;
    house
        .job_until(&added.job(), |job| {
            job["reason"]["code"] == "MaxNodesReached"
        })
        .await;
    assert_eq!(house.fake.calls().len(), 1);
}
