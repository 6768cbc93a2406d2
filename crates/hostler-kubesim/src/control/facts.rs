//! What controllers decide by, read from an object once.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::json::{condition, list, moment_at, pairs, text};
use crate::quantity::thousandths;
use crate::selector::LabelSelector;

/// A pod, apart from what only the API cares about.
#[derive(Debug, Clone)]
pub(crate) struct PodFacts {
    pub(crate) space: String,
    pub(crate) name: String,
    /// The node it is bound to; empty when it has none.
    pub(crate) node: String,
    pub(crate) created: Option<DateTime<Utc>>,
    pub(crate) phase: String,
    /// When it must be gone; none while nobody deletes it.
    pub(crate) deletion: Option<DateTime<Utc>>,
    /// Seconds it was given to end.
    pub(crate) grace: i64,
    pub(crate) bound_at: Option<DateTime<Utc>>,
    pub(crate) ready: bool,
    pub(crate) unschedulable: bool,
    /// The uid of what controls it; empty for a bare pod.
    pub(crate) owner: String,
    pub(crate) is_daemon: bool,
    /// What `safe-to-evict` says.
    pub(crate) evictable: Option<bool>,
    pub(crate) revision: String,
    pub(crate) labels: Value,
    pub(crate) wants: Wants,
}

/// What a pod asks of a node. Pods with the same wants are placed alike, but
/// for other pods that want to be apart from them.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wants {
    pub(crate) space: String,
    pub(crate) node_selector: LabelSelector,
    /// Alternatives; none means any node.
    pub(crate) node_terms: Vec<NodeTerm>,
    pub(crate) tolerations: Vec<Toleration>,
    pub(crate) apart: Vec<Apart>,
    pub(crate) room: Room,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NodeTerm {
    pub(crate) labels: LabelSelector,
    /// By `matchFields`: the node's own name.
    pub(crate) name: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Toleration {
    pub(crate) key: String,
    pub(crate) exists: bool,
    pub(crate) value: String,
    pub(crate) effect: String,
    pub(crate) seconds: Option<i64>,
}

/// One term of required anti-affinity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Apart {
    pub(crate) pods: LabelSelector,
    pub(crate) spaces: Vec<String>,
    pub(crate) space_selector: Option<LabelSelector>,
    pub(crate) topology: String,
}

/// Thousandths of processor, memory and pods.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Room {
    pub(crate) cpu: i64,
    pub(crate) memory: i64,
    pub(crate) pods: i64,
}

#[derive(Debug, Clone)]
pub(crate) struct NodeFacts {
    pub(crate) name: String,
    pub(crate) labels: Value,
    pub(crate) taints: Vec<Taint>,
    pub(crate) unschedulable: bool,
    /// The Ready condition; none when it is unknown or missing.
    pub(crate) ready: Option<bool>,
    /// Its Ready condition says Unknown.
    pub(crate) silent: bool,
    pub(crate) room: Room,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taint {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) effect: String,
    pub(crate) added: Option<DateTime<Utc>>,
}

const SAFE_TO_EVICT: &str = "cluster-autoscaler.kubernetes.io/safe-to-evict";

impl PodFacts {
    pub(crate) fn read(pod: &Value) -> Self {
        let owner = list(pod, "/metadata/ownerReferences")
            .iter()
            .find(|one| one["controller"] == Value::Bool(true));
        let scheduled = condition(pod, "PodScheduled");
        Self {
            space: text(pod, "/metadata/namespace").to_owned(),
            name: text(pod, "/metadata/name").to_owned(),
            node: text(pod, "/spec/nodeName").to_owned(),
            created: moment_at(pod, "/metadata/creationTimestamp"),
            phase: text(pod, "/status/phase").to_owned(),
            deletion: moment_at(pod, "/metadata/deletionTimestamp"),
            grace: pod["metadata"]["deletionGracePeriodSeconds"]
                .as_i64()
                .unwrap_or_default(),
            bound_at: scheduled.and_then(|one| moment_at(one, "/lastTransitionTime")),
            ready: condition(pod, "Ready").is_some_and(|one| text(one, "/status") == "True"),
            unschedulable: scheduled.is_some_and(|one| text(one, "/reason") == "Unschedulable"),
            owner: owner.map_or("", |one| text(one, "/uid")).to_owned(),
            is_daemon: owner.is_some_and(|one| text(one, "/kind") == "DaemonSet"),
            evictable: pairs(pod, "/metadata/annotations")
                .find(|(key, _)| *key == SAFE_TO_EVICT)
                .map(|(_, value)| value == "true"),
            revision: label(pod, "controller-revision-hash").to_owned(),
            labels: pod["metadata"]["labels"].clone(),
            wants: Wants::read(pod),
        }
    }

