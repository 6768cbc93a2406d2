//! The RBAC decision. Bindings of the cluster always count; those of a
//! namespace count only when the request names that namespace. That is why a
//! Role never grants anything on nodes, and why an access review that names a
//! namespace says yes all the same.

use serde_json::Value;

use super::User;
use crate::catalog::{CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, ROLE_BINDINGS, ROLES};
use crate::json::{list, text};
use crate::refusal::Refusal;
use crate::store::Store;

/// What somebody wants to do.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    pub(crate) verb: String,
    pub(crate) group: String,
    pub(crate) resource: String,
    pub(crate) subresource: String,
    pub(crate) space: String,
    pub(crate) name: String,
    /// For what is no resource: `/version`. Empty otherwise.
    pub(crate) path: String,
}

/// Whether a user may.
pub(crate) fn allowed(store: &Store, user: &User, asked: &Asked) -> bool {
    if user.groups.iter().any(|group| group == "system:masters") {
        return true;
    }
    let everywhere = store.list(&CLUSTER_ROLE_BINDINGS, "");
    let here = store.list(&ROLE_BINDINGS, &asked.space);
    // Without a namespace, a list of one namespace's bindings would be of all.
    let here = here.filter(|_| !asked.space.is_empty());
    everywhere.chain(here).any(|binding| {
        let binding = binding.value();
        is_bound(binding, user) && rules(store, binding).iter().any(|rule| grants(rule, asked))
    })
}

/// The refusal of somebody who may not.
pub(crate) fn denied(user: &User, asked: &Asked) -> Refusal {
    let who = &user.name;
    let verb = &asked.verb;
    if !asked.path.is_empty() {
        let message = format!(
            "forbidden: User \"{who}\" cannot {verb} path \"{}\"",
            asked.path
        );
        return Refusal::new(403, "Forbidden", message);
    }
    let resource = match asked.subresource.as_str() {
        "" => asked.resource.clone(),
        sub => format!("{}/{sub}", asked.resource),
    };
    let place = match asked.space.as_str() {
        "" => "at the cluster scope".to_owned(),
        space => format!("in the namespace \"{space}\""),
    };
    let qualified = match asked.group.as_str() {
        "" => asked.resource.clone(),
        group => format!("{}.{group}", asked.resource),
    };
    let named = match asked.name.as_str() {
        "" => String::new(),
        name => format!(" \"{name}\""),
    };
    let group = &asked.group;
    let message = format!(
        "{qualified}{named} is forbidden: User \"{who}\" cannot {verb} resource \"{resource}\" in \
         API group \"{group}\" {place}"
    );
    let mut refusal = Refusal::new(403, "Forbidden", message);
    refusal.details = serde_json::json!({"kind": asked.resource});
    refusal
}

fn is_bound(binding: &Value, user: &User) -> bool {
    list(binding, "/subjects").iter().any(|subject| {
        let word = |path| text(subject, path);
        user.is(word("/kind"), word("/namespace"), word("/name"))
    })
}

fn rules<'a>(store: &'a Store, binding: &Value) -> &'a [Value] {
    let name = text(binding, "/roleRef/name");
    let role = match text(binding, "/roleRef/kind") {
        "ClusterRole" => store.get(&CLUSTER_ROLES, "", name),
        _ => store.get(&ROLES, text(binding, "/metadata/namespace"), name),
    };
    role.map_or(&[], |role| list(role.value(), "/rules"))
}

fn grants(rule: &Value, asked: &Asked) -> bool {
    let among = |key: &str, wanted: &str| {
        let names = list(rule, key).iter().filter_map(Value::as_str);
        names.into_iter().any(|name| name == "*" || name == wanted)
    };
    if !among("/verbs", &asked.verb) {
        return false;
    }
    if !asked.path.is_empty() {
        return paths(rule).any(|path| is_path(path, &asked.path));
    }
    let resource = match asked.subresource.as_str() {
        "" => asked.resource.clone(),
        sub => format!("{}/{sub}", asked.resource),
    };
    let names = list(rule, "/resourceNames");
    let named = names.is_empty() || names.iter().any(|name| *name == asked.name.as_str());
    among("/apiGroups", &asked.group) && among("/resources", &resource) && named
}

fn paths(rule: &Value) -> impl Iterator<Item = &str> {
    let paths = list(rule, "/nonResourceURLs");
    paths.iter().filter_map(Value::as_str)
}

fn is_path(rule: &str, path: &str) -> bool {
    match rule.strip_suffix('*') {
        Some(start) => path.starts_with(start),
        None => rule == path,
    }
}
