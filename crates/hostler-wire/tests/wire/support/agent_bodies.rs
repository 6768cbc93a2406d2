//! Samples of section 6.3 of the protocol, and of what we add to it.

use hostler_wire::agent::{
    AgentDeployRequest, AgentLease, AgentLeaseReply, AgentLevel, AgentLimits, AgentMetadata,
    AgentPhase, AgentRefusal, AgentState, ArtifactRequest, DeployResponse, HandshakeRequest,
    LogEntry, SOURCE_AGENT, UndeployRequest,
};

use super::nats_bodies::SLOT;
use super::{map, moment};

pub(crate) fn handshake() -> HandshakeRequest {
    HandshakeRequest {
        id: SLOT.into(),
        start_time: moment(),
        message: "Metadata obtained from no-sandbox environment".into(),
        clock_ms: None,
    }
}

pub(crate) fn handshake_with_clock() -> HandshakeRequest {
    HandshakeRequest {
        clock_ms: Some(86_400_001),
        ..handshake()
    }
}

pub(crate) fn lease() -> AgentLease {
    AgentLease {
        order: 86_400_000_000_007,
        until_ms: Some(86_460_000),
    }
}

pub(crate) fn lease_without_end() -> AgentLease {
    AgentLease {
        until_ms: None,
        ..lease()
    }
}

pub(crate) fn lease_reply() -> AgentLeaseReply {
    AgentLeaseReply {
        order: 86_400_000_000_007,
        clock_ms: 86_400_001,
    }
}

/// Protocol B.4.
pub(crate) fn deploy() -> AgentDeployRequest {
    AgentDeployRequest {
        description: Some("The echo service".into()),
        environment: Some(map(&[("nats_url", "nats://10.1.2.3:4222")])),
        hash: "9f86d0".into(),
        namespace: "default".into(),
        total_bytes: 5_242_880,
        workload_name: "echoservice".into(),
        workload_type: "elf".into(),
        ..AgentDeployRequest::default()
    }
}

pub(crate) fn deploy_extended() -> AgentDeployRequest {
    AgentDeployRequest {
        argv: vec!["-v".into()],
        essential: true,
        retried_at: Some(moment()),
        retry_count: Some(1),
        trigger_subjects: Some(vec!["fn.>".into()]),
        generation: Some(7),
        limits: Some(AgentLimits {
            memory_bytes: Some(64 << 20),
            pids: Some(64),
            fuel: Some(1_000_000_000),
            time_limit_ms: Some(5_000),
        }),
        lease: Some(lease()),
        ..deploy()
    }
}

pub(crate) fn accepted() -> DeployResponse {
    DeployResponse::accepted()
}

pub(crate) fn refused() -> DeployResponse {
    let missing = vec!["namespace is required", "hash is required"];
    DeployResponse::refused(&AgentRefusal::Invalid(missing))
}

pub(crate) fn undeploy() -> UndeployRequest {
    UndeployRequest {
        grace_ms: Some(2_000),
    }
}

pub(crate) fn log() -> LogEntry {
    LogEntry {
        source: SOURCE_AGENT.into(),
        level: AgentLevel::INFO,
        text: "Workload echoservice deployed".into(),
    }
}

pub(crate) fn log_without_level() -> LogEntry {
    LogEntry {
        level: AgentLevel::PANIC,
        ..log()
    }
}

pub(crate) fn metadata() -> AgentMetadata {
    AgentMetadata {
        slot: SLOT.into(),
        host: "192.168.127.1".into(),
        port: 9222,
        message: "Host-supplied metadata".into(),
        creds: None,
    }
}

pub(crate) fn state_idle() -> AgentState {
    AgentState {
        id: SLOT.into(),
        version: "0.1.0".into(),
        ..AgentState::default()
    }
}

pub(crate) fn state_running() -> AgentState {
    AgentState {
        state: AgentPhase::Running,
        uptime_ms: 1_234,
        namespace: Some("default".into()),
        workload_name: Some("echoservice".into()),
        workload_type: Some("elf".into()),
        hash: Some("9f86d0".into()),
        generation: Some(7),
        starts: 1,
        code: Some(-1),
        pid: Some(4_321),
        calls: 5,
        runtime_ns: 6,
        dropped_logs: 7,
        clock_ms: Some(86_400_001),
        ..state_idle()
    }
}

pub(crate) fn artifact() -> ArtifactRequest {
    ArtifactRequest {
        digest: "9f86d0".into(),
        offset: 524_288,
    }
}
