//! What is refused, and in which words.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::cases;
use crate::support::SOON;
use crate::target::{Target, pod};

cases![
    a_taken_name_is_409,
    over_the_quota_is_403,
    restricted_pod_security_refuses_a_plain_pod,
    a_missing_namespace_is_404,
    a_terminating_namespace_is_403,
    a_bad_name_or_body_is_told,
    what_is_not_served_is_404,
];

async fn a_taken_name_is_409(target: &Target) -> Result<()> {
    let pods = target.path("pods");
    target.post(&pods, pod("a")).await?.is(201, "")?;
    let again = target.post(&pods, pod("a")).await?;
    again.is(409, "pods \"a\" already exists")?;
    ensure!(again.body["reason"] == "AlreadyExists");
    ensure!(again.body["details"]["kind"] == "pods", "{}", again.body);
    Ok(())
}

async fn over_the_quota_is_403(target: &Target) -> Result<()> {
    let quota = json!({"metadata": {"name": "few"}, "spec": {"hard": {"pods": "1"}}});
    target
        .post(&target.path("resourcequotas"), quota)
        .await?
        .is(201, "")?;
    // A real cluster counts before it lets anything in.
    let pods = target.path("pods");
    let first = async {
        loop {
            let reply = target.post(&pods, pod("a")).await?;
            if reply.code == 201 {
                return anyhow::Ok(());
            }
            reply.is(403, "")?;
        }
    };
    tokio::time::timeout(SOON, first).await??;
    let second = target.post(&pods, pod("b")).await?;
    second.is(
        403,
        "pods \"b\" is forbidden: exceeded quota: few, requested: pods=1, used: pods=1, limited: pods=1",
    )?;
    ensure!(second.body["reason"] == "Forbidden");
    Ok(())
}

async fn restricted_pod_security_refuses_a_plain_pod(target: &Target) -> Result<()> {
    let label =
        json!({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}});
    let space = format!("/api/v1/namespaces/{}", target.space);
    target
        .patch(&space, "merge-patch", label)
        .await?
        .is(200, "")?;
    let pods = target.path("pods");
    let refused = target.post(&pods, pod("a")).await?;
    refused.is(403, "violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false (container \"pause\" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container \"pause\" must set securityContext.capabilities.drop=[\"ALL\"]), runAsNonRoot != true (pod or container \"pause\" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container \"pause\" must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")")?;
    target.post(&pods, meek_pod()).await?.is(201, "")?;
    Ok(())
}

fn meek_pod() -> Value {
    let mut meek = pod("meek");
    meek["spec"]["securityContext"] =
        json!({"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}});
    meek["spec"]["containers"][0]["securityContext"] =
        json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}});
    meek
}

async fn a_missing_namespace_is_404(target: &Target) -> Result<()> {
    let path = "/api/v1/namespaces/no-such-place/pods";
    let reply = target.post(path, pod("a")).await?;
    reply.is(404, "namespaces \"no-such-place\" not found")?;
    let list = target.get(path).await?;
    ensure!(
        list.code == 200 && list.body["items"] == json!([]),
        "{list:?}"
    );
    Ok(())
}

async fn a_terminating_namespace_is_403(target: &Target) -> Result<()> {
    let name = format!("{}-ends", target.space);
    let space = format!("/api/v1/namespaces/{name}");
    let held = json!({"metadata": {"name": name, "finalizers": ["hostler.dev/hold"]}});
    target.post("/api/v1/namespaces", held).await?.is(201, "")?;
    let ends = target.delete(&space).await?;
    ensure!(
        ends.code == 200 && ends.body["status"]["phase"] == "Terminating",
        "{ends:?}"
    );
    let refused = target.post(&format!("{space}/pods"), pod("a")).await?;
    let words =
        format!("unable to create new content in namespace {name} because it is being terminated");
    refused.is(403, &words)?;
    let release = json!({"metadata": {"finalizers": null}});
    target
        .patch(&space, "merge-patch", release)
        .await?
        .is(200, "")?;
    let gone = async {
        while target.get(&space).await?.code != 404 {
            tokio::task::yield_now().await;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(SOON, gone).await?
}

async fn a_bad_name_or_body_is_told(target: &Target) -> Result<()> {
    let pods = target.path("pods");
    target
        .post(&pods, pod("Not_Good"))
        .await?
        .is(422, "metadata.name: Invalid value")?;
    let mut nameless = pod("");
    nameless["metadata"] = json!({});
    target
        .post(&pods, nameless)
        .await?
        .is(422, "name or generateName is required")?;
    let mut elsewhere = pod("a");
    elsewhere["metadata"]["namespace"] = json!("elsewhere");
    target
        .post(&pods, elsewhere)
        .await?
        .is(400, "does not match the namespace")?;
    let empty = json!({"metadata": {"name": "a"}, "spec": {"containers": []}});
    target
        .post(&pods, empty)
        .await?
        .is(422, "spec.containers: Required value")?;
    Ok(())
}

async fn what_is_not_served_is_404(target: &Target) -> Result<()> {
    let words = "could not find the requested resource";
    target.get(&target.path("nodes")).await?.is(404, words)?;
    target.get("/api/v1/gadgets").await?.is(404, words)?;
    target
        .get(&target.path("pods/none"))
        .await?
        .is(404, "pods \"none\" not found")?;
    let nowhere = target.post("/api/v1/pods", pod("a")).await?;
    ensure!(nowhere.code == 405, "{nowhere:?}");
    Ok(())
}
