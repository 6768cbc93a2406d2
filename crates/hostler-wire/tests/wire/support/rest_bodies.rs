//! Samples of the REST API's bodies: with every member, and requests also with
//! the least.

use hostler_core::id::{EventId, NodeId, OperationId, TokenId, WorkloadId};
use hostler_core::node::{NodeStatus, Scheduling};
use hostler_core::workload::{Goal, Kind, OnNodeLoss, SeenState, WorkloadStatus};
use hostler_wire::rest::{
    ActivityEntry, ActivityQuery, Affinity, Artifact, Check, DrainRequest, ErrorBody, Explanation,
    Health, JoinToken, JoinTokenCreate, JoinTokenCreated, LogLine, Node, NodeNats, NodeNatsKey,
    NodeRegister, NodeRegistered, NodeUpdate, NodeVerdict, Operation, OperationState, Page,
    PlacementRules, PolicyInfo, Readiness, Resources, Seen, ServiceInfo, Spread, Token,
    TokenCreate, TokenCreated, Workload, WorkloadCreate, WorkloadQuery,
};

use super::nats_bodies::SLOT;
use super::{Bodies, map, moment};

const MS: u64 = 1_714_164_361_000;
const RESOURCES: Resources = Resources {
    cpu_millis: 100,
    memory_bytes: 64 << 20,
};

fn node_id() -> NodeId {
    NodeId::from_parts(MS, [1; 10])
}

fn node() -> Node {
    Node {
        id: node_id(),
        name: "calm-river".into(),
        hostname: "10.0.0.2".into(),
        port: 3_011,
        status: NodeStatus::Online,
        scheduling: Scheduling::Open,
        created_at: moment(),
        last_heartbeat: Some(moment()),
        total_cpu: 8,
        total_mem: 16_384,
        total_disk: 100,
        capacity: RESOURCES,
        reserved: RESOURCES,
        slots: 100,
        seated: 1,
        labels: map(&[("zone", "a")]),
        version: "0.1.0".into(),
        unclaimed: vec![SLOT.into()],
    }
}

fn rules() -> PlacementRules {
    let affinity = |required| Affinity {
        labels: map(&[("app", "web")]),
        topology: Some("zone".into()),
        required,
    };
    PlacementRules {
        node_labels: map(&[("zone", "a")]),
        affinity: vec![affinity(false)],
        anti_affinity: vec![affinity(true)],
        spread: Some(Spread {
            topology: Some("zone".into()),
            labels: map(&[("app", "web")]),
        }),
    }
}

fn create() -> WorkloadCreate {
    WorkloadCreate {
        name: "echo".into(),
        project: Some("default".into()),
        kind: Kind::Elf,
        artifact: "9f".repeat(32),
        argv: vec!["-v".into()],
        environment: map(&[("A", "1")]),
        triggers: vec!["shout".into()],
        essential: true,
        resources: Some(RESOURCES),
        pids: Some(64),
        labels: map(&[("app", "web")]),
        placement: rules(),
        on_node_loss: OnNodeLoss::Wait,
        goal: Some(Goal::Stopped),
        description: "The echo service".into(),
    }
}

fn workload() -> Workload {
    Workload {
        id: WorkloadId::from_parts(MS, [2; 10]),
        name: "echo".into(),
        project: "default".into(),
        kind: Kind::Wasm,
        status: WorkloadStatus::Running,
        reason: Some("why not".into()),
        goal: Goal::Running,
        generation: 3,
        slave_id: Some(node_id()),
        slave_name: Some("calm-river".into()),
        seen: Some(Seen {
            generation: 3,
            state: SeenState::Running,
            slot: Some(SLOT.into()),
            restarts: 1,
            problem: Some("exit code 1".into()),
            at: moment(),
        }),
        artifact: "9f".repeat(32),
        argv: vec!["-v".into()],
        environment_names: vec!["A".into()],
        triggers: vec!["shout".into()],
        essential: true,
        resources: RESOURCES,
        pids: 64,
        labels: map(&[("app", "web")]),
        placement: rules(),
        on_node_loss: OnNodeLoss::Restart,
        description: "The echo service".into(),
        created_at: moment(),
    }
}

fn operation() -> Operation {
    Operation {
        id: OperationId::from_parts(MS, [3; 10]),
        kind: "node.drain".into(),
        subject: node_id().to_string(),
        state: OperationState::Running,
        steps_done: vec!["close".into()],
        progress: "2 of 5 workloads moved".into(),
        problem: Some("no room".into()),
        cancel_asked: true,
        created_at: moment(),
        ended_at: Some(moment()),
    }
}

fn token() -> Token {
    Token {
        id: TokenId::from_parts(MS, [4; 10]),
        name: "ci".into(),
        project: Some("default".into()),
        policies: vec!["workloads:create".into()],
        created_at: moment(),
        expires_at: Some(moment()),
        owner: None,
    }
}

fn join_token() -> JoinToken {
    JoinToken {
        id: TokenId::from_parts(MS, [5; 10]),
        expires_at: moment(),
        uses_left: 1,
    }
}

pub(crate) fn all() -> Bodies {
    let mut bodies = Bodies::default();
    service(&mut bodies);
    nodes(&mut bodies);
    workloads(&mut bodies);
    history(&mut bodies);
    access(&mut bodies);
    bodies
}

