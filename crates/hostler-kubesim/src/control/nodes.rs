//! The node controller: marks nodes that are silent, taints nodes by what
//! they say, and takes the readiness of their pods away.
//!
//! When every node is unwell it is more likely its own view that is: then it
//! taints nothing that would evict.

use std::sync::Arc;

use serde_json::{Value, json};

use super::facts::NodeFacts;
use super::scene::Scene;
use crate::catalog::{NODES, PODS};
use crate::json::{condition_set, moment, take_list, text};
use crate::world::World;

const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";
const NOT_READY: &str = "node.kubernetes.io/not-ready";
const UNREACHABLE: &str = "node.kubernetes.io/unreachable";

pub(crate) fn turn(world: &mut World, scene: &Scene) {
    silence(world, scene);
    let all_unwell = scene.nodes.values().all(|node| node.ready != Some(true));
    for node in scene.nodes.values() {
        taint(world, node, all_unwell);
        if node.ready != Some(true) {
            unready_pods(world, scene, node);
        }
    }
}

/// A kubelet that has said nothing for long: nobody knows its node.
fn silence(world: &mut World, scene: &Scene) {
    let grace = world.options.timings.node_grace;
    for (name, machine) in world.memory.machines.clone() {
        let Some(died) = machine.died else {
            continue;
        };
        world.wake_at(died + grace);
        let known = scene.nodes.get(&name).is_some_and(|node| !node.silent);
        if known && world.now() >= died + grace {
            let now = world.now();
            let condition = json!({
                "type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown",
                "message": "Kubelet stopped posting node status.",
                "lastHeartbeatTime": moment(died),
            });
            world.change(&NODES, ("", &name), |node| {
                condition_set(node, condition, now);
            });
        }
    }
}

/// Taints as they should be: key and effect.
fn wanted(node: &NodeFacts, all_unwell: bool) -> Vec<(&'static str, &'static str)> {
    let mut wanted = Vec::new();
    if node.unschedulable {
        wanted.push((UNSCHEDULABLE, "NoSchedule"));
    }
    let key = if node.silent { UNREACHABLE } else { NOT_READY };
    if node.ready != Some(true) {
        wanted.push((key, "NoSchedule"));
        if !all_unwell {
            wanted.push((key, "NoExecute"));
        }
    }
    wanted
}

fn taint(world: &mut World, node: &NodeFacts, all_unwell: bool) {
    let ours = [UNSCHEDULABLE, NOT_READY, UNREACHABLE];
    let wanted = wanted(node, all_unwell);
    let is_wanted = |one: &(&str, &str)| wanted.contains(one);
    let present = node
        .taints
        .iter()
        .filter(|one| ours.contains(&one.key.as_str()));
    let present: Vec<_> = present
        .map(|one| (one.key.as_str(), one.effect.as_str()))
        .collect();
    if present.len() == wanted.len() && present.iter().all(is_wanted) {
        return;
    }
    let now = moment(world.now());
    world.change(&NODES, ("", &node.name), |node| {
        let mut all = take_list(&mut node["spec"], "taints");
        let pair = |one: &Value| {
            (
                text(one, "/key").to_owned(),
                text(one, "/effect").to_owned(),
            )
        };
        all.retain(|one| {
            let (key, effect) = pair(one);
            !ours.contains(&key.as_str()) || is_wanted(&(&key, &effect))
        });
        for (key, effect) in &wanted {
            if !all
                .iter()
                .any(|one| pair(one) == ((*key).to_owned(), (*effect).to_owned()))
            {
                all.push(json!({"key": key, "effect": effect, "timeAdded": now}));
            }
        }
        node["spec"]["taints"] = Value::Array(all);
    });
}

fn unready_pods(world: &mut World, scene: &Scene, node: &Arc<NodeFacts>) {
    let now = world.now();
    for pod in scene.on(&node.name).filter(|pod| pod.ready) {
        let condition = json!({"type": "Ready", "status": "False", "reason": "NodeNotReady"});
        world.change(&PODS, (&pod.space, &pod.name), |pod| {
            condition_set(pod, condition, now);
        });
    }
}
