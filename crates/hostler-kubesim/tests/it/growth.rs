//! Placeholders make a pool grow, one node each, and every node gets its
//! runner.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context as _, Result};
use futures::{StreamExt as _, TryStreamExt as _};
use hostler_kubesim::{Cluster, Options, Pace, Pool, Timings, View};
use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::json;

use crate::support::{
    PLACEHOLDERS, RUNNERS, SOON, client, create, instant, placeholder, runners, stepped,
};

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

fn said(cluster: &Cluster, name: &str, reason: &str) -> Option<String> {
    let events = cluster.look(|view| view.events(name));
    let found = events.into_iter().rev().find(|(found, _)| found == reason);
    found.map(|(_, message)| message)
}

/// Lets the cluster come to rest without time passing.
fn rest(cluster: &Cluster) {
    cluster.step(Duration::ZERO);
}

#[tokio::test]
async fn at_the_bound_a_pod_waits_and_takes_the_node_that_is_freed() -> Result<()> {
    let cluster = stepped(1).await?;
    let client = client(&cluster, "admin").await?;
    for name in ["a", "b"] {
        create::<Pod>(&client, placeholder(name)).await?;
        rest(&cluster);
    }
    cluster.step(Duration::from_mins(2));
    assert_eq!(cluster.look(|view| view.ready_pods(PLACEHOLDERS)), 1);
    assert_eq!(
        said(&cluster, "b", "NotTriggerScaleUp").as_deref(),
        Some("pod didn't trigger scale-up: 1 max node group size reached")
    );
    assert_eq!(
        said(&cluster, "a", "TriggeredScaleUp").as_deref(),
        Some("pod triggered scale-up: [{runners 0->1 (max: 1)}]")
    );
    let pods: Api<Pod> = Api::default_namespaced(client);
    pods.delete("a", &DeleteParams::default()).await?;
    cluster.step(Duration::from_secs(5));
    let b = cluster.look(|view| view.pod("default", "b")).context("b")?;
    assert_eq!(
        (
            b["status"]["phase"].as_str(),
            b["spec"]["nodeName"].as_str()
        ),
        (Some("Running"), Some("runners-1"))
    );
    Ok(())
}

