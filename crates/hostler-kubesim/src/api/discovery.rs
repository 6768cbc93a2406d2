//! Pages that are no resource: health, version, and what there is.

use serde_json::{Value, json};

use super::answer::Answer;
use super::call::Call;
use crate::catalog::{ALL, Resource};
use crate::refusal::Refusal;

/// What a client sees as the server's version.
const MINOR: &str = "33";

pub(crate) fn page(call: &Call) -> Result<Answer, Refusal> {
    let path = call.info.asked.path.as_str();
    if path.starts_with("/readyz") || path.starts_with("/livez") || path == "/healthz" {
        return Ok(Answer::text("ok"));
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let body = match parts.as_slice() {
        ["version"] => version(),
        ["api"] => json!({"kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": []}),
        ["apis"] => json!({"kind": "APIGroupList", "apiVersion": "v1",
            "groups": groups().into_iter().map(group).collect::<Vec<_>>()}),
        ["apis", name] if groups().contains(name) => {
            let mut found = group(name);
            found["kind"] = json!("APIGroup");
            found["apiVersion"] = json!("v1");
            found
        }
        ["api", "v1"] => resources("", "v1"),
        ["apis", name, "v1"] if groups().contains(name) => resources(name, &format!("{name}/v1")),
        _ => return Err(Refusal::no_such_page()),
    };
    Ok(Answer::json(200, &body))
}

fn version() -> Value {
    json!({
        "major": "1", "minor": MINOR, "gitVersion": format!("v1.{MINOR}.0"), "gitCommit": "",
        "gitTreeState": "clean", "buildDate": "2026-01-01T00:00:00Z", "goVersion": "none",
        "compiler": "none", "platform": "linux/amd64",
    })
}

fn groups() -> Vec<&'static str> {
    let mut groups: Vec<&str> = ALL.iter().map(|one| one.group).collect();
    groups.retain(|group| !group.is_empty());
    groups.dedup();
    groups
}

fn group(name: &str) -> Value {
    let version = json!({"groupVersion": format!("{name}/v1"), "version": "v1"});
    json!({"name": name, "versions": [version], "preferredVersion": version})
}

fn resources(group: &str, version: &str) -> Value {
    let of_group = ALL.iter().filter(|one| one.group == group);
    let all: Vec<Value> = of_group.flat_map(|one| described(one)).collect();
    json!({
        "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": all,
    })
}

fn described(resource: &Resource) -> Vec<Value> {
    let verbs = match resource.plural {
        "selfsubjectaccessreviews" => json!(["create"]),
        _ => json!([
            "create",
            "delete",
            "deletecollection",
            "get",
            "list",
            "patch",
            "update",
            "watch"
        ]),
    };
    let whole = json!({
        "name": resource.plural, "singularName": resource.singular(), "kind": resource.kind,
        "namespaced": resource.namespaced, "verbs": verbs, "shortNames": resource.short,
    });
    let sub = resource.subresources.iter().map(|sub| {
        let (kind, group, verbs) = match *sub {
            "binding" => ("Binding", "", json!(["create"])),
            "eviction" => ("Eviction", "policy", json!(["create"])),
            _ => (
                resource.kind,
                resource.group,
                json!(["get", "patch", "update"]),
            ),
        };
        json!({
            "name": format!("{}/{sub}", resource.plural), "singularName": "", "kind": kind,
            "group": group, "version": "v1", "namespaced": resource.namespaced, "verbs": verbs,
        })
    });
    std::iter::once(whole).chain(sub).collect()
}
