//! Which pod is the runner program, and what its troubles look like.

use std::time::Duration;

use anyhow::Result;
use hostler_kubesim::Broken;
use serde_json::{Value, json};

use crate::support::{PROGRAMS, Rig, SOON, node_of};

fn pod(name: &str, node: &str) -> Value {
    json!({
        "metadata": {"name": name, "labels": {"app": "daytona-runner"}},
        "spec": {"nodeName": node, "tolerations": [{"operator": "Exists"}],
            "containers": [{"name": "c", "image": "i"}]},
    })
}

async fn drop_programs(rig: &Rig) -> Result<()> {
    let path = "/apis/apps/v1/namespaces/default/daemonsets/daytona-runner";
    let request = axum::http::Request::delete(path).body(Vec::new())?;
    let _gone: Value = rig.admin().await?.request(request).await?;
    rig.until(|view| view.pods(PROGRAMS).is_empty()).await
}

#[tokio::test]
async fn row_2_15_of_several_programs_on_a_node_the_ready_one_counts() -> Result<()> {
    let rig = Rig::instant(1).await?;
    let life = rig.home.live().await?;
    let names = rig.at_work(&life, 1).await?;
    let path = format!("/runners/{}", names[0]);
    let old = life.get(&path).await.body["metadata"]["runner_pod"].clone();
    rig.cluster.pods_break("sick=yes", Broken::CrashLoop);
    let mut second = pod("daytona-runner-second", &node_of(&life, &names[0]).await);
    second["metadata"]["labels"]["sick"] = json!("yes");
    rig.make("/api/v1/namespaces/default/pods", second).await?;
    rig.until(|view| view.pods(PROGRAMS).len() == 2).await?;
    life.seen(|seen| seen.is_synced).await?;
    let runner = life.get(&path).await.body;
    assert_eq!(
        (&runner["status"], &runner["metadata"]["runner_pod"]),
        (&json!("ready"), &old)
    );
    Ok(())
}

#[tokio::test]
async fn row_2_30_without_the_daemon_set_a_runner_is_provisioning_with_a_reason() -> Result<()> {
    let rig = Rig::instant(1).await?;
    let life = rig.home.live().await?;
    let names = rig.at_work(&life, 1).await?;
    drop_programs(&rig).await?;
    let path = format!("/runners/{}", names[0]);
    let missing = |body: &Value| body["reason"]["code"] == "ProgramMissing";
    let runner = life.until(SOON, &path, missing).await?;
    assert_eq!(runner["status"], "provisioning");
    assert!(runner["metadata"]["runner_pod"].is_null());
    Ok(())
}

#[tokio::test]
async fn row_2_13_an_image_that_cannot_be_pulled_fails_after_its_grace() -> Result<()> {
    let mut rig = Rig::instant(1).await?;
    rig.home.rules.status.program_grace = Duration::from_millis(300);
    rig.cluster.pods_break(PROGRAMS, Broken::ImagePull);
    let life = rig.home.live().await?;
    let names = life.add(1).await.names();
    let path = format!("/runners/{}", names[0]);
    let told = |body: &Value| body["reason"]["code"] == "ImagePullFailed";
    life.until(SOON, &path, told).await?;
    life.all(&names, "failed").await?;
    assert_eq!(life.status(&names[0]).await.1, "ImagePullFailed");
    rig.cluster.pods_mend();
    life.all(&names, "ready").await
}

#[tokio::test]
async fn row_2_13_a_program_that_ends_again_and_again_fails_after_its_grace() -> Result<()> {
    let mut rig = Rig::instant(1).await?;
    rig.home.rules.status.program_grace = Duration::from_millis(300);
    let life = rig.home.live().await?;
    let names = rig.at_work(&life, 1).await?;
    rig.cluster.pods_break(PROGRAMS, Broken::CrashLoop);
    life.all(&names, "failed").await?;
    assert_eq!(life.status(&names[0]).await.1, "CrashLoop");
    rig.cluster.pods_mend();
    life.all(&names, "ready").await
}

#[tokio::test]
async fn edge_a_program_in_another_namespace_is_a_hint_and_found_when_configured() -> Result<()> {
    let mut rig = Rig::instant(1).await?;
    drop_programs(&rig).await?;
    rig.make(
        "/api/v1/namespaces",
        json!({"metadata": {"name": "elsewhere"}}),
    )
    .await?;
    let life = rig.home.live().await?;
    let names = life.add(1).await.names();
    life.all(&names, "provisioning").await?;
    let node = node_of(&life, &names[0]).await;
    let program = pod("daytona-runner-far", &node);
    rig.make("/api/v1/namespaces/elsewhere/pods", program)
        .await?;
    let path = format!("/runners/{}", names[0]);
    let hinted = |body: &Value| {
        let reasons = body["reasons"].as_array().cloned().unwrap_or_default();
        reasons
            .iter()
            .any(|one| one["hint"] == "set RUNNER_POD_NAMESPACE=elsewhere")
    };
    life.until(SOON, &path, hinted).await?;
    life.end().await;

    rig.home.settings.programs_in = "elsewhere".to_owned();
    let life = rig.home.live().await?;
    life.all(&names, "ready").await
}

#[tokio::test]
async fn edge_a_rollout_of_the_daemon_set_takes_a_runner_back_to_provisioning_and_to_ready()
-> Result<()> {
    let rig = Rig::stepped(1).await?;
    let life = rig.home.live().await?;
    let names = rig.grown(&life).await?;
    let set = "/apis/apps/v1/namespaces/default/daemonsets/daytona-runner";
    let patch = json!({"spec": {"template": {"spec": {"containers":
        [{"name": "runner", "image": "runner:2"}]}}}});
    let request = axum::http::Request::patch(set);
    let request = request.header("content-type", "application/strategic-merge-patch+json");
    let request = request.body(patch.to_string().into_bytes())?;
    let _patched: Value = rig.admin().await?.request(request).await?;
    rig.cluster.step(Duration::from_millis(10));
    life.all(&names, "provisioning").await?;
    let before = life.get(&format!("/runners/{}", names[0])).await.body;
    assert_ne!(before["status"], "failed", "{before}");
    rig.cluster.step(Duration::from_secs(40));
    rig.cluster.step(Duration::from_secs(40));
    life.all(&names, "ready").await
}
