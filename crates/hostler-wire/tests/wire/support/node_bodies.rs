//! Samples of what control plane and node say to each other.

use hostler_core::Generation;
use hostler_core::id::{BootId, WorkloadId};
use hostler_core::node::Beat;
use hostler_core::workload::{Kind, NodeGoal, OnNodeLoss, SeenState};
use hostler_wire::node_api::{
    Ensure, Entry, Heartbeat, HeartbeatReply, HostInfo, Order, Report, Unclaimed,
};
use hostler_wire::rest::Resources;

use super::nats_bodies::SLOT;
use super::{Bodies, map};

const RESOURCES: Resources = Resources {
    cpu_millis: 100,
    memory_bytes: 64 << 20,
};

fn workload() -> WorkloadId {
    WorkloadId::from_parts(1_714_164_361_000, [1; 10])
}

fn order() -> Order {
    Order {
        project: "default".into(),
        name: "echo".into(),
        kind: Kind::Elf,
        artifact: "9f".repeat(32),
        artifact_size: 1_048_576,
        argv: vec!["-v".into()],
        environment: map(&[("NATS_URL", "nats://127.0.0.1:4222")]),
        triggers: vec!["shout".into()],
        essential: true,
        resources: RESOURCES,
        pids: 64,
        on_node_loss: OnNodeLoss::Wait,
        description: "The echo service".into(),
    }
}

fn entry() -> Entry {
    Entry {
        id: workload(),
        generation: Generation::new(3),
        state: SeenState::Failed,
        slot: Some(SLOT.into()),
        restarts: 2,
        problem: Some("exit code 1".into()),
    }
}

fn beat() -> Beat {
    Beat {
        boot: BootId::from_parts(1_714_164_361_000, [2; 10]),
        sequence: 9,
    }
}

fn report() -> Report {
    Report {
        beat: beat(),
        fence_after_ms: Some(45_000),
        version: "0.1.0".into(),
        capacity: RESOURCES,
        slots: 100,
        tags: map(&[("nex.arch", "amd64")]),
        ledger: vec![entry()],
        unclaimed: vec![Unclaimed {
            slot: SLOT.into(),
            namespace: "default".into(),
            name: "stray".into(),
            resources: RESOURCES,
        }],
        vm_disk_bytes: 0,
        vms: Vec::new(),
        unclaimed_vms: Vec::new(),
    }
}

fn heartbeat() -> Heartbeat {
    Heartbeat {
        total_cpu: 8,
        total_mem: 16_384,
        total_disk: 100,
        available_cpu: 7.5,
        available_mem: 8_192.0,
        available_disk: 50.0,
        report: Some(report()),
    }
}

pub(crate) fn all() -> Bodies {
    let mut bodies = Bodies::default();
    let ensure = |goal, heartbeat, order| Ensure {
        generation: Generation::new(3),
        goal,
        heartbeat,
        order,
    };
    let running = ensure(NodeGoal::Running, Some(beat()), Some(order()));
    bodies.add("Ensure running", &running);
    bodies.add("Ensure gone", &ensure(NodeGoal::Gone, None, None));
    bodies.add("Entry", &entry());
    bodies.add("Heartbeat", &heartbeat());
    let seed = r#"{"total_cpu":8,"total_mem":16384,"total_disk":100}"#;
    bodies.least::<Heartbeat>("Heartbeat of the seed", seed);
    bodies.add(
        "HeartbeatReply",
        &HeartbeatReply {
            heartbeat_ms: 15_000,
            fence_after_ms: Some(45_000),
            forget: vec![(workload(), Generation::new(2))],
            forget_vms: Vec::new(),
        },
    );
    bodies.add(
        "HostInfo",
        &HostInfo {
            cpu_count: 8,
            load: 0.5,
            memory_total: 16 << 30,
            memory_available: 8 << 30,
            disk_total: 100 << 30,
            disk_available: 50 << 30,
        },
    );
    bodies
}
