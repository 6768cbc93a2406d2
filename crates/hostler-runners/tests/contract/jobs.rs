//! Jobs: what they say, how they end, and that they outlive the manager.

use std::time::Duration;

use hostler_core::runner::job::{OnLost, OnTimeout, WaitFor};
use hostler_core::runner::{Reason, ReasonCode};

use crate::support::House;

#[tokio::test]
async fn row_2_07_a_job_can_be_read() {
    let house = House::usual().await;
    let added = house.add(2).await;
    let (job, ids) = (added.job(), added.ids());
    let shown = house.get(&format!("/jobs/{job}")).await.body;
    assert_eq!(
        (&shown["status"], &shown["kind"]),
        (&"running".into(), &"add".into())
    );
    assert_eq!(
        (&shown["instances"], &shown["asked_by"]),
        (&2.into(), &"ops".into())
    );
    assert_eq!(shown["runners"][0]["id"], ids[0].as_str());
    assert_eq!(shown["runners"][0]["status"], "pending");
    for key in ["created_at", "deadline"] {
        assert!(shown[key].is_string(), "{shown:#}");
    }
    assert_eq!(house.get("/jobs").await.body, serde_json::json!([shown]));
    for unknown in ["x", "00000000-0000-7000-8000-000000000000", "..%2f"] {
        assert_eq!(house.get(&format!("/jobs/{unknown}")).await.status, 404);
    }
}

#[tokio::test]
async fn row_2_08_jobs_go_on_after_a_restart() {
    let mut house = House::usual().await;
    let added = house.add(2).await;
    let (job, ids) = (added.job(), added.ids());
    house.fake.place(&ids[0], "node-1");
    house
        .job_until(&job, |job| job["scheduled_count"] == 1)
        .await;
    house.restart().await;
    assert_eq!(
        house.get(&format!("/jobs/{job}")).await.body["status"],
        "running"
    );
    house.fake.place(&ids[1], "node-2");
    house.job_is(&job, "completed").await;
    house.restart().await;
    house.job_is(&job, "completed").await;
    assert_eq!(house.fake.count(), 2);
}

#[tokio::test]
async fn row_2_08_a_deadline_is_not_begun_anew_by_a_restart() {
    let mut house = House::usual().await;
    let job = house.add(1).await.job();
    house.pass(599);
    house.restart().await;
    house.job_is(&job, "running").await;
    house.pass(1);
    house.job_is(&job, "timeout").await;
}

#[tokio::test]
async fn row_2_09_completed_is_scheduled_and_ready_is_told_apart() {
    let house = House::usual().await;
    let added = house.add(1).await;
    let (job, ids) = (added.job(), added.ids());
    house.fake.place(&ids[0], "node-1");
    let shown = house.job_is(&job, "completed").await;
    assert_eq!(
        (&shown["ready_count"], shown.get("ready_at")),
        (&0.into(), None)
    );
    house.fake.run(&ids[0]);
    let shown = house.job_until(&job, |job| job["ready_count"] == 1).await;
    assert!(shown["ready_at"].is_string(), "{shown:#}");
}

#[tokio::test]
async fn row_2_09_a_job_may_wait_for_ready() {
    let house = House::with(|rules| rules.wait_for = WaitFor::Ready).await;
    let added = house.add(1).await;
    let (job, ids) = (added.job(), added.ids());
    house.fake.place(&ids[0], "node-1");
    house
        .job_until(&job, |job| job["scheduled_count"] == 1)
        .await;
    house.job_is(&job, "running").await;
    house.fake.run(&ids[0]);
    house.job_is(&job, "completed").await;
}

#[tokio::test]
async fn row_2_10_a_machine_at_the_last_moment_counts() {
    let house = House::usual().await;
    let added = house.add(1).await;
    // Both are true when the keeper looks again.
    house.fake.alter(&added.ids()[0], |_| ());
    house.fake.place(&added.ids()[0], "node-1");
    house.pass(600);
    let shown = house.job_is(&added.job(), "completed").await;
    assert_eq!(shown["late"], false);
}

