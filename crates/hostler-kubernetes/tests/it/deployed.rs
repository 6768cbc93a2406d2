//! What is shipped to be applied grants what is needed, and no more than is
//! used: taken from the manifests themselves.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use hostler_runners::provider::{Check, Provider as _};
use serde_json::{Value, json};

use crate::support::{Rig, word};

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
const SPACE: &str = "hostler-runners";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/kubernetes")
}

fn objects(file: &str) -> Result<Vec<Value>> {
    let text = std::fs::read_to_string(folder().join(file)).context(file.to_owned())?;
    Ok(serde_saphyr::from_multiple(&text)?)
}

/// Applies roles and bindings as they are, into the namespace of the manager.
async fn apply(rig: &Rig, file: &str) -> Result<()> {
    for object in objects(file)? {
        let path = match word(&object["kind"]) {
            "Role" => format!("{RBAC}/namespaces/{SPACE}/roles"),
            "RoleBinding" => format!("{RBAC}/namespaces/{SPACE}/rolebindings"),
            "ClusterRole" => format!("{RBAC}/clusterroles"),
            "ClusterRoleBinding" => format!("{RBAC}/clusterrolebindings"),
            other => anyhow::bail!("{other} in {file}"),
        };
        rig.make(&path, object).await?;
    }
    Ok(())
}

async fn deployed(files: &[&str]) -> Result<Rig> {
    let mut rig = Rig::instant(3).await?;
    for name in [SPACE, "hostler-nodes"] {
        rig.make("/api/v1/namespaces", json!({"metadata": {"name": name}}))
            .await?;
    }
    for file in files {
        apply(&rig, file).await?;
    }
    rig.home.settings.namespace = SPACE.to_owned();
    rig.home.settings.programs_in = "hostler-nodes".to_owned();
    rig.home.settings.programs = "app=hostler-node".to_owned();
    rig.work_as("system:serviceaccount:hostler-runners:runner-manager")?;
    Ok(rig)
}

const BASE: [&str; 2] = ["base/role.yaml", "base/cluster-role.yaml"];
const REMOVAL: &str = "components/removal/cluster-role.yaml";
const STATUS: &str = "components/autoscaler-status/role.yaml";

async fn denied(rig: &Rig) -> Result<Vec<String>> {
    let life = rig.home.live().await?;
    let checks = life.provider.check(&rig.home.pools).await;
    let is_denied = |check: &&Check| {
        let text = check.problem.as_ref().map(|problem| problem.text.clone());
        text.is_some_and(|text| text.contains("may not"))
    };
    Ok(checks
        .iter()
        .filter(is_denied)
        .map(|check| check.name.clone())
        .collect())
}

#[tokio::test]
async fn section_3_everything_applied_lacks_no_right() -> Result<()> {
    let rig = deployed(&[BASE[0], BASE[1], REMOVAL, STATUS]).await?;
    assert_eq!(denied(&rig).await?, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn section_3_the_base_alone_lacks_only_the_right_to_close_nodes() -> Result<()> {
    let rig = deployed(&BASE).await?;
    assert_eq!(denied(&rig).await?, ["nodes: patch (all namespaces)"]);
    Ok(())
}

#[tokio::test]
async fn section_3_with_what_is_applied_runners_come_and_go() -> Result<()> {
    let rig = deployed(&[BASE[0], BASE[1], REMOVAL]).await?;
    let mut set = objects("node/daemon-set.yaml")?.remove(0);
    // Made by the generator of the same folder.
    set["spec"]["template"]["spec"]["containers"][0]["envFrom"] = json!([]);
    rig.make("/apis/apps/v1/namespaces/hostler-nodes/daemonsets", set)
        .await?;
    let life = rig.home.live().await?;
    let names = rig.at_work(&life, 2).await?;
    let ready = life.get("/ready").await;
    assert_eq!(ready.status, 200);
    assert!(
        !ready.body.to_string().contains("nodes:"),
        "nothing is lacking: {ready:?}"
    );
    let gone = life.remove(&names).await;
    life.job(&gone.job(), "completed").await?;
    assert_eq!(rig.count(), 0);
    Ok(())
}

#[tokio::test]
async fn without_the_right_to_close_nodes_a_removal_goes_on_and_the_right_is_named() -> Result<()> {
    let rig = deployed(&BASE).await?;
    let life = rig.home.live().await?;
    let names = life.add(1).await.names();
    life.all(&names, "provisioning").await?;
    let gone = life.remove(&names).await;
    life.job(&gone.job(), "completed").await?;
    assert_eq!(rig.count(), 0);
    life.seen(|seen| {
        seen.lacks
            .iter()
            .any(|right| right.starts_with("nodes: patch"))
    })
    .await?;
    apply(&rig, REMOVAL).await?;
    let names = life.add(1).await.names();
    life.all(&names, "provisioning").await?;
    life.remove(&names).await;
    life.seen(|seen| seen.lacks.is_empty()).await?;
    Ok(())
}

#[tokio::test]
async fn the_seed_s_manifest_names_stay_those_of_the_deployment() -> Result<()> {
    let deployment = objects("base/deployment.yaml")?.remove(0);
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["ports"][0]["containerPort"], 3010);
    let resources = json!({"requests": {"cpu": "100m", "memory": "128Mi"},
        "limits": {"cpu": "500m", "memory": "512Mi"}});
    assert_eq!(container["resources"], resources);
    for probe in ["livenessProbe", "readinessProbe"] {
        assert_eq!(container[probe]["httpGet"]["path"], "/health");
    }
    let service = objects("base/service.yaml")?.remove(0);
    assert_eq!(service["spec"]["ports"][0]["port"], 3010);
    assert_eq!(service["spec"]["type"], "ClusterIP");
    Ok(())
}
