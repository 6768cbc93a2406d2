//! DEPLOY over NATS: the way it should go, and the refusals of protocol 2.6
//! by their numbers.

use chrono::Utc;
use hostler_node::NodeOptions;
use hostler_wire::agent::AgentPhase;
use hostler_wire::nats::nkey::{KeyPair, XKey};
use hostler_wire::nats::{Claims, DeployRequest, Location, Message};
use sha2::{Digest as _, Sha256};

use crate::support::requester::{ARTIFACT, BUCKET};
use crate::support::{ControlNats, Ground, Requester, TestNode, deploy_error};

pub(crate) async fn scene() -> (ControlNats, Ground, TestNode, Requester) {
    scene_with(|_, _| ()).await
}

pub(crate) async fn scene_with(
    change: impl FnOnce(&Ground, &mut NodeOptions),
) -> (ControlNats, Ground, TestNode, Requester) {
    let (nats, ground) = (ControlNats::start().await, Ground::new());
    let mut options = ground.options(&nats);
    change(&ground, &mut options);
    let node = TestNode::start(options).await;
    let requester = Requester::new(&nats, &node.handle).await;
    (nats, ground, node, requester)
}

/// A request with one thing changed.
async fn refused(change: impl FnOnce(&mut DeployRequest)) -> String {
    let (_nats, _ground, node, requester) = scene().await;
    let mut request = requester.signed(requester.service());
    change(&mut request);
    let text = deploy_error(requester.deploy_request(&request).await);
    assert_eq!(
        node.handle.roster().borrow().views.len(),
        0,
        "nothing happened"
    );
    assert_eq!(node.handle.slots().counts().claimed, 0);
    node.stop().await;
    text
}

#[tokio::test]
async fn an_artifact_from_an_object_store_is_deployed() {
    let (_nats, ground, node, requester) = scene().await;
    let reply = requester.deploy(requester.service()).await.unwrap();
    assert!(reply.started);
    assert_eq!(reply.issuer, requester.issuer.public_key());
    assert_eq!(reply.name, "echo");
    let state = ground.fake.state(reply.id.parse().unwrap()).unwrap();
    assert_eq!(state.state, AgentPhase::Running);
    assert_eq!(state.starts, 1);
    let digest = data_encoding::HEXLOWER.encode(&Sha256::digest(ARTIFACT));
    assert_eq!(state.hash, Some(digest));
    node.stop().await;
}

#[tokio::test]
async fn many_deploys_at_once_all_start() {
    let (_nats, ground, node, requester) = scene().await;
    let deploys = (0..8).map(|number| {
        let mut new = requester.service();
        new.name = format!("echo{number}");
        requester.deploy(new)
    });
    let replies = futures::future::join_all(deploys).await;
    for reply in replies {
        let slot = reply.unwrap().id.parse().unwrap();
        assert_eq!(ground.fake.state(slot).unwrap().starts, 1);
    }
    node.stop().await;
}

#[tokio::test]
async fn refusal_1_a_namespace_that_is_none() {
    let (_nats, _ground, node, requester) = scene().await;
    let payload = requester.signed(requester.service()).encode();
    let result = requester.deploy_bytes("no@namespace", payload).await;
    assert_eq!(
        deploy_error(result),
        "Invalid subject for workload deployment"
    );
    node.stop().await;
}

#[tokio::test]
async fn refusal_2_a_lame_duck() {
    let (_nats, _ground, node, requester) = scene().await;
    let subject = hostler_wire::nats::subject::lame_duck(&requester.node);
    requester.ask(subject, Vec::new()).await;
    let text = deploy_error(requester.deploy(requester.service()).await);
    assert_eq!(
        text,
        "Node is in lame duck mode. Workload deploy request rejected"
    );
    node.stop().await;
}

#[tokio::test]
async fn refusal_3_what_is_no_request() {
    let (_nats, _ground, node, requester) = scene().await;
    let whole = requester.signed(requester.service()).encode();
    let whole: serde_json::Value = serde_json::from_slice(&whole).unwrap();
    let mut payloads = vec![b"{".to_vec(), b"[]".to_vec(), b"\"x\"".to_vec(), Vec::new()];
    for member in [
        "type",
        "location",
        "workload_jwt",
        "environment",
        "sender_public_key",
    ] {
        let mut lacking = whole.clone();
        lacking.as_object_mut().unwrap().remove(member);
        payloads.push(lacking.to_string().into_bytes());
    }
    for payload in payloads {
        let text = deploy_error(requester.deploy_bytes("default", payload).await);
        assert!(
            text.starts_with("Unable to deserialize deploy request: "),
            "{text}"
        );
    }
    let mut without = whole;
    without.as_object_mut().unwrap().remove("description");
    let payload = without.to_string().into_bytes();
    requester.deploy_bytes("default", payload).await.unwrap();
    node.stop().await;
}

