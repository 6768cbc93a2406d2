//! STOP over NATS: the way it should go, and the refusals of protocol 1.7 by
//! their numbers.

use chrono::{TimeDelta, Utc};
use futures::StreamExt as _;
use hostler_wire::nats::nkey::KeyPair;
use hostler_wire::nats::{Claims, subject};

use crate::support::{ControlNats, Ground, Requester, TestNode, eventually, stop_error};

struct Scene {
    _nats: ControlNats,
    ground: Ground,
    node: TestNode,
    requester: Requester,
    id: String,
    token: String,
}

/// A node with one service.
async fn scene() -> Scene {
    let (nats, ground, node) = TestNode::alone().await;
    let requester = Requester::new(&nats, &node.handle).await;
    let request = requester.signed(requester.service());
    let reply = requester.deploy_request(&request).await.unwrap();
    Scene {
        _nats: nats,
        ground,
        node,
        requester,
        id: reply.id,
        token: request.workload_jwt,
    }
}

/// A token of another second than the deploy's.
fn later_token(name: &str, issuer: &KeyPair) -> String {
    let later = Utc::now() + TimeDelta::seconds(2);
    Claims::workload(name, None).sign(issuer, later).unwrap()
}

impl Scene {
    async fn refused(self, namespace: &str, id: &str, token: String) -> String {
        let result = self.requester.stop_with(namespace, id, token).await;
        let text = stop_error(result);
        let slot = self.id.parse().unwrap();
        assert!(self.ground.fake.alive().contains(&slot), "it runs on");
        self.node.stop().await;
        text
    }
}

#[tokio::test]
async fn its_issuer_may_stop_it_within_the_second_of_its_deploy() {
    let scene = scene().await;
    let reply = scene.requester.stop(&scene.id, "echo").await.unwrap();
    assert!(reply.stopped);
    assert_eq!(reply.id, scene.id);
    assert_eq!(reply.name, "echo");
    assert_eq!(reply.issuer, scene.requester.issuer.public_key());
    assert!(
        !scene
            .ground
            .fake
            .alive()
            .contains(&scene.id.parse().unwrap())
    );
    assert!(scene.node.handle.roster().borrow().views.is_empty());
    let again = stop_error(scene.requester.stop(&scene.id, "echo").await);
    assert_eq!(again, "No such workload");
    scene.node.stop().await;
}

#[tokio::test]
async fn a_stop_is_told_once_and_an_essential_service_stays_stopped() {
    let (nats, ground, node) = TestNode::alone().await;
    let requester = Requester::new(&nats, &node.handle).await;
    let mut new = requester.service();
    new.essential = true;
    let reply = requester.deploy(new).await.unwrap();
    let subject = subject::event("default", "workload_stopped");
    let mut events = requester.client.subscribe(subject).await.unwrap();
    requester.client.flush().await.unwrap();
    requester.stop(&reply.id, "echo").await.unwrap();
    let event = events.next().await.unwrap();
    let event: serde_json::Value = serde_json::from_slice(&event.payload).unwrap();
    assert_eq!(event["source"], reply.id);
    assert_eq!(event["data"]["workload_name"], "echo");
    assert_eq!(event["data"]["code"], 0);
    assert!(event["data"]["message"].is_string());
    node.stop().await;
    // Everything the node had to say is out when it has stopped.
    requester.client.flush().await.unwrap();
    let marker = "test.marker";
    let mut end = requester.client.subscribe(marker).await.unwrap();
    requester.client.publish(marker, "".into()).await.unwrap();
    end.next().await.unwrap();
    events.unsubscribe().await.unwrap();
    assert!(events.next().await.is_none(), "a second event");
    drop(ground);
}

#[tokio::test]
async fn two_stops_at_once_both_end_well_or_find_nothing() {
    let scene = scene().await;
    let one = scene.requester.stop(&scene.id, "echo");
    let other = scene.requester.stop(&scene.id, "echo");
    let (one, other) = futures::join!(one, other);
    assert!(one.is_ok() || other.is_ok());
    for result in [one, other] {
        if let Err(error) = result {
            assert_eq!(error.to_string(), "No such workload");
        }
    }
    scene.node.stop().await;
}

