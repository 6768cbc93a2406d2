//! `POST /runners/remove`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use hostler_core::runner::RunnerId;
use hostler_runners::fleet::{Fleet, FleetError, Member, Members};
use hostler_runners::provider::ProviderError;
use hostler_runners::provider::fake::{Call, Fault};
use tokio::sync::watch;

use crate::support::{Answer, House};

/// Runners at work, the oldest first, a second apart.
async fn at_work(house: &House, count: usize) -> Vec<RunnerId> {
    let mut ids = Vec::new();
    for index in 0..count {
        let id = house.add(1).await.ids()[0].clone();
        house.fake.place(&id, &format!("node-{index}"));
        house.fake.run(&id);
        house.pass(1);
        ids.push(id);
    }
    ids
}

fn named(ids: &[RunnerId], more: &str) -> String {
    let ids: Vec<&str> = ids.iter().map(RunnerId::as_str).collect();
    format!(r#"{{"runner_ids": {}{more}}}"#, serde_json::json!(ids))
}

#[track_caller]
fn check(answer: &Answer, status: u16, ids: &[&RunnerId]) {
    assert_eq!(answer.status, status, "{answer:?}");
    let expected: Vec<RunnerId> = ids.iter().map(|id| (*id).clone()).collect();
    assert_eq!(answer.ids(), expected);
    assert_eq!(answer.body["instances"], ids.len());
}

#[tokio::test]
async fn row_2_1_request_no_body_removes_one_and_answers_in_these_words() {
    let house = House::usual().await;
    let ids = at_work(&house, 2).await;
    let answer = house.post("/runners/remove", "").await;
    check(&answer, 200, &[&ids[1]]);
    assert_eq!(answer.body["message"], "Runner instances removed");
    assert_eq!(answer.body["provider"], "fake");
    assert_eq!(house.fake.ids(), [ids[0].clone()]);
    let job = house.job_is(&answer.job(), "completed").await;
    assert_eq!(job["kind"], "remove");
}

#[tokio::test]
async fn row_2_1_request_a_wrong_one_is_refused() {
    let house = House::usual().await;
    at_work(&house, 1).await;
    for body in [
        r#"{"instances": 0}"#,
        r#"{"instances": -1}"#,
        r#"{"count": 1}"#,
        r#"{"runner_ids": []}"#,
        "x",
    ] {
        assert_eq!(
            house.post("/runners/remove", body).await.status,
            400,
            "{body}"
        );
    }
    for body in [
        r#"{"runner_ids": ["nobody"]}"#,
        r#"{"runner_ids": ["../x"]}"#,
    ] {
        assert_eq!(
            house.post("/runners/remove", body).await.status,
            404,
            "{body}"
        );
    }
    assert_eq!(house.fake.count(), 1);
}

#[tokio::test]
async fn row_2_1_choice_those_missed_least_go_first() {
    let house = House::usual().await;
    let ready = at_work(&house, 2).await;
    let starting = house.add(1).await.ids();
    house.fake.place(&starting[0], "node-8");
    let waiting = house.add(1).await.ids();
    let failed = house.add(1).await.ids();
    house.fake.alter(&failed[0], |facts| {
        facts.request = hostler_core::runner::Request::Failed;
    });
    let order = [&failed[0], &waiting[0], &starting[0], &ready[1], &ready[0]];
    for id in order {
        let dry = house.post("/runners/remove", r#"{"dry_run": true}"#).await;
        check(&dry, 200, &[id]);
        check(&house.post("/runners/remove", "").await, 200, &[id]);
    }
}

#[tokio::test]
async fn row_2_1_choice_never_below_the_floor() {
    let house = House::with(|rules| rules.min_runners = 2).await;
    let ids = at_work(&house, 3).await;
    check(
        &house.post("/runners/remove", r#"{"instances": 3}"#).await,
        200,
        &[&ids[2]],
    );
    let refused = house.post("/runners/remove", "").await;
    assert_eq!(
        (refused.status, refused.body["code"].as_str()),
        (409, Some("bounds"))
    );
    assert_eq!(
        house
            .post("/runners/remove", &named(&ids[..1], ""))
            .await
            .status,
        409
    );
    assert_eq!(house.fake.count(), 2);
}

#[tokio::test]
async fn row_2_1_fewer_than_asked_removes_what_there_is() {
    let house = House::usual().await;
    let ids = at_work(&house, 2).await;
    let answer = house.post("/runners/remove", r#"{"instances": 5}"#).await;
    check(&answer, 200, &[&ids[1], &ids[0]]);
    assert_eq!(house.post("/runners/remove", "").await.status, 409);
}

#[tokio::test]
async fn row_2_1_steps_the_machine_is_closed_before_the_placeholder_is_deleted() {
    let house = House::usual().await;
    let ids = at_work(&house, 1).await;
    house.post("/runners/remove", "").await;
    let calls = house.fake.calls();
    let expected = [
        Call::Cordon(ids[0].clone(), true),
        Call::Release(ids[0].clone()),
    ];
    assert_eq!(calls[calls.len() - 2..], expected);
}

#[tokio::test]
async fn row_2_1_steps_without_the_right_to_close_machines_it_goes_on() {
    let house = House::usual().await;
    let ids = at_work(&house, 1).await;
    house.fake.fault(Fault::Cordon(ProviderError::Denied(
        "nodes is forbidden".into(),
    )));
    check(&house.post("/runners/remove", "").await, 200, &[&ids[0]]);
    assert_eq!(house.fake.count(), 0);
}

#[tokio::test]
async fn row_2_1_steps_a_call_that_fails_is_made_again() {
    let house = House::usual().await;
    let ids = at_work(&house, 1).await;
    let gone = || ProviderError::Unreachable("gone".into());
    house.fake.fault(Fault::Cordon(gone()));
    house.fake.fault(Fault::Release(gone()));
    house.fake.fault(Fault::ReleaseUnheard);
    let answer = house.post("/runners/remove", &named(&ids, "")).await;
    house.job_is(&answer.job(), "completed").await;
    assert_eq!(house.fake.count(), 0);
}

#[tokio::test]
async fn row_2_1_idempotency_the_same_key_or_the_same_ids_are_the_same_job() {
    let house = House::usual().await;
    let ids = at_work(&house, 4).await;
    let key = [("idempotency-key", "k")];
    let first = house.call("POST", "/runners/remove", "{}", &key).await;
    let again = house.call("POST", "/runners/remove", "{}", &key).await;
    assert_eq!(first.body, again.body);
    assert_eq!(house.fake.count(), 3);
    let first = house.post("/runners/remove", &named(&ids[..2], "")).await;
    let again = house.post("/runners/remove", &named(&ids[..2], "")).await;
    assert_eq!(first.body, again.body);
    assert_eq!(house.fake.count(), 1);
}

#[tokio::test]
async fn row_2_1_idempotency_one_that_is_ending_counts_as_done() {
    let house = House::usual().await;
    let ids = at_work(&house, 2).await;
    house.fake.ends_slowly();
    house
        .fake
        .alter(&ids[0], |facts| facts.is_terminating = true);
    let answer = house.post("/runners/remove", &named(&ids[..1], "")).await;
    check(&answer, 202, &[&ids[0]]);
    let made = |call: &Call| matches!(call, Call::Cordon(..) | Call::Release(_));
    assert_eq!(
        house.fake.calls().iter().filter(|call| made(call)).count(),
        0
    );
}

#[tokio::test]
async fn a_removal_in_a_dry_run_does_nothing() {
    let house = House::usual().await;
    let ids = at_work(&house, 1).await;
    let writes = house.book.writes();
    check(
        &house.post("/runners/remove", r#"{"dry_run": true}"#).await,
        200,
        &[&ids[0]],
    );
    assert_eq!((house.fake.count(), house.book.writes()), (1, writes));
}

/// A fleet whose nodes have so much work, which leaves when the test says so.
struct Work {
    seen: watch::Sender<Arc<Members>>,
    calls: Mutex<Vec<(RunnerId, &'static str)>>,
}

impl Work {
    fn of(loads: &[(&RunnerId, u32)]) -> Self {
        let work = Self {
            seen: watch::Sender::default(),
            calls: Mutex::default(),
        };
        for (id, load) in loads {
            work.set(id, *load, true);
        }
        work
    }

    fn set(&self, id: &RunnerId, load: u32, is_open: bool) {
        let mut nodes: BTreeMap<_, _> = self.seen.borrow().nodes.clone();
        nodes.insert(id.clone(), Member { load, is_open });
        let members = Members {
            are_awaited: true,
            nodes,
        };
        self.seen.send_replace(Arc::new(members));
    }

    fn note(&self, id: &RunnerId, what: &'static str) {
        let mut calls = self.calls.lock().unwrap();
        if calls.last() != Some(&(id.clone(), what)) {
            calls.push((id.clone(), what));
        }
    }

    fn calls(&self) -> Vec<&'static str> {
        self.calls
            .lock()
            .unwrap()
            .iter()
            .map(|(_, what)| *what)
            .collect()
    }
}

#[async_trait]
impl Fleet for Work {
    fn members(&self) -> watch::Receiver<Arc<Members>> {
        self.seen.subscribe()
    }

    async fn schedule(&self, id: &RunnerId, open: bool) -> Result<(), FleetError> {
        self.note(id, if open { "open" } else { "close" });
        let member = self.seen.borrow().nodes.get(id).copied();
        if let Some(member) = member {
            self.set(id, member.load, open);
        }
        Ok(())
    }

    async fn leave(&self, _id: &RunnerId, _force: bool) -> Result<(), FleetError> {
        Ok(())
    }

    async fn forget(&self, id: &RunnerId) -> Result<(), FleetError> {
        self.note(id, "forget");
        Ok(())
    }
}

/// A runner at work in a fleet, with this load.
async fn in_fleet(load: u32) -> (House, Arc<Work>, RunnerId) {
    let work = Arc::new(Work::of(&[]));
    let house = House::of(|_| (), "", work.clone()).await;
    let id = house.add(1).await.ids()[0].clone();
    house.fake.place(&id, "node-1");
    house.fake.run(&id);
    work.set(&id, load, true);
    (house, work, id)
}

#[tokio::test]
async fn row_2_1_steps_work_leaves_before_the_machine_is_closed() {
    let (house, work, id) = in_fleet(2).await;
    let answer = house.post("/runners/remove", "").await;
    assert_eq!(
        (answer.status, answer.body["message"].as_str()),
        (202, Some("Runner removal started"))
    );
    assert_eq!(work.calls(), ["close"]);
    assert!(!house.fake.calls().contains(&Call::Release(id.clone())));
    work.set(&id, 0, false);
    house.job_is(&answer.job(), "completed").await;
    assert_eq!(work.calls(), ["close", "forget"]);
    assert_eq!(house.fake.count(), 0);
}

#[tokio::test]
async fn row_2_1_steps_with_force_work_is_not_waited_for() {
    let (house, _work, id) = in_fleet(2).await;
    let answer = house
        .post("/runners/remove", &named(&[id], r#", "force": true"#))
        .await;
    house.job_is(&answer.job(), "completed").await;
    assert_eq!(house.fake.count(), 0);
}

#[tokio::test]
async fn row_2_1_steps_work_that_does_not_leave_in_time_keeps_the_runner_open() {
    let (house, work, id) = in_fleet(2).await;
    let answer = house
        .post("/runners/remove", r#"{"drain_timeout_s": 30}"#)
        .await;
    house.until(|_| work.calls() == ["close"]).await;
    house.pass(30);
    let job = house.job_is(&answer.job(), "timeout").await;
    assert_eq!(job["reason"]["code"], "RemovalStuck");
    assert_eq!(work.calls(), ["close", "open"]);
    assert_eq!(house.fake.ids(), std::slice::from_ref(&id));
    work.set(&id, 0, true);
    let again = house.post("/runners/remove", &named(&[id], "")).await;
    house.job_is(&again.job(), "completed").await;
}

#[tokio::test]
async fn row_2_1_choice_the_idle_go_before_the_busy() {
    let work = Arc::new(Work::of(&[]));
    let house = House::of(|_| (), "", work.clone()).await;
    let ids = at_work(&house, 3).await;
    for (id, load) in ids.iter().zip([1, 0, 3]) {
        work.set(id, load, true);
    }
    let answer = house
        .post("/runners/remove", r#"{"instances": 3, "dry_run": true}"#)
        .await;
    check(&answer, 200, &[&ids[1], &ids[0], &ids[2]]);
}

#[tokio::test]
async fn edge_a_machine_that_is_draining_is_closed_when_the_next_runner_is_added() {
    let (house, work, id) = in_fleet(1).await;
    let removal = house.post("/runners/remove", "").await;
    house.until(|_| work.calls() == ["close"]).await;
    house.add(1).await;
    work.set(&id, 0, false);
    house.job_is(&removal.job(), "completed").await;
    let calls = house.fake.calls();
    let closed = calls
        .iter()
        .position(|call| *call == Call::Cordon(id.clone(), true));
    let released = calls
        .iter()
        .position(|call| *call == Call::Release(id.clone()));
    assert!(closed.is_some() && closed < released, "{calls:?}");
}

#[tokio::test]
async fn a_runner_that_has_not_joined_its_fleet_is_not_ready_and_fails_in_time() {
    let work = Arc::new(Work::of(&[]));
    work.seen.send_replace(Arc::new(Members {
        are_awaited: true,
        nodes: BTreeMap::new(),
    }));
    let rules = |rules: &mut hostler_runners::manager::Rules| {
        rules.status.register_within = Duration::from_mins(1);
    };
    let house = House::of(rules, "", work.clone()).await;
    let id = house.add(1).await.ids()[0].clone();
    house.fake.place(&id, "node-1");
    house.fake.run(&id);
    assert_eq!(
        house.status(&id).await,
        ("provisioning".into(), "NotRegistered".into())
    );
    house.pass(60);
    assert_eq!(
        house.status(&id).await,
        ("failed".into(), "NotRegistered".into())
    );
    work.set(&id, 0, true);
    assert_eq!(house.status(&id).await.0, "ready");
}

#[tokio::test]
async fn one_that_was_added_and_is_not_shown_yet_is_removed_by_its_id() {
    let house = House::usual().await;
    house.fake.hides(Duration::from_secs(30));
    let id = house.add(1).await.ids()[0].clone();
    house.until(|house| house.fake.count() == 1).await;
    let answer = house
        .post("/runners/remove", &named(std::slice::from_ref(&id), ""))
        .await;
    check(&answer, 202, &[&id]);
    house.until(|house| house.fake.count() == 0).await;
    let job = house.get(&format!("/jobs/{}", answer.job())).await.body;
    assert_ne!(job["status"], "completed", "it may still be on its way");
    house.pass(60);
    house.job_is(&answer.job(), "completed").await;
}

#[tokio::test]
async fn one_that_is_removed_in_the_moment_after_its_add_leaves_nothing() {
    let house = House::usual().await;
    let id = house.add(1).await.ids()[0].clone();
    let answer = house
        .post("/runners/remove", &named(std::slice::from_ref(&id), ""))
        .await;
    assert!(matches!(answer.status, 200 | 202), "{answer:?}");
    house.pass(60);
    house.job_is(&answer.job(), "completed").await;
    house.until(|house| house.fake.count() == 0).await;
}
