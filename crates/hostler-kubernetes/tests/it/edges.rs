//! Adding, and the edge cases of section 8.1 about it.

use std::time::Duration;

use anyhow::Result;
use hostler_core::runner::job::OnTimeout;
use hostler_kubesim::{Effect, Fault};
use serde_json::{Value, json};

use crate::support::{PLACEHOLDERS, Rig, SOON};

#[tokio::test]
async fn edge_three_are_asked_where_one_is_left() -> Result<()> {
    let mut rig = Rig::instant(1).await?;
    rig.home.rules.wait = Duration::from_secs(3);
    rig.home.rules.jobs.on_timeout = OnTimeout::Delete;
    let life = rig.home.live().await?;
    let answer = life.add(3).await;
    let path = format!("/jobs/{}", answer.job());
    let told = |job: &Value| job["reason"]["code"] == "MaxNodesReached";
    let job = life.until(SOON, &path, told).await?;
    assert_eq!(
        job["status"], "running",
        "it is said long before the deadline"
    );
    let two_are_told = |list: &Value| {
        let all = list.as_array().cloned().unwrap_or_default();
        let told = |one: &&Value| one["reason"]["code"] == "MaxNodesReached";
        all.iter().filter(told).count() == 2
    };
    life.until(SOON, "/runners", two_are_told).await?;
    life.job(&answer.job(), "timeout").await?;
    rig.until(|view| view.pods(PLACEHOLDERS).len() == 1).await?;
    Ok(())
}

#[tokio::test]
async fn edge_the_same_key_at_the_same_time_is_one_job() -> Result<()> {
    let rig = Rig::instant(9).await?;
    let life = rig.home.live().await?;
    let (a, b, c) = tokio::join!(life.ask(3, "k"), life.ask(3, "k"), life.ask(3, "k"));
    assert_eq!([a.status, b.status, c.status], [201; 3]);
    assert_eq!((a.job(), a.names()), (b.job(), b.names()));
    assert_eq!(b.names(), c.names());
    assert_eq!(rig.count(), 3);
    Ok(())
}

#[tokio::test]
async fn row_2_05_a_repeat_after_a_lost_reply_creates_nothing() -> Result<()> {
    let rig = Rig::instant(9).await?;
    let life = rig.home.live().await?;
    rig.cluster.fault(
        Fault::new(Effect::LostReply)
            .verb("create")
            .resource("pods")
            .times(2),
    );
    let first = life.ask(3, "k").await;
    assert_eq!(first.status, 201, "{first:?}");
    assert_eq!(rig.count(), 3);
    let again = life.ask(3, "k").await;
    assert_eq!(again.names(), first.names());
    assert_eq!(rig.count(), 3);
    Ok(())
}

#[tokio::test]
async fn row_2_06_and_fault_a_full_quota_takes_all_of_them_back_and_says_so() -> Result<()> {
    let rig = Rig::instant(9).await?;
    let quota = json!({"metadata": {"name": "few"}, "spec": {"hard": {"pods": "2"}}});
    rig.make("/api/v1/namespaces/default/resourcequotas", quota)
        .await?;
    let life = rig.home.live().await?;
    let answer = life.ask(5, "").await;
    assert_eq!(answer.status, 429, "{answer:?}");
    assert_eq!(answer.body["code"], "quota_exceeded");
    rig.until(|view| view.pods(PLACEHOLDERS).is_empty()).await?;
    Ok(())
}

#[tokio::test]
async fn row_2_06_a_missing_right_is_told_apart_from_a_full_quota() -> Result<()> {
    let rig = Rig::instant(9).await?;
    let life = rig.home.live().await?;
    rig.cluster
        .fault(Fault::new(Effect::Denied).verb("create").resource("pods"));
    let answer = life.ask(2, "").await;
    assert_eq!(
        (answer.status, &answer.body["code"]),
        (502, &json!("provider_denied"))
    );
    assert_eq!(rig.count(), 0);
    Ok(())
}

#[tokio::test]
async fn row_2_06_what_could_not_be_taken_back_at_once_is_taken_back_later() -> Result<()> {
    let rig = Rig::instant(9).await?;
    let life = rig.home.live().await?;
    let quota = json!({"metadata": {"name": "few"}, "spec": {"hard": {"pods": "2"}}});
    rig.make("/api/v1/namespaces/default/resourcequotas", quota)
        .await?;
    let stuck = rig.cluster.fault(
        Fault::new(Effect::Error(500))
            .verb("delete")
            .resource("pods"),
    );
    let asking = life.ask(4, "");
    let healing = async {
        rig.requested("delete", "pods", 1).await?;
        rig.cluster.heal(stuck);
        anyhow::Ok(())
    };
    let (answer, healed) = tokio::join!(asking, healing);
    healed?;
    assert_eq!(answer.status, 429, "{answer:?}");
    rig.until(|view| view.pods(PLACEHOLDERS).is_empty()).await?;
    Ok(())
}

#[tokio::test]
async fn a_server_that_asks_for_a_pause_is_given_one_and_asked_again() -> Result<()> {
    let rig = Rig::instant(9).await?;
    let life = rig.home.live().await?;
    rig.cluster.fault(
        Fault::new(Effect::Throttled(1))
            .verb("create")
            .resource("pods")
            .times(2),
    );
    let began = std::time::Instant::now();
    let answer = life.ask(3, "").await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert!(
        began.elapsed() >= Duration::from_secs(1),
        "as long as it said"
    );
    assert_eq!(rig.count(), 3);
    Ok(())
}

#[tokio::test]
async fn edge_the_clock_jumps_and_no_deadline_moves() -> Result<()> {
    let rig = Rig::stepped(0).await?;
    let life = rig.home.live().await?;
    let names = life.add(1).await.names();
    // The cluster's clock goes on by an hour: our deadlines are by our own.
    rig.cluster.step(Duration::from_hours(1));
    life.seen(|seen| seen.is_synced).await?;
    assert_eq!(life.status(&names[0]).await.0, "pending");
    Ok(())
}