#[expect(clippy::too_many_lines, reason = "a table")]
#[tokio::test]
async fn the_scheduler_says_why_in_its_own_words() -> Result<()> {
    let cluster = Cluster::start(Options {
        pace: Pace::Stepped,
        pools: vec![Pool {
            min: 1,
            ..Pool::runners(1)
        }],
        ..Options::default()
    })
    .await?;
    let client = client(&cluster, "admin").await?;
    let mut meek = placeholder("meek");
    meek["spec"]["tolerations"] = json!([]);
    let mut elsewhere = placeholder("elsewhere");
    elsewhere["spec"]["nodeSelector"] = json!({"zone": "x"});
    let mut large = placeholder("large");
    large["spec"]["containers"][0]["resources"]["requests"]["cpu"] = json!("99");
    for pod in [
        placeholder("first"),
        placeholder("second"),
        meek,
        elsewhere,
        large,
    ] {
        create::<Pod>(&client, pod).await?;
        rest(&cluster);
    }
    let rows = [
        (
            "second",
            "1 node(s) didn't match pod anti-affinity rules",
            "1 No preemption victims found for incoming pod",
        ),
        (
            "meek",
            "1 node(s) had untolerated taint {sandbox: true}",
            "1 Preemption is not helpful for scheduling",
        ),
        (
            "elsewhere",
            "1 node(s) didn't match Pod's node affinity/selector",
            "1 Preemption is not helpful for scheduling",
        ),
        (
            "large",
            "1 Insufficient cpu",
            "1 No preemption victims found for incoming pod",
        ),
    ];
    for (name, why, help) in rows {
        let expected =
            format!("0/1 nodes are available: {why}. preemption: 0/1 nodes are available: {help}.");
        assert_eq!(
            said(&cluster, name, "FailedScheduling"),
            Some(expected),
            "{name}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn placeholders_of_other_namespaces_are_kept_apart_too() -> Result<()> {
    let cluster = Cluster::start(Options {
        pace: Pace::Stepped,
        pools: vec![Pool {
            min: 1,
            ..Pool::runners(1)
        }],
        namespaces: vec!["other".to_owned()],
        ..Options::default()
    })
    .await?;
    let client = client(&cluster, "admin").await?;
    create::<Pod>(&client, placeholder("a")).await?;
    rest(&cluster);
    let others: Api<Pod> = Api::namespaced(client, "other");
    let mut body = placeholder("b");
    others
        .create(
            &PostParams::default(),
            &serde_json::from_value(body.clone())?,
        )
        .await?;
    rest(&cluster);
    let node = |name: &str| {
        cluster
            .look(|view| view.pod("other", name))
            .and_then(|pod| pod["spec"]["nodeName"].as_str().map(str::to_owned))
    };
    assert_eq!(node("b"), None);
    // Neither wants to be apart from what is in another namespace.
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    let apart = &mut body["spec"]["affinity"]["podAntiAffinity"][required][0];
    apart["namespaceSelector"] = serde_json::Value::Null;
    body["metadata"] = json!({"name": "c", "labels": {"app": "something-else"}});
    others
        .create(&PostParams::default(), &serde_json::from_value(body)?)
        .await?;
    rest(&cluster);
    assert_eq!(node("c"), Some("runners-1".to_owned()));
    Ok(())
}

#[tokio::test]
async fn a_cordoned_node_takes_nobody() -> Result<()> {
    let pools = vec![Pool {
        min: 1,
        ..Pool::runners(1)
    }];
    let cluster = Cluster::start(Options {
        pace: Pace::Stepped,
        pools,
        ..Options::default()
    })
    .await?;
    let client = client(&cluster, "admin").await?;
    let nodes: Api<Node> = Api::all(client.clone());
    nodes.cordon("runners-1").await?;
    create::<Pod>(&client, placeholder("a")).await?;
    rest(&cluster);
    let why = said(&cluster, "a", "FailedScheduling").context("it is told")?;
    assert!(why.contains("1 node(s) were unschedulable"), "{why}");
    nodes.uncordon("runners-1").await?;
    cluster.step(Duration::from_secs(5));
    assert_eq!(cluster.look(|view| view.ready_pods(PLACEHOLDERS)), 1);
    Ok(())
}

#[tokio::test]
async fn an_unneeded_node_goes_and_a_held_one_stays() -> Result<()> {
    let pools = vec![Pool {
        min: 0,
        ..Pool::runners(2)
    }];
    let timings = Timings {
        scale_down: Some(Duration::from_mins(10)),
        ..Timings::default()
    };
    let options = Options {
        pace: Pace::Stepped,
        pools,
        timings,
        ..Options::default()
    };
    let cluster = Cluster::start(options).await?;
    let client = client(&cluster, "admin").await?;
    for name in ["held", "free"] {
        create::<Pod>(&client, placeholder(name)).await?;
    }
    rest(&cluster);
    cluster.step(Duration::from_mins(30));
    assert_eq!(cluster.look(|view| view.ready_nodes().len()), 2);
    let pods: Api<Pod> = Api::default_namespaced(client);
    let note = json!({"metadata": {"annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "true"}}});
    pods.patch("free", &PatchParams::default(), &Patch::Merge(note))
        .await?;
    cluster.step(Duration::from_mins(9));
    assert_eq!(cluster.look(|view| view.ready_nodes().len()), 2);
    cluster.step(Duration::from_mins(2));
    assert_eq!(cluster.look(|view| view.ready_nodes().len()), 1);
    assert!(cluster.look(|view| view.pod("default", "held")).is_some());
    assert!(cluster.look(|view| view.pod("default", "free")).is_none());
    Ok(())
}

#[tokio::test]
async fn a_pool_without_machines_is_left_alone_for_a_while() -> Result<()> {
    let cluster = stepped(2).await?;
    cluster.pool_change("runners", |pool| pool.sold_out = true);
    create::<Pod>(&client(&cluster, "admin").await?, placeholder("a")).await?;
    rest(&cluster);
    cluster.step(Duration::from_mins(1));
    assert_eq!(
        said(&cluster, "a", "NotTriggerScaleUp").as_deref(),
        Some("pod didn't trigger scale-up: 1 in backoff after failed scale-up")
    );
    cluster.pool_change("runners", |pool| pool.sold_out = false);
    cluster.step(Duration::from_mins(10));
    assert_eq!(cluster.look(|view| view.ready_pods(PLACEHOLDERS)), 1);
    Ok(())
}

#[tokio::test]
async fn a_changed_template_replaces_runners_one_by_one() -> Result<()> {
    let pools = vec![Pool {
        min: 3,
        ..Pool::runners(3)
    }];
    let cluster = Cluster::start(Options {
        pace: Pace::Stepped,
        pools,
        ..Options::default()
    })
    .await?;
    let client = client(&cluster, "admin").await?;
    create::<DaemonSet>(&client, runners()).await?;
    cluster.step(Duration::from_secs(5));
    assert_eq!(cluster.look(|view| view.ready_pods(RUNNERS)), 3);
    let image = json!({"spec": {"template": {"spec": {"containers": [{"name": "runner", "image": "runner:2"}]}}}});
    let sets: Api<DaemonSet> = Api::default_namespaced(client);
    sets.patch(
        "daytona-runner",
        &PatchParams::default(),
        &Patch::Strategic(image),
    )
    .await?;
    for _ in 0..20 {
        cluster.step(Duration::from_millis(500));
        assert!(cluster.look(|view| view.ready_pods(RUNNERS)) >= 2);
    }
    let images = cluster.look(|view| view.pods(RUNNERS));
    assert!(
        images
            .iter()
            .all(|pod| pod["spec"]["containers"][0]["image"] == "runner:2")
    );
    assert_eq!(cluster.look(|view| view.ready_pods(RUNNERS)), 3);
    Ok(())
}

#[tokio::test]
async fn a_thousand_placeholders_come_to_run() -> Result<()> {
    const MANY: usize = 1_000;
    let cluster = instant(MANY).await?;
    let client = client(&cluster, "admin").await?;
    let begun = std::time::Instant::now();
    let make = |index: usize| create::<Pod>(&client, placeholder(&format!("p-{index}")));
    let made = futures::stream::iter(0..MANY)
        .map(make)
        .buffer_unordered(16);
    made.try_for_each(|_| async { Ok(()) }).await?;
    let created = begun.elapsed();
    let all = |view: &View<'_>| view.ready_pods(PLACEHOLDERS) == MANY;
    cluster.wait_until(Duration::from_mins(1), all).await?;
    println!(
        "{MANY} created in {created:?}, running after {:?}",
        begun.elapsed()
    );
    let hosts: BTreeSet<String> = cluster.look(|view| {
        let pods = view.pods(PLACEHOLDERS);
        pods.iter()
            .map(|pod| pod["spec"]["nodeName"].to_string())
            .collect()
    });
    assert_eq!(hosts.len(), MANY);
    Ok(())
}
