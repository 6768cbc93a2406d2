//! Kubelets: run what is bound to their machine, and end what is deleted. A
//! kubelet whose machine is dead, or whose Node is gone, says nothing.

use std::sync::Arc;

use serde_json::{Value, json};

use super::facts::PodFacts;
use super::scene::Scene;
use crate::catalog::{NODES, PODS};
use crate::fault::Broken;
use crate::json::{condition_set, list, map, moment, text};
use crate::record::{self, Said};
use crate::world::World;

pub(crate) fn turn(world: &mut World, scene: &Scene) {
    for pod in &scene.pods {
        let machine = world.memory.machines.get(&pod.node);
        let alive = machine.is_some_and(|machine| machine.died.is_none());
        let Some(node) = scene.nodes.get(&pod.node).filter(|_| alive) else {
            continue;
        };
        match pod.deletion {
            Some(_) => end(world, pod),
            None if pod.is_over() => {}
            None => run(world, pod, node.ready == Some(true)),
        }
    }
}

fn end(world: &mut World, pod: &PodFacts) {
    let Some(last) = pod.deletion else {
        return;
    };
    let grace = std::time::Duration::from_secs(pod.grace.try_into().unwrap_or_default());
    let at = last - grace + world.options.timings.pod_stop.min(grace);
    if world.now() >= at {
        world.store.remove(&PODS, &pod.space, &pod.name);
    } else {
        world.wake_at(at);
    }
}

fn run(world: &mut World, pod: &Arc<PodFacts>, node_ready: bool) {
    let at = pod.bound_at.unwrap_or(world.now()) + world.options.timings.pod_start;
    if world.now() < at {
        world.wake_at(at);
        return;
    }
    let wanted = wanted(world, pod, node_ready);
    if world.memory.broken.is_empty() && wanted == present(pod) {
        return;
    }
    write(world, pod, wanted);
}

/// How a pod is to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Looks {
    Ready,
    Unready,
    Waiting(Broken),
}

fn wanted(world: &World, pod: &PodFacts, node_ready: bool) -> Looks {
    let fits = |selector: &String| {
        selector
            .split_once('=')
            .is_some_and(|(key, value)| pod.labels[key] == value)
    };
    let mut broken = world.memory.broken.iter();
    match broken.find(|(selector, _)| fits(selector)) {
        // An image that was pulled is there.
        Some((_, Broken::ImagePull)) if pod.phase == "Running" => {}
        Some((_, broken)) => return Looks::Waiting(*broken),
        None => {}
    }
    if node_ready {
        Looks::Ready
    } else {
        Looks::Unready
    }
}

fn present(pod: &PodFacts) -> Looks {
    match (pod.phase.as_str(), pod.ready) {
        ("Running", true) => Looks::Ready,
        ("Running", false) => Looks::Unready,
        _ => Looks::Waiting(Broken::ImagePull),
    }
}

fn write(world: &mut World, pod: &PodFacts, looks: Looks) {
    let now = world.now();
    let address = address(world, &pod.node);
    let key = (pod.space.as_str(), pod.name.as_str());
    let index = pod.bound_at.map_or(0, |at| at.timestamp() % 250);
    world.change(&PODS, key, |pod| {
        let ready = if looks == Looks::Ready {
            "True"
        } else {
            "False"
        };
        let containers = containers(pod, looks, &moment(now));
        let status = map(pod, "status");
        status["phase"] = match looks {
            Looks::Waiting(Broken::ImagePull) => json!("Pending"),
            _ => json!("Running"),
        };
        status["hostIP"] = json!(address);
        status["hostIPs"] = json!([{"ip": address}]);
        status["podIP"] = json!(format!("10.200.0.{}", index + 1));
        if status["startTime"].is_null() {
            status["startTime"] = moment(now);
        }
        status["containerStatuses"] = containers;
        for (kind, status) in [
            ("Initialized", "True"),
            ("ContainersReady", ready),
            ("Ready", ready),
        ] {
            condition_set(pod, json!({"type": kind, "status": status}), now);
        }
    });
    if let Looks::Waiting(broken) = looks {
        complain(world, pod, broken);
    }
}

fn address(world: &World, node: &str) -> String {
    let node = world.store.get(&NODES, "", node);
    let addresses = node.map_or(&[][..], |node| list(node.value(), "/status/addresses"));
    let internal = addresses
        .iter()
        .find(|one| text(one, "/type") == "InternalIP");
    internal.map_or("", |one| text(one, "/address")).to_owned()
}

fn containers(pod: &Value, looks: Looks, now: &Value) -> Value {
    let before = list(pod, "/status/containerStatuses");
    let state = |index: usize, image: &str| match looks {
        Looks::Waiting(Broken::ImagePull) => json!({"waiting": {
            "reason": "ImagePullBackOff", "message": format!("Back-off pulling image \"{image}\""),
        }}),
        Looks::Waiting(Broken::CrashLoop) => json!({"waiting": {
            "reason": "CrashLoopBackOff", "message": "back-off 10s restarting failed container",
        }}),
        _ => match before.get(index).map(|one| &one["state"]["running"]) {
            Some(running) if running.is_object() => json!({"running": running}),
            _ => json!({"running": {"startedAt": now}}),
        },
    };
    let status = |(index, one): (usize, &Value)| {
        let was = before.get(index);
        let restarts = was
            .and_then(|one| one["restartCount"].as_u64())
            .unwrap_or_default();
        let crashes = looks == Looks::Waiting(Broken::CrashLoop);
        let image = text(one, "/image");
        json!({
            "name": one["name"], "image": image, "imageID": "",
            "ready": !matches!(looks, Looks::Waiting(_)),
            "started": !matches!(looks, Looks::Waiting(_)),
            "restartCount": if crashes { restarts.max(1) } else { restarts },
            "state": state(index, image),
            "lastState": if restarts > 0 || crashes {
                json!({"terminated": {"exitCode": 1, "reason": "Error"}})
            } else {
                json!({})
            },
        })
    };
    list(pod, "/spec/containers")
        .iter()
        .enumerate()
        .map(status)
        .collect()
}

fn complain(world: &mut World, pod: &PodFacts, broken: Broken) {
    let message = match broken {
        Broken::ImagePull => "Error: ImagePullBackOff",
        Broken::CrashLoop => "Back-off restarting failed container",
    };
    let said = Said {
        by: "kubelet",
        reason: match broken {
            Broken::ImagePull => "Failed",
            Broken::CrashLoop => "BackOff",
        },
        message: message.to_owned(),
        warning: true,
    };
    if let Some(found) = world.store.get(&PODS, &pod.space, &pod.name) {
        let about = Arc::clone(found);
        record::event(world, about.value(), &said);
    }
}
