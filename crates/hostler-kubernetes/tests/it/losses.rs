//! Machines, nodes and placeholders that go.

use std::time::Duration;

use anyhow::Result;
use hostler_core::runner::job::OnLost;
use serde_json::{Value, json};

use crate::support::{AFTER, PLACEHOLDERS, Rig, SOON, node_of};

#[tokio::test]
async fn fault_a_node_object_that_is_deleted_is_a_lost_node_and_stays_for_a_while() -> Result<()> {
    let rig = Rig::stepped(1).await?;
    let life = rig.home.live().await?;
    let names = rig.grown(&life).await?;
    let node = node_of(&life, &names[0]).await;
    rig.cluster.node_delete(&node);
    life.all_within(&names, "failed", AFTER).await?;
    assert_eq!(life.status(&names[0]).await.1, "NodeLost");
    rig.cluster.step(Duration::from_secs(70));
    rig.until(|view| view.pod("default", &names[0]).is_none())
        .await?;
    life.seen(|seen| seen.runners.is_empty()).await?;
    assert_eq!(
        life.status(&names[0]).await,
        ("failed".into(), "NodeLost".into())
    );
    Ok(())
}

#[tokio::test]
async fn fault_a_node_that_went_while_nobody_looked_is_found_lost() -> Result<()> {
    let rig = Rig::stepped(1).await?;
    let life = rig.home.live().await?;
    let names = rig.grown(&life).await?;
    let node = node_of(&life, &names[0]).await;
    life.end().await;
    rig.cluster.node_delete(&node);
    let life = rig.home.live().await?;
    life.all(&names, "failed").await?;
    assert_eq!(life.status(&names[0]).await.1, "NodeLost");
    Ok(())
}

#[tokio::test]
async fn fault_a_machine_that_dies_is_no_longer_ready_and_its_runner_not_failed() -> Result<()> {
    let rig = Rig::stepped(1).await?;
    let life = rig.home.live().await?;
    let names = rig.grown(&life).await?;
    let node = node_of(&life, &names[0]).await;
    rig.cluster.machine_kill(&node);
    rig.cluster.step(Duration::from_mins(1));
    life.all_within(&names, "provisioning", AFTER).await?;
    assert_eq!(life.status(&names[0]).await.1, "NodeNotReady");
    // Longer than the default toleration: the placeholder outlasts it.
    rig.cluster.step(Duration::from_secs(400));
    let pod = rig.cluster.look(|view| view.pod("default", &names[0]));
    let ending = &pod.expect("it is still there")["metadata"]["deletionTimestamp"];
    assert!(ending.is_null(), "nobody ended it");
    rig.cluster.machine_revive(&node);
    rig.cluster.step(Duration::from_secs(20));
    life.all_within(&names, "ready", AFTER).await
}

async fn deleted_by_hand(rig: &Rig, name: &str) -> Result<()> {
    let path = format!("/api/v1/namespaces/default/pods/{name}?gracePeriodSeconds=0");
    let request = axum::http::Request::delete(path).body(Vec::new())?;
    let _gone: Value = rig.admin().await?.request(request).await?;
    Ok(())
}

#[tokio::test]
async fn edge_a_placeholder_deleted_by_hand_is_reported_and_its_node_still_shown() -> Result<()> {
    let rig = Rig::instant(1).await?;
    let life = rig.home.live().await?;
    let names = rig.at_work(&life, 1).await?;
    let node = node_of(&life, &names[0]).await;
    deleted_by_hand(&rig, &names[0]).await?;
    life.all(&names, "failed").await?;
    assert_eq!(life.status(&names[0]).await.1, "deleted");
    let unmanaged = |body: &Value| {
        let nodes = body.as_array().cloned().unwrap_or_default();
        nodes
            .iter()
            .any(|one| one["name"] == node && one["managed"] == false)
    };
    life.until(SOON, "/nodes", unmanaged).await?;
    Ok(())
}

#[tokio::test]
async fn edge_a_placeholder_deleted_by_hand_is_replaced_when_that_is_the_policy() -> Result<()> {
    let mut rig = Rig::instant(1).await?;
    rig.home.rules.jobs.on_lost = OnLost::Replace;
    let life = rig.home.live().await?;
    let names = rig.at_work(&life, 1).await?;
    let node = node_of(&life, &names[0]).await;
    deleted_by_hand(&rig, &names[0]).await?;
    rig.requested("create", "pods", 2).await?;
    life.all(&names, "ready").await?;
    assert_eq!(
        node_of(&life, &names[0]).await,
        node,
        "re-adopted: the node is still there"
    );
    Ok(())
}

#[tokio::test]
async fn requirement_17_of_two_placeholders_on_a_node_the_oldest_has_it() -> Result<()> {
    let rig = Rig::instant(1).await?;
    let life = rig.home.live().await?;
    let names = rig.at_work(&life, 1).await?;
    let node = node_of(&life, &names[0]).await;
    let second = json!({
        "metadata": {"name": "node-placeholder-zz", "labels": {"app": "node-placeholder"}},
        "spec": {"nodeName": node, "tolerations": [{"operator": "Exists"}],
            "containers": [{"name": "pause", "image": "pause"}]},
    });
    rig.make("/api/v1/namespaces/default/pods", second).await?;
    rig.until(|view| view.pods(PLACEHOLDERS).len() == 2).await?;
    let young = ["node-placeholder-zz".to_owned()];
    life.all(&young, "failed").await?;
    assert_eq!(life.status(&names[0]).await.0, "ready");
    let answer = life.call("POST", "/runners/remove", "", "").await;
    assert_eq!(answer.names(), young, "the duplicate goes first");
    life.job(&answer.job(), "completed").await?;
    let open = rig.cluster.look(|view| view.node(&node)).unwrap();
    assert_ne!(
        open["spec"]["unschedulable"], true,
        "the older one keeps its node, open"
    );
    life.all(&names, "ready").await
}
