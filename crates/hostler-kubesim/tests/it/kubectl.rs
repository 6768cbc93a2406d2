//! `kubectl` itself, as people call it. The tests fail where it is missing:
//! `scripts/setup test` installs it.
//!
//! It sends no token over plain HTTP, so it is nobody here, and nobody is
//! bound to the roles that a test needs.

use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use hostler_kubesim::Cluster;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::rbac::v1::{ClusterRoleBinding, Role, RoleBinding};
use kube::Api;
use kube::api::PostParams;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::support::{PLACEHOLDERS, SOON, client, create, instant, placeholder};

const RBAC: &str = "rbac.authorization.k8s.io";

fn nobody() -> Value {
    json!([{"kind": "User", "name": "system:anonymous", "apiGroup": RBAC}])
}

struct Kubectl {
    folder: TempDir,
}

impl Kubectl {
    /// One that may what these roles of the cluster grant.
    async fn new(cluster: &Cluster, roles: &[&str]) -> Result<Self> {
        let bindings: Api<ClusterRoleBinding> = Api::all(client(cluster, "admin").await?);
        for role in roles {
            let body = json!({
                "metadata": {"name": format!("nobody-{role}")}, "subjects": nobody(),
                "roleRef": {"kind": "ClusterRole", "name": role, "apiGroup": RBAC},
            });
            bindings
                .create(&PostParams::default(), &serde_json::from_value(body)?)
                .await?;
        }
        let folder = tempfile::tempdir()?;
        let text = cluster.kubeconfig("nobody", "default");
        std::fs::write(folder.path().join("config"), text)?;
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
    let kubectl = Kubectl::new(&cluster, &["cluster-admin"]).await?;
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
    let kubectl = Kubectl::new(&cluster, &["cluster-admin"]).await?;
    kubectl
        .say("label nodes runners-1 daytona-sandbox-c=false --overwrite")
        .await?;
    kubectl
        .say("annotate pod node-placeholder-a note=told")
        .await?;
    kubectl.say("cordon runners-1").await?;
    let nodes = kubectl.say("get nodes").await?;
    holds(&nodes, &["SchedulingDisabled"])?;
    kubectl.say("delete pod node-placeholder-a").await?;
    ensure!(
        cluster
            .look(|view| view.pod("default", "node-placeholder-a"))
            .is_none()
    );
    Ok(())
}

#[tokio::test]
async fn a_review_says_yes_to_nodes_in_a_namespace_and_the_request_is_refused() -> Result<()> {
    let cluster = placed().await?;
    let kubectl = Kubectl::new(&cluster, &["system:discovery", "system:basic-user"]).await?;
    let client = client(&cluster, "admin").await?;
    let rules = json!([{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list"]}]);
    let role = json!({"metadata": {"name": "manager"}, "rules": rules});
    create::<Role>(&client, role).await?;
    let binding = json!({
        "metadata": {"name": "manager"}, "subjects": nobody(),
        "roleRef": {"kind": "Role", "name": "manager", "apiGroup": RBAC},
    });
    create::<RoleBinding>(&client, binding).await?;
    // `auth can-i` itself speaks protobuf by now, which is not served here.
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes":
            {"verb": "list", "resource": "nodes", "namespace": "default"}},
    });
    let path = kubectl.folder.path().join("review.json");
    std::fs::write(&path, review.to_string())?;
    let command = format!(
        "create --raw /apis/authorization.k8s.io/v1/selfsubjectaccessreviews -f {}",
        path.display()
    );
    let says = kubectl.say(&command).await?;
    ensure!(says.contains("\"allowed\":true"), "{says}");
    let refused = kubectl.say("get nodes").await;
    let words = refused.err().context("it is refused")?.to_string();
    holds(&words, &["nodes is forbidden", "at the cluster scope"])
}
