//! Who may do what. A Role grants nothing on nodes, and an access review that
//! names a namespace says that it does.

use anyhow::{Result, ensure};
use kube::Client;
use kube::config::AuthInfo;
use serde_json::{Value, json};

use super::cases;
use crate::support::SOON;
use crate::target::{Target, pod, reply};

cases![
    a_wrong_token_is_401_and_none_is_anonymous,
    a_role_grants_nothing_on_nodes_and_a_review_says_yes,
    a_cluster_role_counts_only_when_bound_for_the_cluster,
    the_role_of_the_old_manifest_lacks_what_removal_needs,
    readiness_is_open_to_everybody,
];

const NODES: &str = "/api/v1/nodes";
const RBAC: &str = "rbac.authorization.k8s.io";

fn account(target: &Target) -> String {
    format!("system:serviceaccount:{}:manager", target.space)
}

fn subject(target: &Target) -> Value {
    json!([{"kind": "ServiceAccount", "name": "manager", "namespace": target.space}])
}

fn reference(kind: &str, name: &str) -> Value {
    json!({"kind": kind, "name": name, "apiGroup": RBAC})
}

/// The Role that runner managers have always been given, bound.
async fn old_role(target: &Target) -> Result<()> {
    let rules = json!([
        {"apiGroups": [""], "resources": ["pods"],
            "verbs": ["get", "list", "create", "delete", "watch"]},
        {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list"]},
    ]);
    let role = json!({"metadata": {"name": "manager"}, "rules": rules});
    target
        .post(&target.group_path(RBAC, "roles"), role)
        .await?
        .is(201, "")?;
    bind(target, "manager", reference("Role", "manager")).await?;
    let pods = target.path("pods");
    allowed_soon(target, &pods).await
}

async fn bind(target: &Target, name: &str, role: Value) -> Result<()> {
    let binding = json!({"metadata": {"name": name}, "subjects": subject(target), "roleRef": role});
    let path = target.group_path(RBAC, "rolebindings");
    target.post(&path, binding).await?.is(201, "")?;
    Ok(())
}

/// A real authoriser reads roles a moment after they are written.
async fn allowed_soon(target: &Target, path: &str) -> Result<()> {
    let allowed = async {
        while target
            .call(&account(target), ("GET", path), ("", Value::Null))
            .await?
            .code
            != 200
        {
            tokio::task::yield_now().await;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(SOON, allowed).await?
}

async fn a_wrong_token_is_401_and_none_is_anonymous(target: &Target) -> Result<()> {
    let mut config = target.config.clone();
    config.auth_info = AuthInfo::default();
    let pods = target.path("pods");
    let request = || hyper::Request::get(&pods).body(kube::client::Body::empty());
    let nobody = Client::try_from(config.clone())?;
    let words = format!(
        "pods is forbidden: User \"system:anonymous\" cannot list resource \"pods\" in API group \
         \"\" in the namespace \"{}\"",
        target.space
    );
    reply(nobody.send(request()?).await?)
        .await?
        .is(403, &words)?;
    config.auth_info.token = Some("wrong".to_owned().into());
    let stranger = Client::try_from(config)?;
    reply(stranger.send(request()?).await?)
        .await?
        .is(401, "Unauthorized")?;
    Ok(())
}

async fn a_role_grants_nothing_on_nodes_and_a_review_says_yes(target: &Target) -> Result<()> {
    old_role(target).await?;
    let user = account(target);
    let refused = target
        .call(&user, ("GET", NODES), ("", Value::Null))
        .await?;
    let words = format!(
        "nodes is forbidden: User \"{user}\" cannot list resource \"nodes\" in API group \"\" at \
         the cluster scope"
    );
    refused.is(403, &words)?;
    let one = target
        .call(&user, ("GET", "/api/v1/nodes/x"), ("", Value::Null))
        .await?;
    one.is(403, "nodes \"x\" is forbidden: User")?;
    ensure!(may(target, &target.space).await?, "the trap is not there");
    ensure!(!may(target, "").await?, "a review of the cluster says no");
    Ok(())
}

/// What an access review says about listing nodes.
async fn may(target: &Target, space: &str) -> Result<bool> {
    let attributes = json!({"verb": "list", "resource": "nodes", "namespace": space});
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    });
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let reply = target
        .call(
            &account(target),
            ("POST", path),
            ("application/json", review),
        )
        .await?;
    reply.is(201, "")?;
    Ok(reply.body["status"]["allowed"] == true)
}

async fn a_cluster_role_counts_only_when_bound_for_the_cluster(target: &Target) -> Result<()> {
    old_role(target).await?;
    let name = format!("{}-nodes", target.space);
    let rules = json!([{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list"]}]);
    let role = json!({"metadata": {"name": name}, "rules": rules});
    let (roles, bindings) = (
        format!("/apis/{RBAC}/v1/clusterroles"),
        format!("/apis/{RBAC}/v1/clusterrolebindings"),
    );
    target.post(&roles, role).await?.is(201, "")?;
    bind(target, "nodes", reference("ClusterRole", &name)).await?;
    let user = account(target);
    target
        .call(&user, ("GET", NODES), ("", Value::Null))
        .await?
        .is(403, "at the cluster scope")?;
    let binding = json!({"metadata": {"name": name}, "subjects": subject(target),
        "roleRef": reference("ClusterRole", &name)});
    target.post(&bindings, binding).await?.is(201, "")?;
    let worked = allowed_soon(target, NODES).await;
    target
        .delete(&format!("{bindings}/{name}"))
        .await?
        .is(200, "")?;
    target
        .delete(&format!("{roles}/{name}"))
        .await?
        .is(200, "")?;
    worked
}

async fn the_role_of_the_old_manifest_lacks_what_removal_needs(target: &Target) -> Result<()> {
    old_role(target).await?;
    let user = account(target);
    target
        .post(&target.path("pods"), pod("a"))
        .await?
        .is(201, "")?;
    let patch = json!({"metadata": {"annotations": {"a": "b"}}});
    let body = ("application/merge-patch+json", patch);
    let path = target.path("pods/a");
    target
        .call(&user, ("PATCH", &path), body)
        .await?
        .is(403, "cannot patch resource \"pods\"")?;
    let lacking = [
        (
            "DELETE",
            target.path("pods"),
            "cannot deletecollection resource \"pods\"",
        ),
        (
            "GET",
            target.path("events"),
            "cannot list resource \"events\"",
        ),
        (
            "GET",
            target.group_path("apps", "daemonsets"),
            "cannot list resource \"daemonsets\" in API group \"apps\"",
        ),
    ];
    for (method, path, words) in lacking {
        let refused = target
            .call(&user, (method, &path), ("", Value::Null))
            .await?;
        refused.is(403, words)?;
    }
    Ok(())
}

async fn readiness_is_open_to_everybody(target: &Target) -> Result<()> {
    let mut config = target.config.clone();
    config.auth_info = AuthInfo::default();
    let nobody = Client::try_from(config)?;
    let request = hyper::Request::get("/readyz").body(kube::client::Body::empty())?;
    let reply = reply(nobody.send(request).await?).await?;
    ensure!(reply.code == 200 && reply.body == "ok", "{reply:?}");
    Ok(())
}
