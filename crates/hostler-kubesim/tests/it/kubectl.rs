//! `kubectl` itself, as people call it. The test fails where it is missing:
//! `scripts/setup test` installs it.

use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use hostler_kubesim::Cluster;
use k8s_openapi::api::core::v1::Pod;
use tempfile::TempDir;
use tokio::process::Command;

use crate::support::{PLACEHOLDERS, SOON, client, create, instant, placeholder};

struct Kubectl {
    folder: TempDir,
}

impl Kubectl {
    fn new(cluster: &Cluster, user: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        std::fs::write(
            folder.path().join("config"),
            cluster.kubeconfig(user, "default"),
        )?;
        Ok(Self { folder })
    }

    /// What it prints; the error is what it says when it fails.
    async fn say(&self, words: &str) -> Result<String> {
        let output = Command::new("kubectl")
            .args(words.split_whitespace())
            .env("KUBECONFIG", self.folder.path().join("config"))
            .env("HOME", self.folder.path())
            .stdin(Stdio::null())
            .output()
            .await
            .context("kubectl is missing: install Debian's kubernetes-client")?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        ensure!(output.status.success(), "{words}: {}", text(&output.stderr));
        Ok(text(&output.stdout))
    }
}

async fn placed() -> Result<Cluster> {
    let cluster = instant(3).await?;
    let client = client(&cluster, "admin").await?;
    create::<Pod>(&client, placeholder("node-placeholder-a")).await?;
    cluster
        .wait_until(SOON, |view| view.ready_pods(PLACEHOLDERS) == 1)
        .await?;
    Ok(cluster)
}

fn holds(text: &str, words: &[&str]) -> Result<()> {
    for word in words {
        ensure!(text.contains(word), "'{word}' is not in:\n{text}");
    }
    Ok(())
}

#[tokio::test]
async fn people_see_pods_nodes_and_events() -> Result<()> {
    let cluster = placed().await?;
    let kubectl = Kubectl::new(&cluster, "admin")?;
    let pods = kubectl.say("get pods -l app=node-placeholder").await?;
    holds(
        &pods,
        &["NAME", "STATUS", "node-placeholder-a", "1/1", "Running"],
    )?;
    let wide = kubectl.say("get pods -o wide").await?;
    holds(&wide, &["NODE", "runners-1"])?;
    let nodes = kubectl.say("get nodes --show-labels").await?;
    holds(&nodes, &["runners-1", "Ready", "daytona-sandbox-c=true"])?;
    let described = kubectl.say("describe pod node-placeholder-a").await?;
    holds(
        &described,
        &[
            "Node:",
            "runners-1",
            "FailedScheduling",
            "TriggeredScaleUp",
            "Scheduled",
        ],
    )?;
    let json = kubectl
        .say("get pod node-placeholder-a -o jsonpath={.status.phase}")
        .await?;
    ensure!(json == "Running", "{json}");
    Ok(())
}

#[tokio::test]
async fn people_change_and_delete() -> Result<()> {
    let cluster = placed().await?;
    let kubectl = Kubectl::new(&cluster, "admin")?;
    kubectl
        .say("label nodes runners-1 daytona-sandbox-c=false --overwrite")
        .await?;
    kubectl
        .say("annotate pod node-placeholder-a note=told")
        .await?;
    kubectl.say("cordon runners-1").await?;
    let nodes = kubectl.say("get nodes").await?;
    holds(&nodes, &["SchedulingDisabled"])?;
    kubectl.say("create namespace other").await?;
    kubectl
        .say("create quota few --hard=pods=1 -n other")
        .await?;
    kubectl.say("delete pod node-placeholder-a").await?;
    ensure!(
        cluster
            .look(|view| view.pod("default", "node-placeholder-a"))
            .is_none()
    );
    Ok(())
}

#[tokio::test]
async fn can_i_says_yes_to_nodes_in_a_namespace_and_the_request_is_refused() -> Result<()> {
    let cluster = placed().await?;
    let admin = Kubectl::new(&cluster, "admin")?;
    admin
        .say("create role manager --verb=get,list --resource=nodes")
        .await
        .ok();
    let client = client(&cluster, "admin").await?;
    let role = serde_json::json!({"metadata": {"name": "manager"}, "rules": [
        {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list"]}]});
    create::<k8s_openapi::api::rbac::v1::Role>(&client, role)
        .await
        .ok();
    admin
        .say("create rolebinding manager --role=manager --user=jane")
        .await?;
    let jane = Kubectl::new(&cluster, "jane")?;
    let says = jane.say("auth can-i list nodes -n default").await?;
    ensure!(says.trim() == "yes", "{says}");
    let refused = jane.say("get nodes").await;
    let words = refused.err().context("it is refused")?.to_string();
    holds(&words, &["nodes is forbidden", "at the cluster scope"])
}