#[tokio::test]
async fn row_2_11_a_pod_deleted_by_somebody_ends_its_wait_at_once() {
    let house = House::usual().await;
    let added = house.add(2).await;
    let (job, ids) = (added.job(), added.ids());
    house.fake.vanish(&ids[1]);
    let shown = house.job_until(&job, |job| job["gone_count"] == 1).await;
    assert_eq!(shown["runners"][1]["reason"]["code"], "deleted");
    assert_eq!(shown["status"], "running");
    house.fake.place(&ids[0], "node-1");
    let shown = house.job_is(&job, "timeout").await;
    assert_eq!(shown["reason"]["code"], "deleted");
}

#[tokio::test]
async fn row_2_11_a_pod_removed_through_us_does_not_spoil_the_job() {
    let house = House::usual().await;
    let added = house.add(2).await;
    let (job, ids) = (added.job(), added.ids());
    let body = format!(r#"{{"runner_ids": ["{}"]}}"#, ids[1]);
    assert_eq!(house.post("/runners/remove", &body).await.status, 200);
    house.fake.place(&ids[0], "node-1");
    house.job_is(&job, "completed").await;
}

#[tokio::test]
async fn row_2_12_after_the_timeout_requests_are_kept_and_may_complete_late() {
    let house = House::usual().await;
    let added = house.add(1).await;
    let (job, ids) = (added.job(), added.ids());
    house.pass(600);
    let shown = house.job_is(&job, "timeout").await;
    assert_eq!(shown["reason"]["code"], "DeadlinePassed");
    assert_eq!(house.fake.count(), 1);
    assert_eq!(house.status(&ids[0]).await.0, "failed");
    house.fake.place(&ids[0], "node-1");
    let shown = house.job_is(&job, "completed").await;
    assert_eq!(shown["late"], true);
    assert_eq!(house.status(&ids[0]).await.0, "provisioning");
}

#[tokio::test]
async fn row_2_12_after_the_timeout_requests_are_deleted_if_so_configured() {
    let house = House::with(|rules| rules.jobs.on_timeout = OnTimeout::Delete).await;
    let added = house.add(2).await;
    let (job, ids) = (added.job(), added.ids());
    house.fake.place(&ids[0], "node-1");
    house
        .job_until(&job, |job| job["scheduled_count"] == 1)
        .await;
    house.pass(600);
    house.job_is(&job, "timeout").await;
    house.until(|house| house.fake.count() == 1).await;
    assert_eq!(house.fake.ids(), [ids[0].clone()]);
    let shown = house.job_until(&job, |job| job["gone_count"] == 1).await;
    assert_eq!(shown["status"], "timeout");
}

#[tokio::test]
async fn req_8_14_a_pool_that_cannot_grow_is_told_in_the_job_at_once() {
    let house = House::usual().await;
    house.fake.limit("default", 1);
    let job = house.add(3).await.job();
    let shown = house
        .job_until(&job, |job| job["reason"]["code"] == "MaxNodesReached")
        .await;
    assert_eq!(shown["status"], "running");
    assert!(shown["reason"]["hint"].is_string());
}

#[tokio::test]
async fn edge_add_three_where_one_is_left() {
    let house = House::with(|rules| rules.jobs.on_timeout = OnTimeout::Delete).await;
    house.fake.limit("default", 1);
    let added = house.add(3).await;
    let job = added.job();
    let first = house
        .fake
        .ids()
        .into_iter()
        .find(|id| house.fake_waits(id))
        .unwrap();
    house.fake.place(&first, "node-1");
    house.fake.run(&first);
    house.job_until(&job, |job| job["ready_count"] == 1).await;
    for id in added.ids().iter().filter(|id| **id != first) {
        assert_eq!(
            house.status(id).await,
            ("pending".into(), "MaxNodesReached".into())
        );
    }
    house.pass(600);
    let shown = house.job_is(&job, "timeout").await;
    assert_eq!(shown["reason"]["code"], "DeadlinePassed");
    house.until(|house| house.fake.count() == 1).await;
    assert_eq!(house.status(&first).await.0, "ready");
}

impl House {
    /// Whether nothing stands against the runner's request.
    fn fake_waits(&self, id: &hostler_core::runner::RunnerId) -> bool {
        let mut waits = false;
        self.fake
            .alter(id, |facts| waits = facts.reasons.is_empty());
        waits
    }
}

#[tokio::test]
async fn edge_a_placeholder_deleted_by_hand_on_a_ready_runner_is_not_lost_silently() {
    let house = House::usual().await;
    let added = house.add(1).await;
    let id = added.ids()[0].clone();
    house.fake.place(&id, "node-1");
    house.fake.run(&id);
    house
        .job_until(&added.job(), |job| job["ready_count"] == 1)
        .await;
    house.fake.vanish(&id);
    house
        .job_until(&added.job(), |job| job["gone_count"] == 1)
        .await;
    assert_eq!(house.status(&id).await, ("failed".into(), "deleted".into()));
    assert_eq!(
        house.get("/runners").await.body.as_array().unwrap().len(),
        1
    );
    house.pass(600);
    assert_eq!(
        house.get("/runners").await.body.as_array().unwrap().len(),
        0
    );
    assert_eq!(house.get(&format!("/runners/{id}")).await.status, 404);
}

#[tokio::test]
async fn edge_a_placeholder_deleted_by_hand_is_replaced_if_so_configured() {
    let house = House::with(|rules| rules.jobs.on_lost = OnLost::Replace).await;
    let added = house.add(1).await;
    let id = added.ids()[0].clone();
    house.fake.place(&id, "node-1");
    house.job_is(&added.job(), "completed").await;
    house.fake.vanish(&id);
    house.until(|house| house.fake.count() == 1).await;
    assert_eq!(house.fake.ids(), [id]);
}

#[tokio::test]
async fn edge_a_machine_lost_under_a_runner_is_shown_for_a_while() {
    let house = House::usual().await;
    let added = house.add(1).await;
    let id = added.ids()[0].clone();
    house.fake.place(&id, "node-1");
    house.job_is(&added.job(), "completed").await;
    house.fake.alter(&id, |facts| {
        facts.machine.as_mut().unwrap().exists = Some(false);
    });
    assert_eq!(
        house.status(&id).await,
        ("failed".into(), "NodeLost".into())
    );
    house
        .job_until(&added.job(), |job| {
            job["runners"][0]["reason"]["code"] == "NodeLost"
        })
        .await;
    house.fake.vanish(&id);
    house
        .job_until(&added.job(), |job| job["gone_count"] == 1)
        .await;
    assert_eq!(
        house.status(&id).await,
        ("failed".into(), "NodeLost".into())
    );
}

#[tokio::test]
async fn row_2_13d_an_error_of_the_provider_fails_no_runner_and_no_job() {
    let house = House::usual().await;
    let added = house.add(1).await;
    let id = added.ids()[0].clone();
    house.fake.place(&id, "node-1");
    house.fake.run(&id);
    house
        .fake
        .ails(Some(Reason::new(ReasonCode::Denied, "pods is forbidden")));
    assert_eq!(house.status(&id).await.0, "ready");
    assert_eq!(house.get("/health").await.status, 200);
    let ready = house.get("/ready").await;
    assert_eq!(ready.status, 503);
    assert!(
        ready.body.to_string().contains("pods is forbidden"),
        "{ready:?}"
    );
}

#[tokio::test]
async fn a_book_that_fails_for_a_while_loses_nothing() {
    let mut house = House::usual().await;
    let added = house.add(1).await;
    house.book.breaks(true);
    house.fake.place(&added.ids()[0], "node-1");
    house
        .job_until(&added.job(), |job| job["scheduled_count"] == 1)
        .await;
    house.book.breaks(false);
    house.job_is(&added.job(), "completed").await;
    house.restart().await;
    house.job_is(&added.job(), "completed").await;
}

#[tokio::test]
async fn old_jobs_are_forgotten_when_nothing_is_left_of_them() {
    let mut house = House::with(|rules| rules.keep = Duration::from_mins(1)).await;
    let added = house.add(1).await;
    house.fake.place(&added.ids()[0], "node-1");
    house.job_is(&added.job(), "completed").await;
    house.pass(120);
    house.restart().await;
    house.job_is(&added.job(), "completed").await;
    assert_eq!(house.post("/runners/remove", "").await.status, 200);
    house
        .job_until(&added.job(), |job| job["gone_count"] == 1)
        .await;
    house.pass(60);
    house.restart().await;
    house.until(|house| house.manager().jobs().is_empty()).await;
}
