//! What `kubectl get` prints of each resource.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::catalog::Resource;
use crate::json::{condition, list, moment_at, pairs, text};

type Cell = fn(&Value, DateTime<Utc>) -> String;

/// One column; those of priority 1 are only in wide output.
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) priority: u8,
    pub(crate) cell: Cell,
}

const fn column(name: &'static str, cell: Cell) -> Column {
    Column {
        name,
        priority: 0,
        cell,
    }
}

const fn wide(name: &'static str, cell: Cell) -> Column {
    Column {
        name,
        priority: 1,
        cell,
    }
}

const NAME: Column = column("Name", |one, _| text(one, "/metadata/name").to_owned());
const AGE: Column = column("Age", |one, now| {
    age(moment_at(one, "/metadata/creationTimestamp"), now)
});

static PODS: [Column; 7] = [
    NAME,
    column("Ready", |pod, _| pod_ready(pod)),
    column("Status", |pod, _| pod_status(pod)),
    column("Restarts", |pod, _| restarts(pod).to_string()),
    AGE,
    wide("IP", |pod, _| or_none(text(pod, "/status/podIP"))),
    wide("Node", |pod, _| or_none(text(pod, "/spec/nodeName"))),
];
static NODES: [Column; 6] = [
    NAME,
    column("Status", |node, _| node_status(node)),
    column("Roles", |node, _| roles(node)),
    AGE,
    column("Version", |node, _| {
        text(node, "/status/nodeInfo/kubeletVersion").to_owned()
    }),
    wide("Internal-IP", |node, _| internal_ip(node)),
];
static EVENTS: [Column; 5] = [
    column("Last Seen", |event, now| {
        age(moment_at(event, "/lastTimestamp"), now)
    }),
    column("Type", |event, _| text(event, "/type").to_owned()),
    column("Reason", |event, _| text(event, "/reason").to_owned()),
    column("Object", |event, _| about(event)),
    column("Message", |event, _| text(event, "/message").to_owned()),
];
static NAMESPACES: [Column; 3] = [
    NAME,
    column("Status", |one, _| text(one, "/status/phase").to_owned()),
    AGE,
];
static OTHERS: [Column; 2] = [NAME, AGE];

pub(crate) fn of(resource: &Resource) -> &'static [Column] {
    match resource.plural {
        "pods" => &PODS,
        "nodes" => &NODES,
        "events" => &EVENTS,
        "namespaces" => &NAMESPACES,
        _ => &OTHERS,
    }
}

fn or_none(text: &str) -> String {
    if text.is_empty() { "<none>" } else { text }.to_owned()
}

fn age(since: Option<DateTime<Utc>>, now: DateTime<Utc>) -> String {
    let Some(since) = since else {
        return "<unknown>".to_owned();
    };
    let seconds = (now - since).num_seconds().max(0);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

fn pod_ready(pod: &Value) -> String {
    let states = list(pod, "/status/containerStatuses");
    let ready = states
        .iter()
        .filter(|one| one["ready"] == Value::Bool(true));
    format!("{}/{}", ready.count(), list(pod, "/spec/containers").len())
}

fn pod_status(pod: &Value) -> String {
    if !text(pod, "/metadata/deletionTimestamp").is_empty() {
        return "Terminating".to_owned();
    }
    let waits = list(pod, "/status/containerStatuses")
        .iter()
        .map(|one| text(one, "/state/waiting/reason"))
        .find(|reason| !reason.is_empty());
    waits
        .unwrap_or_else(|| text(pod, "/status/phase"))
        .to_owned()
}

fn restarts(pod: &Value) -> u64 {
    let states = list(pod, "/status/containerStatuses").iter();
    states.filter_map(|one| one["restartCount"].as_u64()).sum()
}

fn node_status(node: &Value) -> String {
    let ready = condition(node, "Ready").map_or("", |one| text(one, "/status"));
    let word = match ready {
        "True" => "Ready",
        "False" | "Unknown" => "NotReady",
        _ => "Unknown",
    };
    if node["spec"]["unschedulable"] == Value::Bool(true) {
        return format!("{word},SchedulingDisabled");
    }
    word.to_owned()
}

fn roles(node: &Value) -> String {
    let prefix = "node-role.kubernetes.io/";
    let roles: Vec<&str> = pairs(node, "/metadata/labels")
        .filter_map(|(key, _)| key.strip_prefix(prefix))
        .collect();
    or_none(&roles.join(","))
}

fn internal_ip(node: &Value) -> String {
    let addresses = list(node, "/status/addresses");
    let internal = addresses
        .iter()
        .find(|one| text(one, "/type") == "InternalIP");
    or_none(internal.map_or("", |one| text(one, "/address")))
}

fn about(event: &Value) -> String {
    let kind = text(event, "/involvedObject/kind").to_lowercase();
    format!("{kind}/{}", text(event, "/involvedObject/name"))
}