    /// Done with, whatever happens: it holds no room on its node.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.phase.as_str(), "Failed" | "Succeeded")
    }
}

pub(crate) fn label<'a>(value: &'a Value, key: &str) -> &'a str {
    pairs(value, "/metadata/labels")
        .find(|(found, _)| *found == key)
        .map_or("", |(_, value)| value)
}

impl Wants {
    fn read(pod: &Value) -> Self {
        let affinity = "requiredDuringSchedulingIgnoredDuringExecution";
        let terms = format!("/spec/affinity/nodeAffinity/{affinity}/nodeSelectorTerms");
        let apart = format!("/spec/affinity/podAntiAffinity/{affinity}");
        Self {
            space: text(pod, "/metadata/namespace").to_owned(),
            node_selector: LabelSelector::of(&pod["spec"]["nodeSelector"]),
            node_terms: list(pod, &terms).iter().map(node_term).collect(),
            tolerations: list(pod, "/spec/tolerations")
                .iter()
                .map(toleration)
                .collect(),
            apart: list(pod, &apart).iter().map(apart_term).collect(),
            room: Room::asked(pod),
        }
    }
}

fn node_term(term: &Value) -> NodeTerm {
    let name = list(term, "/matchFields")
        .iter()
        .find(|one| text(one, "/key") == "metadata.name")
        .map(|one| text(one, "/values/0").to_owned());
    NodeTerm {
        labels: LabelSelector::expressions(list(term, "/matchExpressions")),
        name,
    }
}

fn toleration(one: &Value) -> Toleration {
    Toleration {
        key: text(one, "/key").to_owned(),
        exists: text(one, "/operator") == "Exists",
        value: text(one, "/value").to_owned(),
        effect: text(one, "/effect").to_owned(),
        seconds: one["tolerationSeconds"].as_i64(),
    }
}

fn apart_term(term: &Value) -> Apart {
    let spaces = list(term, "/namespaces").iter().filter_map(Value::as_str);
    Apart {
        pods: LabelSelector::read(&term["labelSelector"]).unwrap_or_default(),
        spaces: spaces.map(str::to_owned).collect(),
        space_selector: LabelSelector::read(&term["namespaceSelector"]),
        topology: text(term, "/topologyKey").to_owned(),
    }
}

impl Room {
    fn asked(pod: &Value) -> Self {
        let containers = list(pod, "/spec/containers");
        let sum = |what: &str| {
            let asked = |one: &Value| thousandths(&one["resources"]["requests"][what]);
            containers.iter().map(asked).sum()
        };
        Self {
            cpu: sum("cpu"),
            memory: sum("memory"),
            pods: 1_000,
        }
    }

    pub(crate) fn read(value: &Value) -> Self {
        Self {
            cpu: thousandths(&value["cpu"]),
            memory: thousandths(&value["memory"]),
            pods: thousandths(&value["pods"]),
        }
    }
}

impl NodeFacts {
    pub(crate) fn read(node: &Value) -> Self {
        let ready = condition(node, "Ready").map(|one| text(one, "/status"));
        Self {
            name: text(node, "/metadata/name").to_owned(),
            labels: node["metadata"]["labels"].clone(),
            taints: list(node, "/spec/taints").iter().map(taint).collect(),
            unschedulable: node["spec"]["unschedulable"] == Value::Bool(true),
            ready: match ready {
                Some("True") => Some(true),
                Some("False") => Some(false),
                _ => None,
            },
            silent: ready == Some("Unknown"),
            room: Room::read(&node["status"]["allocatable"]),
        }
    }
}

pub(crate) fn taint(one: &Value) -> Taint {
    Taint {
        key: text(one, "/key").to_owned(),
        value: text(one, "/value").to_owned(),
        effect: text(one, "/effect").to_owned(),
        added: moment_at(one, "/timeAdded"),
    }
}
