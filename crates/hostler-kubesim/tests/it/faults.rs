//! Faults that a test sets: each does what it says, to the requests it means.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use futures::TryStreamExt as _;
use hostler_kubesim::{Broken, Cluster, Effect, Fault, Options, Pool, Timings};
use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ListParams, WatchParams};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Client, ResourceExt as _};
use serde_json::json;

use crate::support::{RUNNERS, SOON, client, create, instant, placeholder, runners};

/// The code of a refused list of pods; 200 when it is not refused.
async fn list(client: &Client) -> Result<u16> {
    let pods: Api<Pod> = Api::default_namespaced(client.clone());
    match pods.list(&ListParams::default()).await {
        Ok(_) => Ok(200),
        Err(kube::Error::Api(status)) => Ok(status.code),
        Err(other) => bail!("no status: {other}"),
    }
}

async fn check(fault: Fault, expected: &[u16]) -> Result<()> {
    let cluster = instant(1).await?;
    let client = client(&cluster, "admin").await?;
    let id = cluster.fault(fault);
    for code in expected {
        assert_eq!(list(&client).await?, *code);
    }
    cluster.heal(id);
    assert_eq!(list(&client).await?, 200);
    Ok(())
}

#[tokio::test]
async fn a_fault_meets_what_it_means_and_no_more() -> Result<()> {
    check(Fault::new(Effect::Denied), &[403, 403]).await?;
    check(Fault::new(Effect::Quota), &[403]).await?;
    check(Fault::new(Effect::Throttled(1)).times(1), &[429, 200]).await?;
    check(
        Fault::new(Effect::Error(503)).share(0.5),
        &[200, 503, 200, 503],
    )
    .await?;
    check(Fault::new(Effect::Error(500)).verb("create"), &[200]).await?;
    check(Fault::new(Effect::Error(500)).resource("nodes"), &[200]).await?;
    check(Fault::new(Effect::Error(500)).user("jane"), &[200]).await?;
    check(
        Fault::new(Effect::Error(500))
            .user("admin")
            .verb("list")
            .resource("pods"),
        &[500],
    )
    .await
}

#[tokio::test]
async fn a_lost_reply_leaves_what_was_made() -> Result<()> {
    let cluster = instant(1).await?;
    let client = client(&cluster, "admin").await?;
    cluster.fault(Fault::new(Effect::LostReply).verb("create").times(1));
    let lost = create::<Pod>(&client, placeholder("a")).await;
    assert!(lost.is_err());
    assert!(cluster.look(|view| view.pod("default", "a")).is_some());
    let again = create::<Pod>(&client, placeholder("a")).await;
    assert!(again.is_err_and(|error| error.to_string().contains("already exists")));
    Ok(())
}

#[tokio::test]
async fn a_hanging_server_never_answers_and_a_slow_one_later() -> Result<()> {
    let cluster = instant(1).await?;
    let client = client(&cluster, "admin").await?;
    cluster.fault(Fault::new(Effect::Hang).times(1));
    let waited = tokio::time::timeout(Duration::from_millis(200), list(&client)).await;
    assert!(waited.is_err());
    let slow = Duration::from_millis(100);
    cluster.fault(Fault::new(Effect::Slow(slow)).times(1));
    let begun = std::time::Instant::now();
    assert_eq!(list(&client).await?, 200);
    assert!(begun.elapsed() >= slow);
    Ok(())
}

#[tokio::test]
async fn a_server_that_is_gone_comes_back_with_what_it_knew() -> Result<()> {
    let mut cluster = instant(1).await?;
    let client = client(&cluster, "admin").await?;
    create::<Pod>(&client, placeholder("a")).await?;
    cluster.server_stop().await;
    assert!(list(&client).await.is_err());
    cluster.server_start().await?;
    let pods: Api<Pod> = Api::default_namespaced(client);
    assert_eq!(pods.get("a").await?.name_any(), "a");
    Ok(())
}

#[tokio::test]
async fn requests_are_counted() -> Result<()> {
    let cluster = instant(1).await?;
    let client = client(&cluster, "admin").await?;
    list(&client).await?;
    list(&client).await?;
    assert_eq!(cluster.requests("list", "pods"), 2);
    assert_eq!(cluster.requests("create", "pods"), 0);
    cluster.requests_forget();
    assert!(cluster.all_requests().is_empty());
    Ok(())
}

