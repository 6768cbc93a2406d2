//! `POST /runners/remove` on a cluster.

use anyhow::Result;
use hostler_kubesim::{Effect, Fault};
use serde_json::{Value, json};

use crate::support::{PLACEHOLDERS, Rig, SOON, node_of};

#[tokio::test]
async fn row_2_1_steps_the_node_is_closed_and_the_pins_are_off_before_the_pod_goes() -> Result<()> {
    let rig = Rig::instant(2).await?;
    let life = rig.home.live().await?;
    let names = rig.at_work(&life, 1).await?;
    let node = node_of(&life, &names[0]).await;
    let stuck = rig.cluster.fault(
        Fault::new(Effect::Error(500))
            .verb("delete")
            .resource("pods"),
    );
    let answer = life.remove(&names).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    rig.requested("delete", "pods", 1).await?;
    let pod = rig
        .cluster
        .look(|view| view.pod("default", &names[0]))
        .expect("it is still there");
    let annotations = &pod["metadata"]["annotations"];
    assert_eq!(
        annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"],
        "true"
    );
    assert!(annotations["karpenter.sh/do-not-disrupt"].is_null());
    let closed = rig.cluster.look(|view| view.node(&node)).unwrap();
    assert_eq!(closed["spec"]["unschedulable"], true);
    rig.cluster.heal(stuck);
    life.job(&answer.job(), "completed").await?;
    assert_eq!(rig.count(), 0);
    Ok(())
}

#[tokio::test]
async fn edge_a_node_that_is_being_drained_is_not_chosen_for_a_new_placeholder() -> Result<()> {
    let rig = Rig::instant(2).await?;
    let life = rig.home.live().await?;
    let old = rig.at_work(&life, 1).await?;
    let drained = node_of(&life, &old[0]).await;
    life.remove(&old).await;
    rig.until(|view| view.pods(PLACEHOLDERS).is_empty()).await?;
    let new = rig.at_work(&life, 1).await?;
    assert_ne!(node_of(&life, &new[0]).await, drained);
    Ok(())
}

#[tokio::test]
async fn row_2_1_idempotency_one_that_ends_already_is_done_and_the_same_names_are_the_same_job()
-> Result<()> {
    let rig = Rig::instant(2).await?;
    let life = rig.home.live().await?;
    let names = rig.at_work(&life, 2).await?;
    let first = life.remove(&names).await;
    let again = life.remove(&names).await;
    assert_eq!(first.job(), again.job());
    life.job(&first.job(), "completed").await?;
    assert_eq!(rig.cluster.requests("delete", "pods"), 2);
    Ok(())
}

#[tokio::test]
async fn a_removal_goes_on_after_its_manager_was_killed() -> Result<()> {
    let rig = Rig::instant(2).await?;
    let life = rig.home.live().await?;
    let names = rig.at_work(&life, 2).await?;
    let stuck = rig.cluster.fault(
        Fault::new(Effect::Error(503))
            .verb("delete")
            .resource("pods"),
    );
    let answer = life.remove(&names).await;
    rig.requested("delete", "pods", 2).await?;
    life.end().await;
    rig.cluster.heal(stuck);
    let life = rig.home.live().await?;
    life.job(&answer.job(), "completed").await?;
    assert_eq!(rig.count(), 0);
    Ok(())
}

#[tokio::test]
async fn a_pod_of_anybody_else_is_never_deleted() -> Result<()> {
    let rig = Rig::instant(2).await?;
    let other = json!({
        "metadata": {"name": "node-placeholder-theirs",
            "labels": {"app": "node-placeholder", "hostler.dev/manager": "another"}},
        "spec": {"containers": [{"name": "pause", "image": "pause"}]},
    });
    rig.make("/api/v1/namespaces/default/pods", other).await?;
    let life = rig.home.live().await?;
    assert_eq!(life.get("/runners").await.body, json!([]));
    let answer = life.remove(&["node-placeholder-theirs".to_owned()]).await;
    assert_eq!(answer.status, 404);
    let id = "node-placeholder-theirs".parse()?;
    let refused = hostler_runners::provider::Provider::release(life.provider.as_ref(), &id).await;
    assert!(refused.is_err(), "not even when asked by name");
    assert_eq!(rig.cluster.requests("delete", "pods"), 0);
    Ok(())
}

#[tokio::test]
async fn a_runner_on_a_dead_machine_is_removed_all_the_same() -> Result<()> {
    let rig = Rig::instant(1).await?;
    let life = rig.home.live().await?;
    let names = rig.at_work(&life, 1).await?;
    let node = node_of(&life, &names[0]).await;
    rig.cluster.machine_kill(&node);
    rig.cluster.step(std::time::Duration::from_mins(1));
    let path = format!("/runners/{}", names[0]);
    let ill = |body: &Value| body["reason"]["code"] == "NodeNotReady";
    life.until(SOON, &path, ill).await?;
    let answer = life.remove(&names).await;
    life.job(&answer.job(), "completed").await?;
    assert_eq!(rig.count(), 0, "nobody is left to confirm it");
    Ok(())
}
