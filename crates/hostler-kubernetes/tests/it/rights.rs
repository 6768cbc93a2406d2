//! With fewer rights less is known, and what is missing is said.

use anyhow::Result;
use serde_json::{Value, json};

use crate::support::{Rig, SOON, word};

pub(crate) const ACCOUNT: &str = "system:serviceaccount:default:runner-manager";
const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

fn bound(kind: &str, name: &str) -> Value {
    json!({
        "metadata": {"name": name},
        "subjects": [{"kind": "ServiceAccount", "name": "runner-manager", "namespace": "default"}],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name},
    })
}

/// The seed's own Role, word for word.
async fn seed_role(rig: &mut Rig) -> Result<()> {
    let role = json!({"metadata": {"name": "runner-manager"}, "rules": [
        {"apiGroups": [""], "resources": ["pods"],
            "verbs": ["get", "list", "create", "delete", "watch"]},
        {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list"]},
    ]});
    rig.make(&format!("{RBAC}/namespaces/default/roles"), role)
        .await?;
    let binding = bound("Role", "runner-manager");
    rig.make(&format!("{RBAC}/namespaces/default/rolebindings"), binding)
        .await?;
    rig.work_as(ACCOUNT)
}

#[tokio::test]
async fn edge_without_node_rights_a_runner_is_ready_by_its_pods_and_the_right_is_named()
-> Result<()> {
    let mut rig = Rig::instant(2).await?;
    seed_role(&mut rig).await?;
    let life = rig.home.live().await?;
    let names = rig.at_work(&life, 2).await?;
    let runner = life.get(&format!("/runners/{}", names[0])).await.body;
    let node = word(&runner["metadata"]["node_name"]);
    let seen = rig.cluster.look(|view| view.node(node)).expect("its node");
    let addresses = seen["status"]["addresses"].as_array().unwrap();
    let internal = addresses
        .iter()
        .find(|one| one["type"] == "InternalIP")
        .unwrap();
    assert_eq!(runner["metadata"]["node_internal_ip"], internal["address"]);
    let ready = life.get("/ready").await;
    assert!(
        ready.body.to_string().contains("nodes: get, list, watch"),
        "{ready:?}"
    );
    Ok(())
}

#[tokio::test]
async fn section_3_the_seed_s_role_is_enough_to_add_list_restart_and_remove() -> Result<()> {
    let mut rig = Rig::instant(2).await?;
    seed_role(&mut rig).await?;
    let life = rig.home.live().await?;
    let answer = life.add(2).await;
    life.job(&answer.job(), "completed").await?;
    life.end().await;
    let life = rig.home.live().await?;
    life.job(&answer.job(), "completed").await?;
    assert_eq!(rig.count(), 2);
    let gone = life.remove(&answer.names()).await;
    life.job(&gone.job(), "completed").await?;
    assert_eq!(rig.count(), 0);
    Ok(())
}

#[tokio::test]
async fn section_3_a_right_that_is_given_later_is_used_without_a_restart() -> Result<()> {
    let mut rig = Rig::instant(2).await?;
    seed_role(&mut rig).await?;
    let life = rig.home.live().await?;
    rig.at_work(&life, 1).await?;
    life.seen(|seen| !seen.lacks.is_empty()).await?;
    let role = json!({"metadata": {"name": "nodes"}, "rules": [
        {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list", "watch"]},
    ]});
    rig.make(&format!("{RBAC}/clusterroles"), role).await?;
    rig.make(
        &format!("{RBAC}/clusterrolebindings"),
        bound("ClusterRole", "nodes"),
    )
    .await?;
    let is_known = |seen: &hostler_runners::provider::Snapshot| {
        let mut machines = seen.runners.values().filter_map(|one| one.machine.as_ref());
        machines.any(|machine| machine.is_ready == Some(true))
    };
    life.seen(is_known).await?;
    Ok(())
}

#[tokio::test]
async fn section_3_the_doctor_is_not_caught_by_the_namespaced_role_for_nodes() -> Result<()> {
    let mut rig = Rig::instant(2).await?;
    seed_role(&mut rig).await?;
    let life = rig.home.live().await?;
    let checks = life.until(SOON, "/doctor", |body| !body.is_null()).await?;
    let text = checks.to_string();
    for missing in [
        "may not list nodes at the cluster scope",
        "may not patch pods",
    ] {
        assert!(text.contains(missing), "{missing}: {checks:#}");
    }
    assert!(
        text.contains("a ClusterRole with a ClusterRoleBinding"),
        "{checks:#}"
    );
    assert!(!text.contains("may not create pods"), "{checks:#}");
    Ok(())
}
