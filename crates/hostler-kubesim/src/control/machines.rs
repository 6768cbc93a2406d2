//! Machines: what is behind a Node object, and goes on without it. A machine
//! boots, its kubelet writes the Node, and says that it is ready; a machine
//! that dies says nothing any more.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::catalog::NODES;
use crate::json::{condition, condition_set, text};
use crate::options::Pool;
use crate::world::World;

#[derive(Debug, Clone)]
pub(crate) struct Machine {
    pub(crate) pool: String,
    pub(crate) asked: DateTime<Utc>,
    /// When the Node object appears; none: never.
    pub(crate) boots: Option<DateTime<Utc>>,
    /// When it is Ready; none: never.
    pub(crate) ready: Option<DateTime<Utc>>,
    /// Its Node object was written once, and is not written again.
    pub(crate) registered: bool,
    pub(crate) died: Option<DateTime<Utc>>,
    /// Its kubelet says that it is not ready.
    pub(crate) ailing: bool,
    address: String,
}

/// Machines that pools have from the start are Ready from the start.
pub(crate) fn begin(world: &mut World) {
    for pool in world.options.pools.clone() {
        let at_once = Pool {
            boot: Some(std::time::Duration::ZERO),
            ready: Some(std::time::Duration::ZERO),
            ..pool
        };
        for _ in 0..at_once.min {
            ask(world, &at_once);
        }
    }
}

/// Asks a pool's cloud for one more machine.
pub(crate) fn ask(world: &mut World, pool: &Pool) -> String {
    world.memory.made += 1;
    let number = world.memory.made;
    let now = world.now();
    let boots = pool.boot.map(|span| now + span);
    let machine = Machine {
        pool: pool.name.clone(),
        asked: now,
        boots,
        ready: boots.and_then(|at| Some(at + pool.ready?)),
        registered: false,
        died: None,
        ailing: false,
        address: format!("10.{}.{}.{}", number >> 16, number >> 8 & 255, number & 255),
    };
    let name = format!("{}-{number}", pool.name);
    world.memory.machines.insert(name.clone(), machine);
    name
}

/// Takes a machine away, with its Node.
pub(crate) fn give_back(world: &mut World, name: &str) {
    world.memory.machines.remove(name);
    world.store.remove(&NODES, "", name);
}

pub(crate) fn turn(world: &mut World) {
    for (name, machine) in world.memory.machines.clone() {
        for due in [machine.boots, machine.ready].into_iter().flatten() {
            world.wake_at(due);
        }
        if machine.died.is_some() {
            continue;
        }
        let now = world.now();
        if !machine.registered && machine.boots.is_some_and(|at| at <= now) {
            register(world, &name, &machine);
        }
        let ready = machine.ready.is_some_and(|at| at <= now) && !machine.ailing;
        say_ready(world, &name, ready);
    }
}

fn register(world: &mut World, name: &str, machine: &Machine) {
    let pools = &world.options.pools;
    let Some(pool) = pools.iter().find(|pool| pool.name == machine.pool) else {
        return;
    };
    let node = node(name, pool, &machine.address);
    world.create(&NODES, node);
    if let Some(machine) = world.memory.machines.get_mut(name) {
        machine.registered = true;
    }
}

/// What the Node of a pool's machine looks like.
pub(crate) fn node(name: &str, pool: &Pool, address: &str) -> Value {
    let labels: serde_json::Map<String, Value> = pool
        .labels
        .iter()
        .map(|(key, value)| (key.clone(), json!(value)))
        .collect();
    let (cpu, memory, pods) = &pool.machine;
    let room = json!({"cpu": cpu, "memory": memory, "pods": pods});
    let mut node = json!({
        "metadata": {"name": name, "labels": labels},
        "spec": {"taints": pool.taints(), "providerID": format!("sim:///{name}")},
        "status": {
            "addresses": [
                {"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name},
            ],
            "capacity": room, "allocatable": room,
            "nodeInfo": {"kubeletVersion": "v1.33.0", "operatingSystem": "linux",
                "architecture": "amd64", "osImage": "", "kernelVersion": "", "machineID": "",
                "systemUUID": "", "bootID": "", "containerRuntimeVersion": "",
                "kubeProxyVersion": ""},
        },
    });
    node["metadata"]["labels"]["kubernetes.io/hostname"] = json!(name);
    node["metadata"]["labels"]["kubernetes.io/os"] = json!("linux");
    node
}

fn say_ready(world: &mut World, name: &str, ready: bool) {
    let (status, reason, message) = if ready {
        ("True", "KubeletReady", "kubelet is posting ready status")
    } else {
        (
            "False",
            "KubeletNotReady",
            "container runtime network not ready",
        )
    };
    let now = world.now();
    let said = world.store.get(&NODES, "", name).map(|node| {
        condition(node.value(), "Ready")
            .map_or("", |one| text(one, "/status"))
            .to_owned()
    });
    if said.is_none_or(|said| said == status) {
        return;
    }
    let condition = json!({
        "type": "Ready", "status": status, "reason": reason, "message": message,
        "lastHeartbeatTime": crate::json::moment(now),
    });
    world.change(&NODES, ("", name), |node| {
        condition_set(node, condition, now);
    });
}