#[tokio::test]
async fn refusal_1_what_is_no_request() {
    let scene = scene().await;
    for payload in ["", "{", "[1]", "null7"] {
        let subject = subject::stop("default", &scene.requester.node);
        let answer = scene.requester.ask(subject, payload.into()).await;
        let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
        let text = answer["error"].as_str().unwrap();
        assert!(
            text.starts_with("Unable to deserialize stop request: "),
            "{text}"
        );
        assert_eq!(answer["type"], "io.nats.nex.v1.stop_response");
        assert_eq!(answer["data"], "");
    }
    scene.node.stop().await;
}

#[tokio::test]
async fn refusal_2_an_id_that_nobody_has() {
    let scene = scene().await;
    let token = later_token("echo", &scene.requester.issuer);
    let text = scene
        .refused("default", "coj2v3d2omt3lq0a1b2g", token)
        .await;
    assert_eq!(text, "No such workload");
}

#[tokio::test]
async fn refusal_3_a_token_that_is_none() {
    let scene = scene().await;
    let id = scene.id.clone();
    let text = scene.refused("default", &id, "a.b".into()).await;
    let start = "Invalid stop request: could not decode workload JWT: ";
    assert!(text.starts_with(start), "{text}");
}

#[tokio::test]
async fn refusal_4_the_token_of_the_deploy() {
    let scene = scene().await;
    let (id, token) = (scene.id.clone(), scene.token.clone());
    let text = scene.refused("default", &id, token).await;
    let start = "Invalid stop request: stop claims appear to be cloned";
    assert!(text.starts_with(start), "{text}");
}

#[tokio::test]
async fn refusal_5_a_token_about_another_workload() {
    let scene = scene().await;
    let (id, token) = (
        scene.id.clone(),
        later_token("other", &scene.requester.issuer),
    );
    let text = scene.refused("default", &id, token).await;
    let start = "Invalid stop request: stop claims subject does not match";
    assert!(text.starts_with(start), "{text}");
}

#[tokio::test]
async fn refusal_6_a_token_of_another_issuer() {
    let scene = scene().await;
    let (id, token) = (
        scene.id.clone(),
        later_token("echo", &KeyPair::new_account()),
    );
    let text = scene.refused("default", &id, token).await;
    let start =
        "Invalid stop request: the only entity allowed to terminate a workload is the issuer";
    assert!(text.starts_with(start), "{text}");
}

#[tokio::test]
async fn refusal_7_another_namespace_looks_like_no_workload() {
    for namespace in ["other", "Default"] {
        let scene = scene().await;
        let (id, token) = (
            scene.id.clone(),
            later_token("echo", &scene.requester.issuer),
        );
        let text = scene.refused(namespace, &id, token).await;
        assert_eq!(text, "No such workload");
    }
}

#[tokio::test]
async fn an_essential_service_that_fails_comes_back_under_a_new_id() {
    let (nats, ground, node) = TestNode::alone().await;
    let requester = Requester::new(&nats, &node.handle).await;
    let mut new = requester.service();
    new.essential = true;
    let first = requester.deploy(new).await.unwrap().id;
    ground.fake.exit(first.parse().unwrap(), 1).await;
    let second = eventually("a second start", async || {
        let roster = node.handle.roster();
        let roster = roster.borrow();
        let view = roster.views.values().next()?;
        let slot = view.work.slot?.to_string();
        (view.since.is_some() && slot != first).then_some(slot)
    })
    .await;
    let state = ground.fake.state(second.parse().unwrap()).unwrap();
    assert_eq!(state.starts, 1);
    assert!(
        !ground.fake.alive().contains(&first.parse().unwrap()),
        "never handed out again"
    );
    requester.stop(&second, "echo").await.unwrap();
    node.stop().await;
}
