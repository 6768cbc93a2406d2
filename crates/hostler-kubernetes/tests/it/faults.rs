//! Faults of the API server: nothing looks worse by them, and everything is
//! right soon after their end.

use std::time::{Duration, Instant};

use anyhow::Result;
use hostler_kubesim::{Effect, Fault, FaultId};
use serde_json::Value;

use crate::support::{AFTER, Life, Rig, SOON};

/// What is shown, without what is allowed to change.
async fn shown(life: &Life) -> Vec<(Value, Value, Value)> {
    let body = life.get("/runners").await.body;
    let one = |one: &Value| {
        (
            one["id"].clone(),
            one["status"].clone(),
            one["metadata"].clone(),
        )
    };
    body.as_array().unwrap().iter().map(one).collect()
}

/// For so long, everything is shown as it was.
async fn steady(life: &Life, span: Duration) {
    let before = shown(life).await;
    let began = Instant::now();
    while began.elapsed() < span {
        assert_eq!(shown(life).await, before);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn ready_says(life: &Life, status: u16) -> Result<()> {
    let began = Instant::now();
    while life.get("/ready").await.status != status {
        anyhow::ensure!(began.elapsed() < SOON, "{:?}", life.get("/ready").await);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

#[tokio::test]
async fn fault_the_api_server_is_gone_and_comes_back() -> Result<()> {
    let mut rig = Rig::instant(5).await?;
    let life = rig.home.live().await?;
    let names = rig.at_work(&life, 2).await?;
    rig.cluster.server_stop().await;
    ready_says(&life, 503).await?;
    assert_eq!(
        life.get("/health").await.status,
        200,
        "the process is alive"
    );
    steady(&life, Duration::from_millis(500)).await;
    let node = crate::support::node_of(&life, &names[0]).await;
    rig.cluster.machine_ails(&node, true);
    rig.cluster.server_start().await?;
    life.all_within(&names[..1], "provisioning", AFTER).await?;
    ready_says(&life, 200).await?;
    let more = rig.at_work(&life, 1).await?;
    assert_eq!(rig.count(), 3);
    assert_eq!(more.len(), 1);
    Ok(())
}

#[tokio::test]
async fn fault_an_addition_while_the_api_server_is_gone_leaves_nothing_behind() -> Result<()> {
    let mut rig = Rig::instant(5).await?;
    rig.home.rules.ask_patience = Duration::from_millis(300);
    let life = rig.home.live().await?;
    rig.cluster.server_stop().await;
    let answer = life.ask(2, "").await;
    assert!(answer.status >= 500, "{answer:?}");
    rig.cluster.server_start().await?;
    ready_says(&life, 200).await?;
    assert_eq!(rig.count(), 0);
    let answer = life.ask(2, "").await;
    assert_eq!(answer.status, 201, "{answer:?}");
    Ok(())
}

/// Cuts the watches under this fault, lets it last, and ends it.
async fn suffers(effect: Effect) -> Result<()> {
    let rig = Rig::instant(5).await?;
    let life = rig.home.live().await?;
    let names = rig.at_work(&life, 2).await?;
    let node = crate::support::node_of(&life, &names[0]).await;
    let set: Vec<FaultId> = ["list", "watch"]
        .map(|verb| rig.cluster.fault(Fault::new(effect.clone()).verb(verb)))
        .into();
    rig.cluster.watches_cut();
    ready_says(&life, 503).await?;
    steady(&life, Duration::from_millis(2_500)).await;
    rig.cluster.machine_ails(&node, true);
    for fault in set {
        rig.cluster.heal(fault);
    }
    life.all_within(&names[..1], "provisioning", AFTER).await?;
    ready_says(&life, 200).await
}

#[tokio::test]
async fn fault_the_api_server_hangs() -> Result<()> {
    suffers(Effect::Hang).await
}

#[tokio::test]
async fn fault_the_api_server_answers_with_its_own_faults() -> Result<()> {
    suffers(Effect::Error(503)).await
}

#[tokio::test]
async fn fault_every_third_answer_is_a_fault_and_work_goes_on() -> Result<()> {
    let mut rig = Rig::instant(30).await?;
    rig.home.rules.ask_patience = Duration::from_secs(10);
    let life = rig.home.live().await?;
    rig.cluster
        .fault(Fault::new(Effect::Error(500)).share(0.34));
    let names = rig.at_work(&life, 20).await?;
    assert_eq!((names.len(), rig.count()), (20, 20));
    Ok(())
}

#[tokio::test]
async fn edge_and_fault_an_expired_watch_is_listed_anew_and_nothing_flaps() -> Result<()> {
    let rig = Rig::instant(5).await?;
    let life = rig.home.live().await?;
    rig.at_work(&life, 3).await?;
    let lists = rig.cluster.requests("list", "pods");
    for _ in 0..3 {
        rig.cluster.history_forget();
        steady(&life, Duration::from_millis(100)).await;
    }
    rig.requested("list", "pods", lists + 2).await?;
    steady(&life, Duration::from_millis(100)).await;
    assert_eq!(life.get("/ready").await.status, 200);
    Ok(())
}

#[tokio::test]
async fn a_watch_that_is_cut_goes_on_where_it_was() -> Result<()> {
    let rig = Rig::instant(5).await?;
    let life = rig.home.live().await?;
    let names = rig.at_work(&life, 1).await?;
    let lists = rig.cluster.requests("list", "pods");
    rig.cluster.watches_cut();
    rig.cluster
        .machine_ails(&crate::support::node_of(&life, &names[0]).await, true);
    life.all_within(&names, "provisioning", AFTER).await?;
    assert_eq!(
        rig.cluster.requests("list", "pods"),
        lists,
        "without a list"
    );
    Ok(())
}

#[tokio::test]
async fn what_changes_is_shown_within_a_tenth_of_a_second() -> Result<()> {
    let rig = Rig::instant(5).await?;
    let life = rig.home.live().await?;
    let names = rig.at_work(&life, 1).await?;
    let node = crate::support::node_of(&life, &names[0]).await;
    let mut slowest = Duration::ZERO;
    for ails in [true, false, true, false, true, false] {
        let began = Instant::now();
        rig.cluster.machine_ails(&node, ails);
        let status = if ails { "provisioning" } else { "ready" };
        life.all(&names, status).await?;
        slowest = slowest.max(began.elapsed());
    }
    assert!(
        slowest < Duration::from_millis(500),
        "{slowest:?}, on a machine that may be busy"
    );
    Ok(())
}