fn service(bodies: &mut Bodies) {
    bodies.add(
        "ErrorBody",
        &ErrorBody {
            error: "this token lacks the policy workloads:create".into(),
            code: "missing_policy".into(),
            hint: Some("ask somebody".into()),
            missing_policy: Some("workloads:create".into()),
        },
    );
    bodies.add(
        "ServiceInfo",
        &ServiceInfo {
            service: "hostler".into(),
            version: "0.1.0".into(),
            openapi: "/openapi.json".into(),
        },
    );
    bodies.add(
        "Health",
        &Health {
            status: "ok".into(),
        },
    );
    let check = Check {
        name: "store".into(),
        ok: false,
        problem: Some("disk full".into()),
    };
    let checks = vec![check];
    bodies.add(
        "Readiness",
        &Readiness {
            ready: false,
            checks,
        },
    );
}

fn nodes(bodies: &mut Bodies) {
    bodies.add("Node", &node());
    bodies.add(
        "NodeRegister",
        &NodeRegister {
            name: "calm-river".into(),
            hostname: "10.0.0.2".into(),
            port: 3_011,
            labels: map(&[("zone", "a")]),
            api_key: Some("hn_made-by-the-machine-itself-and-kept".into()),
        },
    );
    let least = r#"{"name":"n","hostname":"h","port":1}"#;
    bodies.least::<NodeRegister>("NodeRegister, least", least);
    bodies.add(
        "NodeRegistered",
        &NodeRegistered {
            node: node(),
            api_key: "secret".into(),
            heartbeat_ms: 15_000,
        },
    );
    let public_key = "UCFIRY65OQE7DFP5KLNS2PF2LVZMUZYJX4OZIEQ36N2IQANUB5XVZ45L".into();
    bodies.add("NodeNatsKey", &NodeNatsKey { public_key });
    let url = Some("nats://10.0.0.1:4222".into());
    bodies.add("NodeNats", &NodeNats { url });
    bodies.least::<NodeNats>("NodeNats, least", "{}");
    bodies.add(
        "NodeUpdate",
        &NodeUpdate {
            scheduling: Some(Scheduling::Draining),
            labels: Some(map(&[("zone", "b")])),
        },
    );
    bodies.least::<NodeUpdate>("NodeUpdate, least", "{}");
    let create = JoinTokenCreate {
        ttl_s: Some(60),
        uses: Some(3),
    };
    bodies.add("JoinTokenCreate", &create);
    bodies.add("JoinToken", &join_token());
    bodies.add(
        "JoinTokenCreated",
        &JoinTokenCreated {
            join_token: join_token(),
            secret: "secret".into(),
            control: Some("http://10.0.0.1:3010".into()),
        },
    );
    let deadline_s = Some(600);
    bodies.add("DrainRequest", &DrainRequest { deadline_s });
}

fn workloads(bodies: &mut Bodies) {
    bodies.add("WorkloadCreate", &create());
    let least = r#"{"name":"n","kind":"elf","artifact":"d"}"#;
    bodies.least::<WorkloadCreate>("WorkloadCreate, least", least);
    bodies.add("Workload", &workload());
    bodies.add(
        "WorkloadQuery",
        &WorkloadQuery {
            project: Some("default".into()),
            name: Some("echo".into()),
            status: Some(WorkloadStatus::Queued),
            slave_id: Some(node_id()),
            limit: Some(10),
            after: Some("a".into()),
        },
    );
    bodies.add(
        "Page",
        &Page {
            items: vec![1_u32],
            next: Some("a".into()),
        },
    );
    bodies.add(
        "Explanation",
        &Explanation {
            policy: "least_loaded".into(),
            summary: "calm-river has the most room".into(),
            nodes: vec![NodeVerdict {
                slave_id: node_id(),
                slave_name: "calm-river".into(),
                chosen: true,
                possible: true,
                reasons: vec!["room".into()],
            }],
        },
    );
    bodies.add(
        "LogLine",
        &LogLine {
            at: moment(),
            level: "INFO".into(),
            slot: SLOT.into(),
            text: "hello\n".into(),
        },
    );
}

fn history(bodies: &mut Bodies) {
    bodies.add(
        "Artifact",
        &Artifact {
            digest: "9f".repeat(32),
            kind: Kind::Wasm.into(),
            size: 1_048_576,
            project: "default".into(),
            created_at: moment(),
        },
    );
    bodies.add(
        "ActivityEntry",
        &ActivityEntry {
            id: EventId::from_parts(MS, [6; 10]),
            at: moment(),
            kind: "workload.seated".into(),
            actor: "hostler".into(),
            project: Some("default".into()),
            subject: Some("s".into()),
            text: "echo was given to calm-river".into(),
            data: serde_json::json!({"generation": 2}),
        },
    );
    bodies.add(
        "ActivityQuery",
        &ActivityQuery {
            subject: Some("s".into()),
            limit: Some(10),
            after: Some("a".into()),
        },
    );
    bodies.add("Operation", &operation());
}

fn access(bodies: &mut Bodies) {
    bodies.add("Token", &token());
    bodies.add(
        "TokenCreate",
        &TokenCreate {
            name: "ci".into(),
            project: Some("default".into()),
            policies: vec!["workloads:create".into()],
            ttl_s: Some(60),
        },
    );
    bodies.add(
        "TokenCreated",
        &TokenCreated {
            token: token(),
            secret: "secret".into(),
        },
    );
    bodies.add(
        "PolicyInfo",
        &PolicyInfo {
            policy: "workloads:create".into(),
            description: "make workloads".into(),
        },
    );
}
