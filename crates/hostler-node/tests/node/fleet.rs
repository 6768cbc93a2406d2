//! A node and its control plane: joining, heartbeats, orders.

use hostler_core::Generation;
use hostler_core::workload::SeenState;
use hostler_wire::client::NodeClient;

use crate::support::node::{ABC, gone, id, run};
use crate::support::{
    ControlNats, ControlPlane, Ground, Mood, PATIENCE, Requester, TestNode, eventually, stop_error,
};

#[tokio::test]
async fn a_node_joins_once_and_keeps_its_key_to_itself() {
    use std::os::unix::fs::PermissionsExt as _;
    let (nats, plane, ground, node) = TestNode::in_fleet(1_000).await;
    let joined = plane.registrations();
    assert_eq!(joined.len(), 1);
    assert_eq!(joined[0].name, "n1");
    assert_eq!(joined[0].port, node.handle.api.port());
    let file = ground.folder.path().join("data/registration.json");
    let mode = std::fs::metadata(file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let (port, before) = (node.handle.api.port(), plane.beat());
    node.stop().await;
    let node = TestNode::start(ground.options_in(&nats, &plane)).await;
    assert_eq!(
        node.handle.api.port(),
        port,
        "where the control plane looks for it"
    );
    plane.heard_from_another(before).await;
    assert_eq!(plane.registrations().len(), 1);
    node.stop().await;
}

#[tokio::test]
async fn a_node_whose_answer_was_lost_asks_again_with_the_same_key_also_in_its_next_life() {
    let (nats, ground) = (ControlNats::start().await, Ground::new());
    let plane = ControlPlane::start(1_000).await;
    plane.mood(Mood::Broken);
    let node = TestNode::start(ground.options_in(&nats, &plane)).await;
    eventually("it asks again", async || {
        (plane.registrations().len() >= 2).then_some(())
    })
    .await;
    node.stop().await;
    plane.mood(Mood::Well);
    let node = TestNode::start(ground.options_in(&nats, &plane)).await;
    plane.heard(|_| Some(())).await;
    let asked = plane.registrations();
    let keys: Vec<_> = asked.iter().map(|body| body.api_key.clone()).collect();
    assert!(keys[0].is_some() && keys.iter().all(|key| *key == keys[0]));
    node.stop().await;
}

#[tokio::test]
async fn only_the_control_plane_gets_in() {
    let (_nats, plane, _ground, node) = TestNode::in_fleet(1_000).await;
    let base = format!("http://{}", node.handle.api);
    for key in ["", "wrong", "the-key-of-the-nodf"] {
        let stranger = NodeClient::new(&base, key).unwrap();
        let digest = plane.artifact(ABC);
        let order = run(&plane, 1, &digest, 3);
        let refusals = [
            stranger.ledger(PATIENCE).await.map(drop),
            stranger.host_info(PATIENCE).await.map(drop),
            stranger.ensure(id(1), &order, PATIENCE).await.map(drop),
        ];
        for refusal in refusals {
            let error = refusal.unwrap_err();
            assert_eq!(error.status().unwrap().as_u16(), 401);
            assert_eq!(error.body().unwrap().code, "unauthenticated");
        }
        assert_eq!(stranger.health(PATIENCE).await.unwrap().status, "ok");
    }
    let info = node.client().host_info(PATIENCE).await.unwrap();
    assert!(info.memory_total > 0 && info.cpu_count > 0);
    node.stop().await;
}

#[tokio::test]
async fn an_order_is_followed_and_the_next_heartbeat_tells_of_it() {
    let (_nats, plane, ground, node) = TestNode::in_fleet(1_000).await;
    let digest = plane.artifact(ABC);
    let entry = node
        .ensure(id(1), &run(&plane, 1, &digest, 3))
        .await
        .unwrap();
    assert_eq!(entry.state, SeenState::Starting);
    let seen = plane
        .heard_of(id(1), |entry| entry.state == SeenState::Running)
        .await;
    let slot = seen.slot.unwrap().parse().unwrap();
    assert_eq!(ground.fake.state(slot).unwrap().starts, 1);
    assert_eq!(ground.fake.limits(slot).unwrap().pids, 16);
    let ledger = node.client().ledger(PATIENCE).await.unwrap();
    assert_eq!(ledger.len(), 1);
    assert_eq!(ledger[0].state, SeenState::Running);
    let dropped = node.ensure(id(1), &gone(2)).await.unwrap();
    assert_eq!(dropped.state, SeenState::Stopping);
    let absent = plane
        .heard_of(id(1), |entry| entry.state == SeenState::Absent)
        .await;
    assert_eq!(absent.generation, Generation::new(2));
    assert!(!ground.fake.alive().contains(&slot));
    node.stop().await;
}

#[tokio::test]
async fn the_ledger_keeps_no_environment_in_clear() {
    let (_nats, plane, ground, node) = TestNode::in_fleet(1_000).await;
    let digest = plane.artifact(ABC);
    let mut order = run(&plane, 1, &digest, 3);
    let environment = &mut order.order.as_mut().unwrap().environment;
    environment.insert("TOKEN".into(), "swordfish".into());
    node.ensure(id(1), &order).await.unwrap();
    node.runs(id(1)).await;
    let ledger = std::fs::read(ground.folder.path().join("data/ledger")).unwrap();
    let ledger = String::from_utf8_lossy(&ledger);
    assert!(ledger.contains("echo") && !ledger.contains("swordfish"));
    node.stop().await;
}

#[tokio::test]
async fn nobody_stops_the_control_planes_work_over_nats() {
    let (nats, plane, ground, node) = TestNode::in_fleet(1_000).await;
    let slot = node.runs_first(&plane).await;
    let requester = Requester::new(&nats, &node.handle).await;
    let text = stop_error(requester.stop(&slot.to_string(), "echo").await);
    assert!(text.contains("the only entity allowed"), "{text}");
    assert!(ground.fake.alive().contains(&slot));
    let unclaimed = requester.deploy(requester.service()).await.unwrap().id;
    let reported = plane
        .heard(|heartbeat| heartbeat.report.as_ref()?.unclaimed.first().cloned())
        .await;
    assert_eq!(reported.slot, unclaimed);
    assert_eq!(reported.name, "echo");
    node.stop().await;
}

#[tokio::test]
async fn an_older_order_is_refused_a_repeated_one_changes_nothing_and_a_late_one_is_stale() {
    let (_nats, plane, ground, node) = TestNode::in_fleet(1_000).await;
    let digest = plane.artifact(ABC);
    node.ensure(id(1), &run(&plane, 5, &digest, 3))
        .await
        .unwrap();
    let slot = node.runs(id(1)).await;
    for _ in 0..5 {
        let entry = node
            .ensure(id(1), &run(&plane, 5, &digest, 3))
            .await
            .unwrap();
        assert_eq!(entry.state, SeenState::Running);
    }
    let entry = node.ensure(id(1), &gone(4)).await.unwrap();
    assert_eq!(entry.generation, Generation::new(5));
    assert_eq!(entry.state, SeenState::Running);
    let entry = node
        .ensure(id(1), &run(&plane, 6, &digest, 3))
        .await
        .unwrap();
    assert_eq!(entry.generation, Generation::new(6));
    assert_eq!(node.runs(id(1)).await, slot, "the same plan goes on");
    assert_eq!(ground.fake.state(slot).unwrap().starts, 1);

    node.ensure(id(1), &gone(7)).await.unwrap();
    node.is(id(1), SeenState::Absent).await;
    let late = node
        .ensure(id(1), &run(&plane, 7, &digest, 3))
        .await
        .unwrap();
    assert_eq!(
        late.state,
        SeenState::Absent,
        "a tombstone refuses its own generation"
    );

    let mut stale = run(&plane, 8, &digest, 3);
    stale.heartbeat = None;
    let error = node.ensure(id(1), &stale).await.unwrap_err();
    assert_eq!(error.status().unwrap().as_u16(), 409);
    assert_eq!(error.body().unwrap().code, "stale");
    let error = node.ensure(id(2), &stale).await.unwrap_err();
    assert_eq!(error.body().unwrap().code, "stale");
    assert_eq!(node.client().ledger(PATIENCE).await.unwrap().len(), 1);
    node.ensure(id(1), &run(&plane, 8, &digest, 3))
        .await
        .unwrap();
    node.runs(id(1)).await;
    node.stop().await;
}

#[tokio::test]
async fn twenty_orders_at_once_for_one_workload_start_it_once() {
    let (_nats, plane, ground, node) = TestNode::in_fleet(1_000).await;
    let digest = plane.artifact(ABC);
    let order = run(&plane, 1, &digest, 3);
    let orders = (0..20).map(|_| node.ensure(id(1), &order));
    let entries = futures::future::join_all(orders).await;
    assert!(entries.iter().all(Result::is_ok), "{entries:?}");
    node.runs(id(1)).await;
    assert_eq!(node.handle.slots().counts().claimed, 1);
    assert_eq!(plane.fetches(), 1);
    let slot = node.runs(id(1)).await;
    assert_eq!(ground.fake.state(slot).unwrap().starts, 1);
    node.stop().await;
}

#[tokio::test]
async fn ten_workloads_of_one_artifact_fetch_it_once() {
    let (_nats, plane, _ground, node) = TestNode::in_fleet(1_000).await;
    let digest = plane.artifact(ABC);
    for number in 1..=10 {
        let order = run(&plane, 1, &digest, 3);
        node.ensure(id(number), &order).await.unwrap();
    }
    for number in 1..=10 {
        node.runs(id(number)).await;
    }
    assert_eq!(plane.fetches(), 1);
    node.stop().await;
}

#[tokio::test]
async fn what_the_node_finds_wrong_is_failed_with_its_reason() {
    let (_nats, plane, ground, node) = TestNode::in_fleet(1_000).await;
    let wrong = "ab".repeat(32);
    plane.artifact_as(&wrong, ABC);
    node.ensure(id(1), &run(&plane, 1, &wrong, 3))
        .await
        .unwrap();
    let failed = node.is(id(1), SeenState::Failed).await;
    assert!(failed.problem.unwrap().contains("digest"));

    let good = plane.artifact(ABC);
    node.ensure(id(2), &run(&plane, 1, &good, 4)).await.unwrap();
    let failed = node.is(id(2), SeenState::Failed).await;
    assert!(failed.problem.unwrap().contains("bytes"));

    ground.fake.script(|script| script.failing_deploys = 1);
    node.ensure(id(3), &run(&plane, 1, &good, 3)).await.unwrap();
    let failed = node.is(id(3), SeenState::Failed).await;
    assert!(failed.problem.unwrap().contains("made to fail"));
    eventually("its slot is released", async || {
        (node.handle.slots().counts().claimed == 0).then_some(())
    })
    .await;
    node.ensure(id(3), &run(&plane, 2, &good, 3)).await.unwrap();
    node.runs(id(3)).await;
    node.stop().await;
}

#[tokio::test]
async fn what_may_be_better_later_is_tried_again() {
    let (nats, ground) = (ControlNats::start().await, Ground::new());
    let plane = ControlPlane::start(1_000).await;
    let mut options = ground.options_in(&nats, &plane);
    options.slots.pool.warm = 0;
    options.slots.pool.max = 1;
    let node = TestNode::start(options).await;
    plane.heard(|_| Some(())).await;
    let digest = plane.artifact(ABC);
    node.ensure(id(1), &run(&plane, 1, &digest, 3))
        .await
        .unwrap();
    node.runs(id(1)).await;
    node.ensure(id(2), &run(&plane, 1, &digest, 3))
        .await
        .unwrap();
    let waits = node.seen(id(2), |view| view.problem.is_some()).await;
    assert_eq!(waits.state, SeenState::Starting);
    node.ensure(id(1), &gone(2)).await.unwrap();
    node.runs(id(2)).await;
    node.stop().await;
}

#[tokio::test]
async fn a_failing_essential_service_is_given_up_at_last() {
    let (nats, ground) = (ControlNats::start().await, Ground::new());
    let plane = ControlPlane::start(1_000).await;
    let mut options = ground.options_in(&nats, &plane);
    options.restart.limit = 2;
    let node = TestNode::start(options).await;
    plane.heard(|_| Some(())).await;
    let digest = plane.artifact(ABC);
    node.ensure(id(1), &run(&plane, 1, &digest, 3))
        .await
        .unwrap();
    let mut slots = Vec::new();
    for restarts in 0..=2 {
        let running = |view: &hostler_node::View| {
            view.state == SeenState::Running && view.work.restarts == restarts
        };
        let slot = node.seen(id(1), running).await.slot.unwrap();
        assert!(
            !slots.contains(&slot),
            "a used slot is never handed out again"
        );
        slots.push(slot);
        ground.fake.exit(slot, 1).await;
    }
    let failed = node.is(id(1), SeenState::Failed).await;
    assert!(failed.problem.unwrap().contains("status 1"));
    plane
        .heard_of(id(1), |entry| entry.state == SeenState::Failed)
        .await;
    node.stop().await;
}

#[tokio::test]
async fn success_ends_a_service_and_a_lost_agent_starts_it_again() {
    let (_nats, plane, ground, node) = TestNode::in_fleet(1_000).await;
    let digest = plane.artifact(ABC);
    for number in [1, 2] {
        let order = run(&plane, 1, &digest, 3);
        node.ensure(id(number), &order).await.unwrap();
    }
    let (ends, dies) = (node.runs(id(1)).await, node.runs(id(2)).await);
    ground.fake.exit(ends, 0).await;
    node.is(id(1), SeenState::Ended).await;
    ground.fake.die(dies);
    let again = node
        .seen(id(2), |view| {
            view.state == SeenState::Running && view.work.slot != Some(dies)
        })
        .await;
    assert_eq!(again.work.restarts, 0, "not the service's fault");
    node.stop().await;
}

#[tokio::test]
async fn a_tombstone_is_forgotten_when_asked_and_old_enough() {
    let (_nats, plane, _ground, node) = TestNode::in_fleet(100).await;
    node.ensure(id(1), &gone(3)).await.unwrap();
    plane
        .heard_of(id(1), |entry| entry.state == SeenState::Absent)
        .await;
    plane.forget(id(1), Generation::new(2));
    for _ in 0..3 {
        plane.heard_of(id(1), |_| true).await;
    }
    plane.forget(id(1), Generation::new(3));
    let empty = |heartbeat: &hostler_wire::node_api::Heartbeat| {
        heartbeat.report.as_ref()?.ledger.is_empty().then_some(())
    };
    plane.heard(empty).await;
    node.stop().await;
}

#[tokio::test]
async fn heartbeats_go_on_while_the_control_plane_is_broken_and_after() {
    let (_nats, plane, _ground, node) = TestNode::in_fleet(100).await;
    plane.mood(Mood::Broken);
    let before = plane.beat().unwrap().sequence;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    plane.mood(Mood::Well);
    plane
        .heard(|heartbeat| (heartbeat.report.as_ref()?.beat.sequence > before + 1).then_some(()))
        .await;
    node.stop().await;
}

#[tokio::test]
async fn bad_requests_get_the_envelope_and_change_nothing() {
    let (_nats, _plane, _ground, node) = TestNode::in_fleet(1_000).await;
    let check = async |method: &str, path: &str, body: &str, status: u16| {
        let answer = raw(&node, method, path, body).await;
        let first = answer.lines().next().unwrap().to_owned();
        assert!(
            first.contains(&status.to_string()),
            "{method} {path}: {first}"
        );
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let body: serde_json::Value = serde_json::from_str(body).expect("the envelope");
        assert!(
            body["error"].is_string() && body["code"].is_string(),
            "{body}"
        );
    };
    let path = format!("/workloads/{}", id(1));
    check("PUT", &path, "{", 400).await;
    check("PUT", &path, "{}", 422).await;
    check("PUT", &path, r#"{"generation":1,"goal":"running"}"#, 422).await;
    check("PUT", &path, r#"{"generation":1,"goal":"flying"}"#, 422).await;
    check("PUT", &path, &format!("\"{}\"", "x".repeat(3 << 20)), 413).await;
    check("PUT", "/workloads/../../etc", "{}", 404).await;
    check(
        "PUT",
        "/workloads/not-an-id",
        r#"{"generation":1,"goal":"gone"}"#,
        400,
    )
    .await;
    check("POST", "/workloads", "{}", 405).await;
    check("GET", "/nowhere", "", 404).await;
    assert!(node.client().ledger(PATIENCE).await.unwrap().is_empty());
    node.stop().await;
}

async fn raw(node: &TestNode, method: &str, path: &str, body: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(node.handle.api)
        .await
        .unwrap();
    let key = crate::support::control::KEY;
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: n\r\nConnection: close\r\nX-Slave-Token: {key}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.ok();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok();
    answer
}
