//! The placeholder pod of a runner: it does nothing but be there. It asks for
//! a node of its pool that has no other placeholder, from whatever manager,
//! and stays on it until it is released, whatever becomes of the node.

use hostler_core::Timestamp;
use hostler_core::runner::{RunnerPool, Taint};
use hostler_runners::provider::Order;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff;
use serde_json::{Value, json};

use super::names;
use crate::settings::Settings;

/// The pod that this order asks for.
pub fn placeholder(settings: &Settings, order: &Order) -> Result<Pod, serde_json::Error> {
    let mut spec = json!({
        "restartPolicy": "Always",
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "terminationGracePeriodSeconds": 1,
        "nodeSelector": order.pool.selector,
        "tolerations": tolerations(&order.pool.taints),
        "affinity": affinity(order),
        "securityContext": {
            "runAsNonRoot": true, "runAsUser": 65_535, "runAsGroup": 65_535,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container(&settings.image)],
    });
    if let Some(class) = &settings.priority_class {
        spec["priorityClassName"] = json!(class);
    }
    serde_json::from_value(json!({"metadata": metadata(settings, order), "spec": spec}))
}

fn metadata(settings: &Settings, order: &Order) -> Value {
    let mark = &order.mark;
    json!({
        "name": order.id.as_str(),
        "namespace": settings.namespace,
        "labels": {
            names::APP.0: names::APP.1,
            names::MANAGER: settings.manager,
            names::JOB: mark.job.to_string(),
            names::INDEX: mark.index.to_string(),
            names::POOL: order.pool.name.as_str(),
        },
        "annotations": {
            names::SAFE_TO_EVICT: "false",
            names::DO_NOT_DISRUPT: "true",
            names::REQUESTED: written(mark.requested_at),
            names::DEADLINE: written(mark.deadline),
        },
    })
}

/// A moment as people read it (RFC 3339).
pub(crate) fn written(at: Timestamp) -> String {
    let moment = jiff::Timestamp::from_millisecond(at.ms());
    moment.unwrap_or(jiff::Timestamp::MAX).to_string()
}

/// What keeps it waiting for a node costs nothing; what would take it off its
/// node when that fails for five minutes costs a runner.
fn tolerations(taints: &[Taint]) -> Value {
    let own = taints.iter().map(|taint| {
        json!({"key": taint.key, "operator": "Equal", "value": taint.value, "effect": taint.effect})
    });
    let lasting = [
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
    ]
    .map(|key| json!({"key": key, "operator": "Exists", "effect": "NoExecute"}));
    own.chain(lasting).collect()
}

fn affinity(order: &Order) -> Value {
    let apart = json!({
        "labelSelector": {"matchExpressions": [
            {"key": names::APP.0, "operator": "In", "values": [names::APP.1]},
        ]},
        // Empty means all: another manager's placeholder keeps it away too.
        "namespaceSelector": {},
        "topologyKey": names::HOSTNAME,
    });
    let mut affinity = json!({
        "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [apart]},
    });
    if let Some(term) = node_term(order) {
        affinity["nodeAffinity"] = json!({
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]},
        });
    }
    affinity
}

/// What the pool wishes of its nodes beyond its labels, and the one node of an
/// adoption.
fn node_term(order: &Order) -> Option<Value> {
    let RunnerPool {
        instance_types,
        zones,
        arch,
        ..
    } = order.pool.as_ref();
    let arch: Vec<String> = arch.iter().map(|arch| arch.as_str().to_owned()).collect();
    let wishes = [
        ("node.kubernetes.io/instance-type", instance_types),
        ("topology.kubernetes.io/zone", zones),
        ("kubernetes.io/arch", &arch),
    ];
    let one_of =
        |key: &str, values: &Value| json!({"key": key, "operator": "In", "values": values});
    let named = wishes.iter().filter(|(_, values)| !values.is_empty());
    let labels: Vec<Value> = named
        .map(|(key, values)| one_of(key, &json!(values)))
        .collect();
    let fields: Vec<Value> = (order.machine.iter())
        .map(|machine| one_of("metadata.name", &json!([machine])))
        .collect();
    let term = json!({"matchExpressions": labels, "matchFields": fields});
    (!labels.is_empty() || !fields.is_empty()).then_some(term)
}

/// Passes the Pod Security Standard "restricted".
fn container(image: &str) -> Value {
    json!({
        "name": "pause",
        "image": image,
        "resources": {
            "requests": {"cpu": "10m", "memory": "50Mi"},
            "limits": {"memory": "50Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": {"drop": ["ALL"]},
        },
    })
}
