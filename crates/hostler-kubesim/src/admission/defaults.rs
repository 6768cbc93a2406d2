//! What bodies leave unsaid: defaults of pods, nodes and namespaces.

use serde_json::{Value, json};

use crate::catalog::{ACCOUNTS, PRIORITIES, Resource};
use crate::json::{list, map, take_list, text};
use crate::world::World;

/// Fills in what is missing.
pub(crate) fn fill(world: &mut World, resource: &Resource, value: &mut Value) {
    match resource.plural {
        "pods" => pod(world, value),
        "namespaces" => namespace(world, value),
        "nodes" => node(value),
        "daemonsets" => daemon_set(value),
        _ => {}
    }
}

fn unless_said(spec: &mut Value, defaults: Value) {
    let Value::Object(defaults) = defaults else {
        return;
    };
    for (key, value) in defaults {
        if spec[&key].is_null() {
            spec[key] = value;
        }
    }
}

fn pod(world: &World, pod: &mut Value) {
    let quality = quality(pod);
    let priority = world
        .store
        .get(&PRIORITIES, "", text(pod, "/spec/priorityClassName"))
        .map_or(json!(0), |class| class.value()["value"].clone());
    let spec = map(pod, "spec");
    let defaults = json!({
        "restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "securityContext": {},
        "schedulerName": "default-scheduler", "terminationGracePeriodSeconds": 30,
        "serviceAccountName": "default", "enableServiceLinks": true, "priority": priority,
        "preemptionPolicy": "PreemptLowerPriority",
    });
    unless_said(spec, defaults);
    tolerations(spec);
    let status = map(pod, "status");
    unless_said(status, json!({"phase": "Pending", "qosClass": quality}));
}

/// Nodes that are not ready or not reachable are borne for five minutes,
/// unless the pod says something about them.
fn tolerations(spec: &mut Value) {
    let mut all = take_list(spec, "tolerations");
    for key in [
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
    ] {
        let bears = |one: &Value| {
            let key_fits = [key, ""].contains(&text(one, "/key"));
            key_fits && ["NoExecute", ""].contains(&text(one, "/effect"))
        };
        if !all.iter().any(bears) {
            all.push(json!({
                "key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300,
            }));
        }
    }
    spec["tolerations"] = Value::Array(all);
}

fn quality(pod: &Value) -> &'static str {
    let containers = list(pod, "/spec/containers");
    let said = |one: &Value, what: &str| {
        one.pointer(&format!("/resources/{what}"))
            .and_then(Value::as_object)
            .is_some_and(|map| !map.is_empty())
    };
    let none = |one: &Value| !said(one, "requests") && !said(one, "limits");
    let full = |one: &Value| {
        said(one, "limits")
            && one["resources"]["limits"].get("memory").is_some()
            && (!said(one, "requests")
                || one["resources"]["requests"] == one["resources"]["limits"])
    };
    if containers.iter().all(none) {
        "BestEffort"
    } else if containers.iter().all(full) {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

/// A namespace begins with its default account.
fn namespace(world: &mut World, space: &mut Value) {
    let name = text(space, "/metadata/name").to_owned();
    let labels = map(map(space, "metadata"), "labels");
    labels["kubernetes.io/metadata.name"] = json!(name);
    space["spec"] = json!({"finalizers": ["kubernetes"]});
    space["status"] = json!({"phase": "Active"});
    let account = json!({"metadata": {"name": "default", "namespace": name}});
    if world.store.get(&ACCOUNTS, &name, "default").is_none() {
        world.create(&ACCOUNTS, account);
    }
}

fn node(node: &mut Value) {
    let name = text(node, "/metadata/name").to_owned();
    let labels = map(map(node, "metadata"), "labels");
    unless_said(labels, json!({"kubernetes.io/hostname": name}));
    map(node, "spec");
    map(node, "status");
}

fn daemon_set(set: &mut Value) {
    let update = json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}});
    unless_said(map(set, "spec"), json!({"updateStrategy": update}));
}
