//! Creating, replacing, patching and deleting one object.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::cases;
use crate::target::{Target, pod};

cases![
    an_unbound_pod_is_deleted_at_once,
    a_replace_must_have_seen_the_latest,
    patches_of_three_kinds_change_metadata,
    a_pod_keeps_its_spec,
    a_status_changes_only_through_its_subresource,
    preconditions_guard_a_delete,
    a_dry_run_keeps_nothing,
    a_lease_is_taken_once,
    finalizers_hold_an_object,
];

async fn an_unbound_pod_is_deleted_at_once(target: &Target) -> Result<()> {
    target
        .post(&target.path("pods"), pod("a"))
        .await?
        .is(201, "")?;
    let path = target.path("pods/a");
    let gone = target.delete(&path).await?;
    ensure!(gone.code == 200 && gone.body["kind"] == "Pod", "{gone:?}");
    ensure!(
        gone.body["metadata"]["deletionGracePeriodSeconds"] == 0,
        "{gone:?}"
    );
    target.get(&path).await?.is(404, "")?;
    target
        .delete(&path)
        .await?
        .is(404, "pods \"a\" not found")?;
    Ok(())
}

fn map(name: &str, value: &str) -> Value {
    json!({"metadata": {"name": name}, "data": {"key": value}})
}

async fn a_replace_must_have_seen_the_latest(target: &Target) -> Result<()> {
    let maps = target.path("configmaps");
    let first = target.post(&maps, map("m", "1")).await?.body;
    let path = target.path("configmaps/m");
    let mut second = first.clone();
    second["data"]["key"] = json!("2");
    target.put(&path, second.clone()).await?.is(200, "")?;
    let stale = target.put(&path, second).await?;
    stale.is(
        409,
        "Operation cannot be fulfilled on configmaps \"m\": the object has been modified; please \
         apply your changes to the latest version and try again",
    )?;
    ensure!(stale.body["reason"] == "Conflict");
    target.put(&path, map("m", "3")).await?.is(200, "")?;
    ensure!(target.get(&path).await?.body["data"]["key"] == "3");
    Ok(())
}

async fn patches_of_three_kinds_change_metadata(target: &Target) -> Result<()> {
    target
        .post(&target.path("pods"), pod("a"))
        .await?
        .is(201, "")?;
    let path = target.path("pods/a");
    let note = |value: Value| json!({"metadata": {"annotations": {"note": value}}});
    let merged = target.patch(&path, "merge-patch", note(json!("1"))).await?;
    ensure!(
        merged.body["metadata"]["annotations"]["note"] == "1",
        "{merged:?}"
    );
    let merged = target
        .patch(&path, "strategic-merge-patch", note(json!("2")))
        .await?;
    ensure!(
        merged.body["metadata"]["annotations"]["note"] == "2",
        "{merged:?}"
    );
    let step = json!([{"op": "replace", "path": "/metadata/annotations/note", "value": "3"}]);
    let stepped = target.patch(&path, "json-patch", step).await?;
    ensure!(
        stepped.body["metadata"]["annotations"]["note"] == "3",
        "{stepped:?}"
    );
    let removed = target
        .patch(&path, "merge-patch", note(Value::Null))
        .await?;
    ensure!(
        removed.body["metadata"]["annotations"]["note"].is_null(),
        "{removed:?}"
    );
    target
        .patch(&target.path("pods/none"), "merge-patch", note(json!("1")))
        .await?
        .is(404, "")?;
    Ok(())
}

async fn a_pod_keeps_its_spec(target: &Target) -> Result<()> {
    target
        .post(&target.path("pods"), pod("a"))
        .await?
        .is(201, "")?;
    let path = target.path("pods/a");
    let moved = json!({"spec": {"nodeName": "elsewhere"}});
    let refused = target.patch(&path, "merge-patch", moved).await?;
    refused.is(422, "pod updates may not change fields other than")?;
    Ok(())
}

