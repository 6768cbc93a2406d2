//! Samples of section 1, 2 and 4 of the protocol.

use hostler_wire::nats::event::{
    EventData, FunctionExecFailed, FunctionExecSucceeded, Heartbeat, NodeEnteredLameDuck,
    NodeStarted, NodeStopped, WorkloadStarted, WorkloadStopped, exited_message,
};
use hostler_wire::nats::info::{Machine, MachineWorkload, MemoryStat};
use hostler_wire::nats::ping::PingedWorkload;
use hostler_wire::nats::{
    CloudEvent, DeployReply, DeployRequest, InfoReply, LameDuckReply, Location, LogLevel,
    LogPayload, PingReply, StopReply, StopRequest, WorkloadPingReply,
};
use uuid::Uuid;

use super::{map, moment};

pub(crate) const NODE: &str = "NCXS7BTVQZ";
pub(crate) const SLOT: &str = "coj2v3d2omt3lq0a1b2g";

pub(crate) fn deploy_request() -> DeployRequest {
    DeployRequest {
        argv: Vec::new(),
        description: "The echo service".into(),
        r#type: "elf".into(),
        location: Location::object("MYFILES", "echoservice"),
        essential: false,
        workload_jwt: "eyJ0eXAi".into(),
        environment: "eGt2MQ==".into(),
        jsdomain: String::new(),
        sender_public_key: "XBUJMZ".into(),
        target_node: NODE.into(),
        trigger_subjects: Vec::new(),
        retry_count: None,
        retried_at: None,
    }
}

pub(crate) fn deploy_request_full() -> DeployRequest {
    DeployRequest {
        argv: vec!["-v".into(), "a & b".into()],
        description: String::new(),
        r#type: "wasm".into(),
        essential: true,
        jsdomain: "hub".into(),
        trigger_subjects: vec!["fn.>".into(), "calc.*".into()],
        retry_count: Some(2),
        retried_at: Some("2024-04-26T20:46:01.12Z".parse().unwrap()),
        ..deploy_request()
    }
}

pub(crate) fn stop_request() -> StopRequest {
    StopRequest {
        workload_id: SLOT.into(),
        workload_jwt: "eyJ0eXAi".into(),
        target_node: NODE.into(),
    }
}

fn tags() -> std::collections::BTreeMap<String, String> {
    map(&[
        ("simple", "true"),
        ("nex.os", "linux"),
        ("node_name", "calm-river"),
    ])
}

pub(crate) fn ping() -> PingReply {
    PingReply {
        node_id: NODE.into(),
        version: "0.1.0".into(),
        uptime: "1m5s".into(),
        tags: tags(),
        running_machines: 2,
    }
}

pub(crate) fn workload_ping() -> WorkloadPingReply {
    WorkloadPingReply {
        node_id: NODE.into(),
        version: "0.1.0".into(),
        tags: tags(),
        uptime: "1m5s".into(),
        running_machines: vec![PingedWorkload {
            id: SLOT.into(),
            namespace: "Default".into(),
            name: "echo".into(),
            r#type: "elf".into(),
        }],
    }
}

pub(crate) fn info() -> InfoReply {
    InfoReply {
        version: "0.1.0".into(),
        uptime: "1h0m5s".into(),
        public_xkey: "XBUJMZ".into(),
        tags: tags(),
        memory: Some(MemoryStat {
            total: 16_000_000,
            free: 1_000_000,
            available: 9_000_000,
        }),
        machines: vec![Machine {
            id: SLOT.into(),
            healthy: true,
            uptime: "3m12s".into(),
            namespace: "default".into(),
            workload: MachineWorkload {
                name: "shout".into(),
                description: "SHOUTS <loud>".into(),
                runtime: "412345ns".into(),
                r#type: "wasm".into(),
                hash: "9f86d0".into(),
            },
        }],
        supported_workload_types: vec!["elf".into(), "wasm".into()],
    }
}

pub(crate) fn info_empty() -> InfoReply {
    InfoReply {
        version: "0.1.0".into(),
        uptime: "0s".into(),
        public_xkey: "XBUJMZ".into(),
        ..InfoReply::default()
    }
}

pub(crate) fn deploy_reply() -> DeployReply {
    DeployReply {
        started: true,
        id: SLOT.into(),
        issuer: "ABXS7BTVQZ".into(),
        name: "echoservice".into(),
    }
}

pub(crate) fn stop_reply() -> StopReply {
    StopReply {
        stopped: true,
        id: SLOT.into(),
        issuer: "ABXS7BTVQZ".into(),
        name: "echoservice".into(),
    }
}

pub(crate) fn lame_duck() -> LameDuckReply {
    LameDuckReply {
        node_id: NODE.into(),
        success: true,
    }
}

fn event(source: &str, data: EventData) -> CloudEvent<EventData> {
    CloudEvent::new(source, Uuid::from_u128(0x6a0c), moment(), data)
}

pub(crate) fn events() -> Vec<CloudEvent<EventData>> {
    let of_node = node_events().into_iter().map(|data| event(NODE, data));
    let of_agent = workload_events().into_iter().map(|data| event(SLOT, data));
    let of_functions = function_events().into_iter().map(|data| event(NODE, data));
    of_node.chain(of_agent).chain(of_functions).collect()
}

fn node_events() -> Vec<EventData> {
    let (version, id) = ("0.1.0".to_owned(), NODE.to_owned());
    vec![
        EventData::NodeStarted(NodeStarted {
            version: version.clone(),
            id: id.clone(),
        }),
        EventData::Heartbeat(Heartbeat {
            version: version.clone(),
            node_id: id.clone(),
            uptime: "2d1h0m5s".into(),
            tags: tags(),
            running_machines: 1,
        }),
        EventData::NodeEnteredLameDuck(NodeEnteredLameDuck {
            version,
            id: id.clone(),
        }),
        EventData::NodeStopped(NodeStopped { id, graceful: true }),
    ]
}

fn workload_events() -> Vec<EventData> {
    vec![
        EventData::WorkloadStarted(WorkloadStarted {
            workload_name: "echoservice".into(),
            code: 0,
        }),
        EventData::WorkloadStopped(WorkloadStopped {
            workload_name: "echoservice".into(),
            code: 1,
            message: exited_message("echoservice", SLOT, 1),
        }),
    ]
}

fn function_events() -> Vec<EventData> {
    vec![
        EventData::FunctionExecSucceeded(FunctionExecSucceeded {
            workload_name: "shout".into(),
            trigger_subject: "fn.>".into(),
            elapsed_nanos: 412_345,
            namespace: "default".into(),
        }),
        EventData::FunctionExecFailed(FunctionExecFailed {
            workload_name: "shout".into(),
            trigger_subject: "fn.>".into(),
            namespace: "default".into(),
            error: "nats: timeout".into(),
        }),
    ]
}

pub(crate) fn log() -> LogPayload {
    LogPayload {
        text: "Starting <echo> service\n".into(),
        level: LogLevel::WARN,
        id: SLOT.into(),
    }
}