#[tokio::test]
async fn refusal_4_a_type_that_is_not_run_here() {
    for kind in ["oci", "ELF", "V8", ""] {
        let text = refused(|request| request.r#type = kind.to_owned()).await;
        assert_eq!(
            text,
            format!("Unsupported workload type on this node: {kind}")
        );
    }
}

#[tokio::test]
async fn refusal_5_a_service_with_triggers() {
    let text = refused(|request| request.trigger_subjects = vec!["a.b".to_owned()]).await;
    assert_eq!(
        text,
        "Unsupported workload type for trigger subject registration: elf"
    );
}

#[tokio::test]
async fn refusal_6_an_environment_that_does_not_open() {
    let prefix = "Failed to decrypt environment for deploy request: ";
    let check = async |change: fn(&mut DeployRequest), tail: &str| {
        let text = refused(change).await;
        assert!(text.starts_with(&format!("{prefix}{tail}")), "{text}");
    };
    check(|request| request.environment = "%".into(), "illegal base64").await;
    check(
        |request| request.sender_public_key = XKey::new().public_key(),
        "nkeys: could not decrypt input",
    )
    .await;
    check(
        |request| request.sender_public_key = "XXX".into(),
        "nkeys: not a valid sender public curve key",
    )
    .await;
}

#[tokio::test]
async fn refusal_7_a_token_that_is_none_or_altered() {
    let prefix = "Invalid deploy request: could not decode workload JWT: ";
    let text = refused(|request| request.workload_jwt = "not.a.token".into()).await;
    assert!(text.starts_with(prefix), "{text}");
    let text = refused(|request| {
        let mut parts: Vec<String> = request
            .workload_jwt
            .split('.')
            .map(ToOwned::to_owned)
            .collect();
        let other = Claims::workload("other", None)
            .sign(&KeyPair::new_account(), Utc::now())
            .unwrap();
        parts[1] = other.split('.').nth(1).unwrap().to_owned();
        request.workload_jwt = parts.join(".");
    })
    .await;
    assert!(text.starts_with(prefix), "{text}");
}

#[tokio::test]
async fn refusal_8_a_name_that_is_none() {
    for name in ["no/name", "a.b", ""] {
        let text = refused(|request| {
            request.workload_jwt = Claims::workload(name, None)
                .sign(&KeyPair::new_account(), Utc::now())
                .unwrap();
        })
        .await;
        let start =
            format!("Invalid deploy request: workload name claim ('{name}') does not match");
        assert!(text.starts_with(&start), "{text}");
    }
}

#[tokio::test]
async fn refusal_9_a_token_that_has_expired_or_is_not_valid_yet() {
    let hour = 3_600;
    for (exp, nbf) in [
        (Utc::now().timestamp() - hour, 0),
        (0, Utc::now().timestamp() + hour),
    ] {
        let text = refused(|request| {
            let claims = Claims {
                exp,
                nbf,
                ..Claims::workload("echo", None)
            };
            request.workload_jwt = claims.sign(&KeyPair::new_account(), Utc::now()).unwrap();
        })
        .await;
        assert_eq!(
            text,
            "Invalid deploy request: standard claims within JWT are not valid"
        );
    }
}

#[tokio::test]
async fn refusal_10_an_issuer_that_is_not_on_the_list_and_nothing_starts() {
    let good = KeyPair::new_account();
    let list = vec![good.public_key()];
    let (_nats, _ground, node, mut requester) =
        scene_with(|_, options| options.admission.issuers = list).await;
    let issuer = requester.issuer.public_key();
    let text = deploy_error(requester.deploy(requester.service()).await);
    assert_eq!(text, format!("invalid workload issuer: {issuer}"));
    assert_eq!(node.handle.roster().borrow().views.len(), 0);
    requester.issuer = good;
    requester.deploy(requester.service()).await.unwrap();
    node.stop().await;
}

#[tokio::test]
async fn refusal_10_a_requester_that_is_not_on_the_list() {
    let good = XKey::new();
    let list = vec![good.public_key()];
    let (_nats, _ground, node, mut requester) =
        scene_with(|_, options| options.admission.requesters = list).await;
    let text = deploy_error(requester.deploy(requester.service()).await);
    assert!(text.starts_with("Invalid deploy request: "), "{text}");
    requester.sender = good;
    requester.deploy(requester.service()).await.unwrap();
    node.stop().await;
}

#[tokio::test]
async fn refusal_10_a_token_that_was_used_also_before_a_restart() {
    let (nats, ground, node, requester) = scene().await;
    let request = requester.signed(requester.service());
    requester.deploy_request(&request).await.unwrap();
    let text = deploy_error(requester.deploy_request(&request).await);
    assert!(text.starts_with("Invalid deploy request: "), "{text}");
    node.stop().await;
    let node = TestNode::start(ground.options(&nats)).await;
    let text = deploy_error(requester.deploy_request(&request).await);
    assert!(text.starts_with("Invalid deploy request: "), "{text}");
    node.stop().await;
}

#[tokio::test]
async fn refusal_11_an_artifact_that_cannot_be_had() {
    let check = async |bucket: &str, key: &str, expected: &str| {
        let location = Location::object(bucket, key);
        let text = refused(|request| request.location = location).await;
        assert_eq!(text, format!("Failed to cache workload bytes: {expected}"));
    };
    check("NOSUCH", "echo", "nats: stream not found").await;
    check(BUCKET, "nothing", "nats: object not found").await;
}

#[tokio::test]
async fn refusal_11_an_artifact_with_another_hash_than_was_signed() {
    let text = refused(|request| {
        let claims = Claims::workload("echo", Some(&"0".repeat(64)));
        request.workload_jwt = claims.sign(&KeyPair::new_account(), Utc::now()).unwrap();
    })
    .await;
    assert!(
        text.starts_with("Failed to cache workload bytes: "),
        "{text}"
    );
}
