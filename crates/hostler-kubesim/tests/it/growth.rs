//! Placeholders make a pool grow, one node each, and every node gets its
//! runner.

use std::time::Duration;

use anyhow::Result;
use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::PostParams;

use crate::support::{PLACEHOLDERS, RUNNERS, SOON, client, placeholder, runners, stepped};

#[tokio::test]
async fn two_placeholders_get_a_node_each_and_a_runner_on_each() -> Result<()> {
    let cluster = stepped(10).await?;
    let client = client(&cluster, "admin").await?;
    let pods: Api<Pod> = Api::default_namespaced(client.clone());
    let sets: Api<DaemonSet> = Api::default_namespaced(client);
    let post = PostParams::default();
    sets.create(&post, &serde_json::from_value(runners())?)
        .await?;
    for name in ["a", "b"] {
        pods.create(&post, &serde_json::from_value(placeholder(name))?)
            .await?;
    }
    let told = |name: &'static str, reason: &'static str| {
        cluster.wait_until(SOON, move |view| {
            view.events(name).iter().any(|(found, _)| found == reason)
        })
    };
    told("a", "FailedScheduling").await?;
    told("b", "FailedScheduling").await?;
    cluster.step(Duration::from_secs(10));
    told("a", "TriggeredScaleUp").await?;
    told("b", "TriggeredScaleUp").await?;
    assert_eq!(cluster.look(|view| view.nodes().len()), 0);

    cluster.step(Duration::from_secs(41));
    assert_eq!(cluster.look(|view| view.nodes().len()), 2);
    assert_eq!(cluster.look(|view| view.ready_nodes().len()), 0);
    assert_eq!(cluster.look(|view| view.ready_pods(PLACEHOLDERS)), 0);

    cluster.step(Duration::from_secs(12));
    assert_eq!(cluster.look(|view| view.ready_nodes().len()), 2);
    assert_eq!(cluster.look(|view| view.ready_pods(PLACEHOLDERS)), 2);
    assert_eq!(cluster.look(|view| view.ready_pods(RUNNERS)), 2);
    Ok(())
}