/// A watcher goes on over whatever `breaks` does, and sees what comes after.
async fn survives(breaks: impl AsyncFn(&Cluster, &Client) -> Result<()>) -> Result<u64> {
    let cluster = instant(1).await?;
    let client = client(&cluster, "admin").await?;
    let pods: Api<Pod> = Api::default_namespaced(client.clone());
    create::<Pod>(&client, placeholder("a")).await?;
    let stream = watcher(pods, watcher::Config::default()).default_backoff();
    let mut stream = std::pin::pin!(stream.applied_objects());
    let steps = async {
        let first = stream.try_next().await?.context("the first")?;
        assert_eq!(first.name_any(), "a");
        // What comes after the list comes by the watch, so that it stands.
        create::<Pod>(&client, placeholder("w")).await?;
        while stream.try_next().await?.context("the watch")?.name_any() != "w" {}
        breaks(&cluster, &client).await?;
        create::<Pod>(&client, placeholder("b")).await?;
        loop {
            match stream.try_next().await {
                Ok(Some(pod)) if pod.name_any() == "b" => return anyhow::Ok(()),
                Ok(None) => bail!("the watcher ended"),
                _ => {}
            }
        }
    };
    tokio::time::timeout(SOON, steps).await??;
    Ok(cluster.requests("list", "pods"))
}

#[tokio::test]
async fn a_cut_watch_is_resumed_without_a_list() -> Result<()> {
    let cut = async |cluster: &Cluster, _: &Client| {
        cluster.watches_cut();
        Ok(())
    };
    assert_eq!(survives(cut).await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_forgotten_history_is_listed_again() -> Result<()> {
    let forget = async |cluster: &Cluster, _: &Client| {
        cluster.history_forget();
        Ok(())
    };
    assert_eq!(survives(forget).await?, 2);
    Ok(())
}

#[tokio::test]
async fn bookmarks_come_on_a_quiet_watch() -> Result<()> {
    let timings = Timings {
        bookmark: Duration::from_millis(20),
        ..Timings::instant()
    };
    let cluster = Cluster::start(Options {
        timings,
        ..Options::default()
    })
    .await?;
    let pods: Api<Pod> = Api::default_namespaced(client(&cluster, "admin").await?);
    let params = WatchParams::default();
    let mut events = std::pin::pin!(pods.watch(&params, "0").await?);
    let first = tokio::time::timeout(SOON, events.try_next()).await??;
    assert!(
        matches!(first, Some(kube::core::WatchEvent::Bookmark(_))),
        "{first:?}"
    );
    Ok(())
}

#[tokio::test]
async fn runner_pods_break_and_mend() -> Result<()> {
    let pools = vec![Pool {
        min: 1,
        ..Pool::runners(1)
    }];
    let timings = Timings::instant();
    let cluster = Cluster::start(Options {
        pools,
        timings,
        ..Options::default()
    })
    .await?;
    cluster.pods_break(RUNNERS, Broken::ImagePull);
    create::<DaemonSet>(&client(&cluster, "admin").await?, runners()).await?;
    let waits = |reason: &'static str| {
        cluster.wait_until(SOON, move |view| {
            let pods = view.pods(RUNNERS);
            let state = "/status/containerStatuses/0/state/waiting/reason";
            pods.iter()
                .any(|pod| pod.pointer(state) == Some(&json!(reason)))
        })
    };
    waits("ImagePullBackOff").await?;
    assert_eq!(
        cluster.look(|view| view.pods(RUNNERS)[0]["status"]["phase"].clone()),
        "Pending"
    );
    cluster.pods_mend();
    assert_eq!(cluster.look(|view| view.ready_pods(RUNNERS)), 1);
    cluster.pods_break(RUNNERS, Broken::CrashLoop);
    waits("CrashLoopBackOff").await?;
    assert_eq!(cluster.look(|view| view.ready_pods(RUNNERS)), 0);
    cluster.pods_mend();
    assert_eq!(cluster.look(|view| view.ready_pods(RUNNERS)), 1);
    Ok(())
}
