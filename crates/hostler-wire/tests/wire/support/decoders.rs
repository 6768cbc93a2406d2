//! Everything that reads what others sent: none may panic, whatever it is. A
//! new body or text is added here, and so is read by every property and by the
//! fuzzer.

use hostler_wire::convert::NewWorkload;
use hostler_wire::nats::subject::{self, Control};
use hostler_wire::nats::{
    self, Claims, DeployRequest, InfoReply, LogLevel, Message, TriggerSubject, envelope, nkey,
};
use hostler_wire::{agent, node_api, rest};
use serde::de::DeserializeOwned;

/// Everything that reads bytes reads these.
pub(crate) fn read_as_everything(payload: &[u8]) {
    let _ = DeployRequest::read(payload);
    let _ = nats::StopRequest::decode(payload);
    let _ = envelope::decode::<InfoReply>(payload);
    let _ = envelope::decode::<nats::WorkloadPingReply>(payload);
    let _ = nats::CloudEvent::decode(payload).map(|event| event.typed());
    let _ = nats::LogPayload::decode(payload);
    let _ = agent::HandshakeRequest::decode(payload);
    let _ = agent::AgentDeployRequest::decode(payload).map(|request| request.check());
    let _ = agent::DeployResponse::decode(payload);
    let _ = agent::UndeployRequest::decode(payload);
    let _ = agent::LogEntry::decode(payload);
    let _ = agent::AgentState::decode(payload);
    let _ = agent::ArtifactRequest::decode(payload);
    let _ = agent::AgentMetadata::decode(payload);
    let _ = agent::AgentLease::decode(payload);
    let _ = agent::AgentLeaseReply::decode(payload);
    read_as_every_http_body(payload);
}

/// The bodies of both HTTP APIs, and what becomes of the largest.
fn read_as_every_http_body(payload: &[u8]) {
    read::<node_api::Heartbeat>(payload);
    read::<node_api::HeartbeatReply>(payload);
    read::<node_api::Entry>(payload);
    read::<node_api::Ensure>(payload);
    read::<rest::NodeRegister>(payload);
    read::<rest::NodeRegistered>(payload);
    read::<rest::NodeNatsKey>(payload);
    read::<rest::NodeNats>(payload);
    read::<rest::NodeUpdate>(payload);
    read::<rest::JoinTokenCreate>(payload);
    read::<rest::TokenCreate>(payload);
    read::<rest::DrainRequest>(payload);
    read::<rest::WorkloadQuery>(payload);
    read::<rest::ErrorBody>(payload);
    read::<rest::Operation>(payload);
    read::<rest::Node>(payload);
    read::<rest::Page<rest::Workload>>(payload);
    if let Ok(create) = serde_json::from_slice::<rest::WorkloadCreate>(payload) {
        let _ = NewWorkload::try_from(create);
    }
}

fn read<T: DeserializeOwned>(payload: &[u8]) {
    let _ = serde_json::from_slice::<T>(payload);
}

/// Everything that reads a text reads this one.
pub(crate) fn read_as_every_text(text: &str) {
    let _ = Control::parse(text, "NNODE");
    let _ = subject::parse_event(text);
    let _ = subject::parse_log(text);
    let _ = agent::subject::parse(text);
    let _ = text.parse::<TriggerSubject>();
    let _ = text.parse::<LogLevel>();
    let _ = Claims::decode(text);
    let _ = nkey::signing_key(text);
    let _ = nkey::curve_key(text);
    let _ = nkey::public_curve_key(text);
    let _ = nkey::is_public_key(text, &nkey::KeyPairType::Account);
}
