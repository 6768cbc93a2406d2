//! `DaemonSets`: one pod on each node that they mean and whose taints they
//! bear. A changed template replaces the pods one node at a time.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::facts::{NodeFacts, PodFacts};
use super::scene::Scene;
use super::scheduler::{Seat, suits};
use crate::catalog::{DAEMON_SETS, PODS};
use crate::json::{list, map, text};
use crate::store::Object;
use crate::world::World;

/// Taints that every pod of a `DaemonSet` bears.
const BORNE: [(&str, &str); 6] = [
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
];

pub(crate) fn turn(world: &mut World, scene: &Scene) {
    let sets: Vec<Arc<Object>> = world.store.list(&DAEMON_SETS, "").map(Arc::clone).collect();
    for set in &sets {
        one(world, scene, set);
    }
    let is_owned = |pod: &&Arc<PodFacts>| {
        sets.iter()
            .any(|set| text(set.value(), "/metadata/uid") == pod.owner)
    };
    for pod in scene
        .pods
        .iter()
        .filter(|pod| pod.is_daemon && pod.deletion.is_none())
    {
        if !is_owned(&pod) {
            world.pod_delete(&pod.space, &pod.name, 30);
        }
    }
}

fn one(world: &mut World, scene: &Scene, set: &Arc<Object>) {
    let uid = text(set.value(), "/metadata/uid");
    let mut pods: BTreeMap<&str, Vec<&Arc<PodFacts>>> = BTreeMap::new();
    for pod in scene.pods.iter().filter(|pod| pod.owner == uid) {
        pods.entry(place(pod)).or_default().push(pod);
    }
    let template = template(set.value());
    let like = Object::new(template.clone(), 0);
    let meant = |node: &&Arc<NodeFacts>| suits(&like.pod().wants, &Seat::empty(node));
    let nodes: Vec<_> = scene.nodes.values().filter(meant).collect();
    for node in &nodes {
        let here = pods.get(node.name.as_str()).map_or(&[][..], Vec::as_slice);
        if here.iter().all(|pod| pod.is_over()) {
            create(world, set.value(), &template, &node.name);
        }
    }
    remove_strays(world, scene, &nodes, &pods);
    roll(
        world,
        &pods,
        text(&template, "/metadata/labels/controller-revision-hash"),
    );
    status(world, set, nodes.len(), &pods);
}

/// The node that a pod is on, or is meant for.
fn place(pod: &PodFacts) -> &str {
    let meant = pod
        .wants
        .node_terms
        .first()
        .and_then(|term| term.name.as_deref());
    if pod.node.is_empty() {
        meant.unwrap_or_default()
    } else {
        &pod.node
    }
}

/// What the pods look like, apart from name and node.
fn template(set: &Value) -> Value {
    let mut pod = set["spec"]["template"].clone();
    let revision = revision(&set["spec"]["template"]);
    let name = text(set, "/metadata/name");
    let meta = map(&mut pod, "metadata");
    map(meta, "labels")["controller-revision-hash"] = json!(revision);
    meta["namespace"] = set["metadata"]["namespace"].clone();
    meta["generateName"] = json!(format!("{name}-"));
    meta["ownerReferences"] = json!([{
        "apiVersion": "apps/v1", "kind": "DaemonSet", "name": name,
        "uid": set["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
    }]);
    let spec = map(&mut pod, "spec");
    let mut tolerations = list(spec, "/tolerations").to_vec();
    let bear =
        |(key, effect): &(&str, &str)| json!({"key": key, "operator": "Exists", "effect": effect});
    tolerations.extend(BORNE.iter().map(bear));
    spec["tolerations"] = Value::Array(tolerations);
    pod
}

/// A short word that changes with the template.
fn revision(template: &Value) -> String {
    let start = 0xcbf2_9ce4_8422_2325_u64;
    let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{:010x}", template.to_string().bytes().fold(start, fold))
}

fn create(world: &mut World, set: &Value, template: &Value, node: &str) {
    let mut pod = template.clone();
    let name = format!("{}-{}", text(set, "/metadata/name"), world.suffix());
    pod["metadata"]["name"] = json!(name);
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    let fields = json!([{"key": "metadata.name", "operator": "In", "values": [node]}]);
    let terms = json!({"nodeSelectorTerms": [{"matchFields": fields}]});
    pod["spec"]["affinity"]["nodeAffinity"] = json!({required: terms});
    world.create(&PODS, pod);
}

fn remove_strays(
    world: &mut World,
    scene: &Scene,
    nodes: &[&Arc<NodeFacts>],
    pods: &BTreeMap<&str, Vec<&Arc<PodFacts>>>,
) {
    for (place, here) in pods {
        let meant = nodes.iter().any(|node| node.name == *place);
        // Those of a node that is gone are the garbage collector's.
        let there = scene.nodes.contains_key(*place);
        let kept = usize::from(meant);
        let alive = here.iter().copied().filter(|pod| pod.deletion.is_none());
        let (over, good): (Vec<&Arc<PodFacts>>, Vec<&Arc<PodFacts>>) =
            alive.partition(|pod| pod.is_over());
        let surplus = good.into_iter().skip(kept).filter(|_| there);
        for pod in over.into_iter().chain(surplus) {
            world.pod_delete(&pod.space, &pod.name, 30);
        }
    }
}

/// Deletes one pod of an older template, when all others are up.
fn roll(world: &mut World, pods: &BTreeMap<&str, Vec<&Arc<PodFacts>>>, revision: &str) {
    let mut all = pods.values().flatten();
    if !all.clone().all(|pod| pod.ready && pod.deletion.is_none()) {
        return;
    }
    if let Some(old) = all.find(|pod| pod.revision != revision) {
        world.pod_delete(&old.space, &old.name, 30);
    }
}

fn status(
    world: &mut World,
    set: &Arc<Object>,
    wanted: usize,
    pods: &BTreeMap<&str, Vec<&Arc<PodFacts>>>,
) {
    let there = pods.values().filter(|here| !here.is_empty()).count();
    let ready = pods.values().flatten().filter(|pod| pod.ready).count();
    let status = json!({
        "desiredNumberScheduled": wanted, "currentNumberScheduled": there, "numberReady": ready,
        "numberAvailable": ready, "numberUnavailable": wanted.saturating_sub(ready),
        "numberMisscheduled": 0, "observedGeneration": set.value()["metadata"]["generation"],
    });
    let (space, name) = set.key();
    world.change(&DAEMON_SETS, (&space, &name), |set| set["status"] = status);
}
