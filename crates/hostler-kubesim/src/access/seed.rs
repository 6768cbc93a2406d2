//! The roles that every cluster has from the start: what anybody may see, and
//! the role of those who may do everything.

use serde_json::{Value, json};

use crate::catalog::{CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES};
use crate::world::World;

/// Writes them.
pub(crate) fn seed(world: &mut World) {
    let everybody = ["system:authenticated", "system:unauthenticated"];
    let open = [
        "/healthz",
        "/livez",
        "/livez/*",
        "/readyz",
        "/readyz/*",
        "/version",
        "/version/",
    ];
    role(
        world,
        "system:public-info-viewer",
        &everybody,
        &paths(&open),
    );
    let discovery = [
        "/api",
        "/api/*",
        "/apis",
        "/apis/*",
        "/openapi",
        "/openapi/*",
    ];
    role(
        world,
        "system:discovery",
        &everybody[..1],
        &paths(&discovery),
    );
    let reviews = json!([{
        "apiGroups": ["authorization.k8s.io"], "verbs": ["create"],
        "resources": ["selfsubjectaccessreviews"],
    }]);
    role(world, "system:basic-user", &everybody[..1], &reviews);
    let all = json!([
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
        {"nonResourceURLs": ["*"], "verbs": ["*"]},
    ]);
    role(world, "cluster-admin", &["system:masters"], &all);
}

fn paths(paths: &[&str]) -> Value {
    json!([{"nonResourceURLs": paths, "verbs": ["get"]}])
}

fn role(world: &mut World, name: &str, groups: &[&str], rules: &Value) {
    let api = "rbac.authorization.k8s.io";
    let subject = |group: &&str| json!({"kind": "Group", "name": group, "apiGroup": api});
    let subjects: Vec<Value> = groups.iter().map(subject).collect();
    world.create(
        &CLUSTER_ROLES,
        json!({"metadata": {"name": name}, "rules": rules}),
    );
    let reference = json!({"kind": "ClusterRole", "name": name, "apiGroup": api});
    world.create(
        &CLUSTER_ROLE_BINDINGS,
        json!({"metadata": {"name": name}, "subjects": subjects, "roleRef": reference}),
    );
}
