//! What is lost, and what is then seen of it: nodes, machines, readiness.
//! `phase` alone never tells.

use std::time::Duration;

use anyhow::{Context as _, Result};
use hostler_kubesim::{Cluster, Options, Pace, Pool};
use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::DeleteParams;
use serde_json::Value;

use crate::support::{PLACEHOLDERS, RUNNERS, client, create, placeholder, runners};

/// Three machines with a runner each, and placeholders on two of them.
async fn settled() -> Result<Cluster> {
    let pools = vec![Pool {
        min: 3,
        ..Pool::runners(3)
    }];
    let options = Options {
        pace: Pace::Stepped,
        pools,
        ..Options::default()
    };
    let cluster = Cluster::start(options).await?;
    let client = client(&cluster, "admin").await?;
    create::<DaemonSet>(&client, runners()).await?;
    for name in ["a", "b"] {
        create::<Pod>(&client, placeholder(name)).await?;
    }
    pass(&cluster, 5);
    assert_eq!(cluster.look(|view| view.ready_pods(PLACEHOLDERS)), 2);
    assert_eq!(cluster.look(|view| view.ready_pods(RUNNERS)), 3);
    Ok(cluster)
}

fn pass(cluster: &Cluster, seconds: u64) {
    cluster.step(Duration::from_secs(seconds));
}

fn pod(cluster: &Cluster, name: &str) -> Option<Value> {
    cluster.look(|view| view.pod("default", name))
}

fn node_of(cluster: &Cluster, name: &str) -> Result<String> {
    let pod = pod(cluster, name).context("the pod is there")?;
    let node = pod["spec"]["nodeName"].as_str().context("it has a node")?;
    Ok(node.to_owned())
}

fn condition(object: &Value, kind: &str) -> String {
    let all = object["status"]["conditions"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let found = all.iter().find(|one| one["type"] == kind);
    let status = found.and_then(|one| one["status"].as_str());
    status.unwrap_or("none").to_owned()
}

#[tokio::test]
async fn a_bound_pod_is_marked_and_ends_when_its_kubelet_says_so() -> Result<()> {
    let cluster = settled().await?;
    let pods: Api<Pod> = Api::default_namespaced(client(&cluster, "admin").await?);
    let marked = pods.delete("a", &DeleteParams::default()).await?;
    let marked = serde_json::to_value(marked.left().context("the pod")?)?;
    assert_eq!(marked["status"]["phase"], "Running");
    assert_eq!(marked["metadata"]["deletionGracePeriodSeconds"], 30);
    pass(&cluster, 0);
    assert!(pod(&cluster, "a").is_some());
    pass(&cluster, 2);
    assert_eq!(pod(&cluster, "a"), None);
    Ok(())
}

#[tokio::test]
async fn pods_outlive_their_node_object_for_55_seconds() -> Result<()> {
    let cluster = settled().await?;
    let node = node_of(&cluster, "a")?;
    cluster.node_delete(&node);
    pass(&cluster, 54);
    let left = pod(&cluster, "a").context("it is still there")?;
    assert_eq!(left["status"]["phase"], "Running");
    assert_eq!(left["spec"]["nodeName"], *node);
    pass(&cluster, 2);
    assert_eq!(pod(&cluster, "a"), None);
    Ok(())
}

#[tokio::test]
async fn a_dead_machine_is_unknown_and_its_pods_are_deleted_and_stay() -> Result<()> {
    let cluster = settled().await?;
    let node = node_of(&cluster, "a")?;
    cluster.machine_kill(&node);
    pass(&cluster, 39);
    let seen = cluster.look(|view| view.node(&node)).context("the node")?;
    assert_eq!(condition(&seen, "Ready"), "True");
    pass(&cluster, 2);
    let seen = cluster.look(|view| view.node(&node)).context("the node")?;
    assert_eq!(condition(&seen, "Ready"), "Unknown");
    assert!(
        seen["spec"]["taints"]
            .to_string()
            .contains("node.kubernetes.io/unreachable")
    );
    let left = pod(&cluster, "a").context("the pod")?;
    assert_eq!(
        (
            left["status"]["phase"].as_str(),
            condition(&left, "Ready").as_str()
        ),
        (Some("Running"), "False")
    );
    assert!(left["metadata"]["deletionTimestamp"].is_null());
    pass(&cluster, 301);
    let left = pod(&cluster, "a").context("the pod stays until its node goes")?;
    assert!(left["metadata"]["deletionTimestamp"].is_string());
    assert_eq!(condition(&left, "DisruptionTarget"), "True");
    pass(&cluster, 3_600);
    assert!(pod(&cluster, "a").is_some());
    cluster.machine_take(&node);
    pass(&cluster, 60);
    assert_eq!(pod(&cluster, "a"), None);
    Ok(())
}

#[tokio::test]
async fn a_machine_that_comes_back_in_time_loses_nothing() -> Result<()> {
    let cluster = settled().await?;
    let node = node_of(&cluster, "a")?;
    cluster.machine_kill(&node);
    pass(&cluster, 100);
    cluster.machine_revive(&node);
    pass(&cluster, 1_000);
    assert_eq!(cluster.look(|view| view.ready_pods(PLACEHOLDERS)), 2);
    assert_eq!(cluster.look(|view| view.ready_nodes().len()), 3);
    Ok(())
}

#[tokio::test]
async fn when_every_node_is_unwell_nothing_is_evicted() -> Result<()> {
    let cluster = settled().await?;
    let nodes = ["runners-1", "runners-2", "runners-3"];
    for node in &nodes {
        cluster.machine_ails(node, true);
    }
    pass(&cluster, 1_000);
    let left = pod(&cluster, "a").context("the pod")?;
    assert!(left["metadata"]["deletionTimestamp"].is_null());
    cluster.machine_ails(nodes[0], false);
    cluster.machine_ails(nodes[1], false);
    pass(&cluster, 1_000);
    assert_eq!(cluster.look(|view| view.ready_nodes().len()), 2);
    Ok(())
}

#[tokio::test]
async fn a_runners_host_address_is_its_nodes() -> Result<()> {
    let cluster = settled().await?;
    let node = node_of(&cluster, "a")?;
    let seen = cluster.look(|view| view.node(&node)).context("the node")?;
    let left = pod(&cluster, "a").context("the pod")?;
    assert_eq!(
        left["status"]["hostIP"],
        seen["status"]["addresses"][0]["address"]
    );
    assert_eq!(seen["status"]["addresses"][0]["type"], "InternalIP");
    Ok(())
}