async fn a_status_changes_only_through_its_subresource(target: &Target) -> Result<()> {
    let mut claims = pod("a");
    claims["status"] = json!({"phase": "Running"});
    target
        .post(&target.path("pods"), claims)
        .await?
        .is(201, "")?;
    let path = target.path("pods/a");
    ensure!(target.get(&path).await?.body["status"]["phase"] == "Pending");
    let status = json!({"status": {"message": "told"}, "metadata": {"labels": {"x": "y"}}});
    target
        .patch(&path, "merge-patch", status.clone())
        .await?
        .is(200, "")?;
    ensure!(target.get(&path).await?.body["status"]["message"].is_null());
    let through = format!("{path}/status");
    target
        .patch(&through, "merge-patch", status)
        .await?
        .is(200, "")?;
    ensure!(target.get(&path).await?.body["status"]["message"] == "told");
    Ok(())
}

async fn preconditions_guard_a_delete(target: &Target) -> Result<()> {
    let made = target.post(&target.path("pods"), pod("a")).await?.body;
    let path = target.path("pods/a");
    let delete = |uid: &Value| {
        let body = json!({"preconditions": {"uid": uid}});
        target.call("", ("DELETE", &path), ("application/json", body))
    };
    let other = delete(&json!("00000000-0000-0000-0000-000000000000"));
    other
        .await?
        .is(409, "Precondition failed: UID in precondition")?;
    delete(&made["metadata"]["uid"]).await?.is(200, "")?;
    target.get(&path).await?.is(404, "")?;
    Ok(())
}

async fn a_dry_run_keeps_nothing(target: &Target) -> Result<()> {
    let dry = target.path("pods?dryRun=All");
    target.post(&dry, pod("a")).await?.is(201, "")?;
    target.get(&target.path("pods/a")).await?.is(404, "")?;
    target
        .post(&target.path("pods"), pod("a"))
        .await?
        .is(201, "")?;
    target
        .delete(&target.path("pods/a?dryRun=All"))
        .await?
        .is(200, "")?;
    target.get(&target.path("pods/a")).await?.is(200, "")?;
    Ok(())
}

async fn a_lease_is_taken_once(target: &Target) -> Result<()> {
    let leases = target.group_path("coordination.k8s.io", "leases");
    let lease = |holder: &str| {
        json!({"metadata": {"name": "leader"},
            "spec": {"holderIdentity": holder, "leaseDurationSeconds": 15,
                "renewTime": "2026-01-01T00:00:00.000000Z"}})
    };
    let taken = target.post(&leases, lease("one")).await?;
    taken.is(201, "")?;
    target
        .post(&leases, lease("two"))
        .await?
        .is(409, "already exists")?;
    let path = format!("{leases}/leader");
    target
        .put(&path, lease("two"))
        .await?
        .is(422, "must be specified for an update")?;
    let mut renewed = taken.body.clone();
    renewed["spec"]["renewTime"] = json!("2026-01-01T00:00:05.000000Z");
    target.put(&path, renewed.clone()).await?.is(200, "")?;
    renewed["spec"]["holderIdentity"] = json!("two");
    target
        .put(&path, renewed)
        .await?
        .is(409, "the object has been modified")?;
    Ok(())
}

async fn finalizers_hold_an_object(target: &Target) -> Result<()> {
    let mut held = map("m", "1");
    held["metadata"]["finalizers"] = json!(["hostler.dev/hold"]);
    target
        .post(&target.path("configmaps"), held)
        .await?
        .is(201, "")?;
    let path = target.path("configmaps/m");
    let marked = target.delete(&path).await?;
    ensure!(
        marked.body["metadata"]["deletionTimestamp"].is_string(),
        "{marked:?}"
    );
    target.get(&path).await?.is(200, "")?;
    let release = json!({"metadata": {"finalizers": []}});
    target
        .patch(&path, "merge-patch", release)
        .await?
        .is(200, "")?;
    target.get(&path).await?.is(404, "")?;
    Ok(())
}
