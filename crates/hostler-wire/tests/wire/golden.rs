//! Every body on NATS, byte for byte, against the files in `golden/`; and the
//! bodies of both HTTP APIs against those in `../schema/`. `BLESS=1` writes
//! the files anew; the difference is then to be read before it is kept.

use std::path::{Path, PathBuf};

use crate::support::{
    agent_bodies as agent, nats_bodies as nats, node_bodies, rest_bodies, runner_bodies,
};
use hostler_wire::nats::{Message, envelope};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Compares bytes with a file, or writes the file.
fn check(file: &Path, bytes: &[u8]) {
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    }
    let kept = std::fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    assert_eq!(
        String::from_utf8_lossy(bytes),
        String::from_utf8_lossy(&kept),
        "{} has changed",
        file.display()
    );
}

/// A body on NATS: written as the file says, and read back from it.
fn golden<T: Message + PartialEq + std::fmt::Debug>(name: &str, body: &T) {
    let bytes = body.encode();
    check(&folder("tests/golden").join(name), &bytes);
    assert_eq!(
        &T::decode(&bytes).unwrap(),
        body,
        "{name} reads back otherwise"
    );
    let upper = crate::support::upper_case_keys(&bytes);
    assert_eq!(
        &T::decode(&upper).unwrap(),
        body,
        "{name} minds the case of keys"
    );
}

/// A reply: the data in its envelope.
fn reply<T: Message + PartialEq + std::fmt::Debug>(
    name: &str,
    kind: hostler_wire::nats::ReplyType,
    data: &T,
) {
    let bytes = envelope::success(kind, data);
    check(&folder("tests/golden").join(name), &bytes);
    assert_eq!(&envelope::decode::<T>(&bytes).unwrap(), data, "{name}");
}

#[test]
fn requests_on_the_control_api_are_written_as_the_original_writes_them() {
    golden("deploy_request.json", &nats::deploy_request());
    golden("deploy_request_full.json", &nats::deploy_request_full());
    golden("stop_request.json", &nats::stop_request());
}

#[test]
fn replies_on_the_control_api_are_written_as_the_original_writes_them() {
    use hostler_wire::nats::ReplyType;
    reply("ping_reply.json", ReplyType::Ping, &nats::ping());
    reply("wping_reply.json", ReplyType::Ping, &nats::workload_ping());
    reply("info_reply.json", ReplyType::Info, &nats::info());
    reply(
        "info_reply_empty.json",
        ReplyType::Info,
        &nats::info_empty(),
    );
    reply("run_reply.json", ReplyType::Run, &nats::deploy_reply());
    reply("stop_reply.json", ReplyType::Stop, &nats::stop_reply());
    reply(
        "lameduck_reply.json",
        ReplyType::LameDuck,
        &nats::lame_duck(),
    );
    let refused = envelope::failure(
        ReplyType::Run,
        "Unsupported workload type on this node: oci",
    );
    check(&folder("tests/golden/run_refused.json"), &refused);
}

#[test]
fn events_are_written_as_the_original_writes_them() {
    for event in nats::events() {
        let bytes = event.encode();
        check(
            &folder("tests/golden").join(format!("event_{}.json", event.r#type)),
            &bytes,
        );
        let read = hostler_wire::nats::CloudEvent::decode(&bytes).unwrap();
        assert_eq!(read.typed(), Some(event.data.clone()), "{}", event.r#type);
        assert_eq!(read.time, event.time);
        // What is forwarded without being understood loses nothing.
        let sorted = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).unwrap();
        assert_eq!(sorted(&read.encode()), sorted(&bytes));
    }
}

#[test]
fn log_entries_are_written_as_the_original_writes_them() {
    golden("log.json", &nats::log());
}

#[test]
fn bodies_between_node_and_agent_are_written_as_the_original_writes_them() {
    golden("agent_handshake.json", &agent::handshake());
    golden(
        "agent_handshake_with_clock.json",
        &agent::handshake_with_clock(),
    );
    golden("agent_deploy.json", &agent::deploy());
    golden("agent_deploy_extended.json", &agent::deploy_extended());
    golden("agent_deploy_accepted.json", &agent::accepted());
    golden("agent_deploy_refused.json", &agent::refused());
    golden("agent_undeploy.json", &agent::undeploy());
    golden("agent_log.json", &agent::log());
    golden("agent_log_without_level.json", &agent::log_without_level());
    golden("agent_metadata.json", &agent::metadata());
    golden("agent_state_idle.json", &agent::state_idle());
    golden("agent_state_running.json", &agent::state_running());
    golden("agent_artifact.json", &agent::artifact());
    golden("agent_lease.json", &agent::lease());
    golden("agent_lease_without_end.json", &agent::lease_without_end());
    golden("agent_lease_reply.json", &agent::lease_reply());
}

#[test]
fn bodies_of_the_rest_api_are_frozen() {
    check(&folder("schema/rest.json"), &rest_bodies::all().text());
}

#[test]
fn bodies_of_the_runner_routes_are_frozen() {
    check(&folder("schema/runners.json"), &runner_bodies::all().text());
}

#[test]
fn bodies_of_the_node_api_are_frozen() {
    check(&folder("schema/node_api.json"), &node_bodies::all().text());
}
