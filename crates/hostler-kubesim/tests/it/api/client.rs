//! The `kube` client as programs use it: lists in pages, watchers, stores,
//! patches.

use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::core::PartialObjectMeta;
use kube::runtime::{WatchStreamExt as _, reflector, watcher};
use kube::{Api, ResourceExt as _};
use serde_json::json;

use super::cases;
use crate::support::SOON;
use crate::target::{Target, pod};

cases![
    a_client_creates_lists_patches_and_deletes,
    a_reflector_follows,
    a_streaming_reflector_follows,
    a_cordon_is_a_patch,
    only_metadata_can_be_asked_for,
];

fn pods(target: &Target) -> Api<Pod> {
    Api::namespaced(target.client.clone(), &target.space)
}

async fn make(target: &Target, name: &str) -> Result<Pod> {
    let body = serde_json::from_value(pod(name))?;
    Ok(pods(target).create(&PostParams::default(), &body).await?)
}

async fn a_client_creates_lists_patches_and_deletes(target: &Target) -> Result<()> {
    for name in ["a", "b", "c"] {
        make(target, name).await?;
    }
    let api = pods(target);
    let page = api
        .list(&ListParams::default().labels("app=suite").limit(2))
        .await?;
    ensure!(page.items.len() == 2 && page.metadata.continue_.is_some());
    let patch = Patch::Merge(json!({"metadata": {"annotations": {"x": "y"}}}));
    let patched = api.patch("a", &PatchParams::default(), &patch).await?;
    ensure!(patched.annotations()["x"] == "y");
    let gone = api.delete("a", &DeleteParams::default()).await?;
    ensure!(
        gone.left().is_some(),
        "a delete of a pod answers with the pod"
    );
    ensure!(api.get_opt("a").await?.is_none());
    Ok(())
}

async fn a_reflector_follows(target: &Target) -> Result<()> {
    follow(target, watcher::Config::default().page_size(1)).await
}

async fn a_streaming_reflector_follows(target: &Target) -> Result<()> {
    follow(target, watcher::Config::default().streaming_lists()).await
}

/// A store comes to hold what there is, and then what changes.
async fn follow(target: &Target, config: watcher::Config) -> Result<()> {
    make(target, "a").await?;
    make(target, "b").await?;
    let (reader, writer) = reflector::store::<Pod>();
    let stream = reflector(writer, watcher(pods(target), config)).applied_objects();
    let mut stream = std::pin::pin!(stream);
    let steps = async {
        stream.try_next().await?.context("the first")?;
        stream.try_next().await?.context("the second")?;
        make(target, "c").await?;
        // Those before may be told again: the scheduler writes to them.
        while stream.try_next().await?.context("the third")?.name_any() != "c" {}
        pods(target).delete("c", &DeleteParams::default()).await?;
        make(target, "d").await?;
        while stream.try_next().await?.context("the fourth")?.name_any() != "d" {}
        anyhow::Ok(())
    };
    tokio::time::timeout(SOON, steps).await??;
    let mut names: Vec<String> = reader.state().iter().map(|pod| pod.name_any()).collect();
    names.sort();
    ensure!(names == ["a", "b", "d"], "{names:?}");
    Ok(())
}

async fn a_cordon_is_a_patch(target: &Target) -> Result<()> {
    let nodes: Api<Node> = Api::all(target.client.clone());
    let name = format!("{}-node", target.space);
    let node = serde_json::from_value(json!({"metadata": {"name": name}}))?;
    nodes.create(&PostParams::default(), &node).await?;
    nodes.cordon(&name).await?;
    let cordoned = nodes.get(&name).await?;
    ensure!(cordoned.spec.context("a spec")?.unschedulable == Some(true));
    nodes.uncordon(&name).await?;
    let free = nodes
        .get(&name)
        .await?
        .spec
        .and_then(|spec| spec.unschedulable);
    ensure!(!free.unwrap_or_default());
    nodes.delete(&name, &DeleteParams::default()).await?;
    Ok(())
}

async fn only_metadata_can_be_asked_for(target: &Target) -> Result<()> {
    make(target, "a").await?;
    let found = pods(target).list_metadata(&ListParams::default()).await?;
    ensure!(found.items.len() == 1 && found.items[0].name_any() == "a");
    let metadata: Api<PartialObjectMeta<Pod>> =
        Api::namespaced(target.client.clone(), &target.space);
    let watching = watcher(metadata, watcher::Config::default());
    let mut applied = std::pin::pin!(watching.applied_objects());
    let first = tokio::time::timeout(SOON, applied.next())
        .await?
        .context("the first")??;
    ensure!(first.name_any() == "a");
    Ok(())
}
