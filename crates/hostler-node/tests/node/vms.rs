//! VMs of a node as others see them: over its API, and in its heartbeats.

use std::time::Duration;

use hostler_core::vm::VmSeenState;
use hostler_node::VmsOptions;
use hostler_node::hypervisor::machines::{FakeMachines, Machinery};
use hostler_wire::node_api::{TOKEN_HEADER, VmEntry};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::control::KEY;
use crate::support::{ControlNats, ControlPlane, Ground, TestNode, eventually};

const ORDER: &str = r#"{"project":"default","name":"web","cpus":1,"memory":67108864,
    "disk":1048576,"root":{"from":"blank"},"nics":[],"seed":{"hostname":"web"},
    "autostart":false,"on_node_loss":"wait","stop_deadline_ms":1000}"#;
const VM: &str = "/vms/00000000-0001-7101-8101-010101010101";

async fn with_vms(fake: &FakeMachines) -> (ControlNats, ControlPlane, Ground, TestNode) {
    let (nats, ground) = (ControlNats::start().await, Ground::new());
    let plane = ControlPlane::start(200).await;
    let mut options = ground.options_in(&nats, &plane);
    let mut vms = VmsOptions::new(Machinery::fake(fake.clone()), 7 << 30);
    vms.look_every = Duration::from_millis(20);
    options.vms = Some(vms);
    let node = TestNode::start(options).await;
    plane.heard(|_| Some(())).await;
    (nats, plane, ground, node)
}

/// One request; status and body.
async fn ask(node: &TestNode, line: &str, key: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(node.handle.api).await.unwrap();
    let request = format!(
        "{line} HTTP/1.1\r\nhost: node\r\nconnection: close\r\n{TOKEN_HEADER}: {key}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    // What is far too long is refused, and the line cut, before all of it is sent.
    stream.write_all(request.as_bytes()).await.ok();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

fn ensure(plane: &ControlPlane, generation: u64, goal: &str) -> String {
    let beat = serde_json::to_string(&plane.beat()).unwrap();
    format!(r#"{{"generation":{generation},"goal":"{goal}","heartbeat":{beat},"order":{ORDER}}}"#)
}

#[tokio::test]
async fn orders_are_answered_at_once_and_heartbeats_tell_the_rest() {
    let fake = FakeMachines::default();
    let (_nats, plane, _ground, node) = with_vms(&fake).await;
    let order = ensure(&plane, 1, "running");
    let put = format!("PUT {VM}");
    assert_eq!(ask(&node, &put, "wrong", &order).await.0, 401);
    let (status, body) = ask(&node, &put, KEY, &order).await;
    assert_eq!(status, 200, "{body}");
    let state = |wanted: VmSeenState| {
        plane.heard(move |heartbeat| {
            let report = heartbeat.report.as_ref()?;
            assert_eq!(report.vm_disk_bytes, 7 << 30);
            let entry = report.vms.first()?;
            (entry.state == wanted).then_some(())
        })
    };
    state(VmSeenState::Running).await;
    let order = ensure(&plane, 2, "gone");
    assert_eq!(ask(&node, &put, KEY, &order).await.0, 200);
    state(VmSeenState::Absent).await;
    node.stop().await;
}

#[tokio::test]
async fn wrong_orders_are_refused_and_the_node_goes_on() {
    let fake = FakeMachines::default();
    let (_nats, plane, _ground, node) = with_vms(&fake).await;
    let put = format!("PUT {VM}");
    let good = ensure(&plane, 1, "running");
    let no_beat = good.replace("\"heartbeat\":{", "\"else\":{");
    let huge = "x".repeat(10 << 20);
    let told = good.replace("\"hostname\":\"web\"", &format!("\"hostname\":\"{huge}\""));
    for (body, status) in [
        (good.replace("\"cpus\":1", "\"cpus\":-1"), 422),
        (good.replace("\"cpus\":1", "\"cpus\":4294967295"), 422),
        (
            good.replace("\"disk\":1048576", "\"disk\":18446744073709551615"),
            422,
        ),
        (
            good.replace(
                "{\"from\":\"blank\"}",
                "{\"from\":\"image\",\"digest\":\"../x\",\"bytes\":1,\"format\":\"raw\"}",
            ),
            422,
        ),
        (no_beat, 409),
        (told, 413),
    ] {
        assert_eq!(ask(&node, &put, KEY, &body).await.0, status, "{body:.200}");
    }
    assert_eq!(ask(&node, "PUT /vms/nonsense", KEY, &good).await.0, 400);
    assert_eq!(ask(&node, &format!("GET {VM}"), KEY, "").await.0, 404);
    assert_eq!(ask(&node, &put, KEY, &good).await.0, 200);
    node.stop().await;
}

#[tokio::test]
#[allow(clippy::too_many_lines, reason = "one life, told in order")]
async fn the_seed_s_api_makes_vms_of_the_node_s_own() {
    let fake = FakeMachines::default();
    let (_nats, plane, _ground, node) = with_vms(&fake).await;
    let body =
        r#"{"os":"","name":"My VM","mem":1,"vcpus":1,"disk_size":1,"activate_at_start":true}"#;
    let (status, made) = ask(&node, "POST /vms", KEY, body).await;
    assert_eq!(status, 201, "{made}");
    let made: VmEntry = serde_json::from_str(&made).unwrap();
    let path = format!("/vms/{}", made.id);
    let is = async |state: VmSeenState| {
        eventually("its state", async || {
            let (_, body) = ask(&node, &format!("GET {path}"), KEY, "").await;
            let entry: VmEntry = serde_json::from_str(&body).ok()?;
            (entry.state == state).then_some(())
        })
        .await;
    };
    is(VmSeenState::Running).await;
    plane
        .heard(|heartbeat| {
            let report = heartbeat.report.as_ref()?;
            assert!(report.vms.is_empty());
            report
                .unclaimed_vms
                .iter()
                .find(|vm| vm.name == "My VM")
                .map(drop)
        })
        .await;
    assert_eq!(
        ask(&node, &format!("POST {path}/stop"), KEY, "").await.0,
        200
    );
    is(VmSeenState::Stopped).await;
    assert_eq!(
        ask(&node, &format!("GET {path}/screenshot"), KEY, "")
            .await
            .0,
        409
    );
    assert_eq!(
        ask(&node, &format!("GET {path}/console/vnc"), KEY, "")
            .await
            .0,
        426
    );
    assert_eq!(ask(&node, &format!("DELETE {path}"), KEY, "").await.0, 204);
    eventually("forgotten", async || {
        let (status, _) = ask(&node, &format!("GET {path}"), KEY, "").await;
        (status == 404).then_some(())
    })
    .await;
    assert!(!fake.is_left(made.id));
    node.stop().await;
}

#[tokio::test]
async fn a_node_without_vms_says_so() {
    let (_nats, _plane, _ground, node) = TestNode::in_fleet(200).await;
    let (status, body) = ask(&node, "GET /vms", KEY, "").await;
    assert_eq!(status, 503);
    assert!(body.contains("no_vms"), "{body}");
    node.stop().await;
}
