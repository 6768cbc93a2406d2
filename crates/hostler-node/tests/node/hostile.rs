//! Clients that mean harm or are broken: each request is refused with its
//! reason, nothing has happened, and the node serves the next one.

use async_nats::HeaderMap;
use async_nats::jetstream;
use data_encoding::{BASE64URL, BASE64URL_NOPAD};
use hostler_node::NodeOptions;
use hostler_wire::nats::nkey::{KeyPair, XKey};
use hostler_wire::nats::{DeployRequest, Message, xkey};
use serde_json::{Value, json};

use crate::deploys::{scene, scene_with};
use crate::support::requester::{ARTIFACT, BUCKET};
use crate::support::{Requester, TestNode, deploy_error};

/// What a request of this member is refused for.
const UNREADABLE: &str = "Unable to deserialize deploy request: ";

/// Every member of a request, with values of types that it has not.
fn members() -> Vec<(&'static str, Vec<Value>)> {
    let no_text = || vec![json!(7), json!(true), json!({}), json!(["x"])];
    let no_list = || vec![json!(7), json!("x"), json!({}), json!([7])];
    vec![
        ("type", no_text()),
        ("description", no_text()),
        ("workload_jwt", no_text()),
        ("environment", no_text()),
        ("sender_public_key", no_text()),
        ("jsdomain", no_text()),
        ("target_node", no_text()),
        ("argv", no_list()),
        ("trigger_subjects", no_list()),
        (
            "location",
            vec![json!("nats://B/k"), json!(7), json!([]), json!({"Host": 7})],
        ),
        ("essential", vec![json!("true"), json!(1), json!({})]),
        ("retry_count", vec![json!(-1), json!(1.5), json!("1")]),
        ("retried_at", vec![json!(7), json!("yesterday"), json!({})]),
    ]
}

fn nothing_happened(node: &TestNode) {
    assert_eq!(node.handle.roster().borrow().views.len(), 0);
    assert_eq!(node.handle.slots().counts().claimed, 0);
}

fn tree(requester: &Requester) -> Value {
    let whole = requester.signed(requester.service()).encode();
    serde_json::from_slice(&whole).unwrap()
}

async fn refused(requester: &Requester, request: &Value) -> String {
    let payload = request.to_string().into_bytes();
    deploy_error(requester.deploy_bytes("default", payload).await)
}

#[tokio::test]
async fn every_member_of_a_wrong_type_is_refused_by_its_name() {
    let (_nats, _ground, node, requester) = scene().await;
    let whole = tree(&requester);
    for (member, values) in members() {
        for value in values {
            let mut request = whole.clone();
            request[member] = value.clone();
            let text = refused(&requester, &request).await;
            let start = format!("{UNREADABLE}{member}: ");
            assert!(text.starts_with(&start), "{member} = {value}: {text}");
        }
    }
    nothing_happened(&node);
    requester.deploy(requester.service()).await.unwrap();
    node.stop().await;
}

#[tokio::test]
async fn every_member_that_is_null_or_missing_is_refused_or_not_needed() {
    let (_nats, _ground, node, requester) = scene().await;
    let needed = [
        "type",
        "location",
        "workload_jwt",
        "environment",
        "sender_public_key",
    ];
    let whole = tree(&requester);
    for member in needed {
        let mut null = whole.clone();
        null[member] = Value::Null;
        let mut lacking = whole.clone();
        lacking.as_object_mut().unwrap().remove(member);
        for request in [null, lacking] {
            let text = refused(&requester, &request).await;
            assert_eq!(text, format!("{UNREADABLE}'{member}' is required"));
        }
    }
    nothing_happened(&node);
    let mut least = whole;
    least
        .as_object_mut()
        .unwrap()
        .retain(|member, _| needed.contains(&member.as_str()));
    let payload = least.to_string().into_bytes();
    requester.deploy_bytes("default", payload).await.unwrap();
    node.stop().await;
}

/// A token whose signature covers its claims alone, as the first version's
/// does: whoever sees it can write another header.
fn token_of_version_one(requester: &Requester, request: &DeployRequest, typ: &str) -> String {
    let claims = request.workload_jwt.split('.').nth(1).unwrap();
    let header = json!({ "typ": typ, "alg": "ed25519" }).to_string();
    let signature = requester.issuer.sign(claims.as_bytes()).unwrap();
    let [header, signature] =
        [header.as_bytes(), &signature].map(|part| BASE64URL_NOPAD.encode(part));
    format!("{header}.{claims}.{signature}")
}

#[tokio::test]
async fn a_token_that_was_used_is_refused_however_it_is_dressed() {
    let (_nats, _ground, node, requester) = scene().await;
    let mut request = requester.signed(requester.service());
    request.workload_jwt = token_of_version_one(&requester, &request, "JWT");
    requester.deploy_request(&request).await.unwrap();
    let expected = "Invalid deploy request: workload JWT was used before; sign a new one";
    let again = deploy_error(requester.deploy_request(&request).await);
    assert_eq!(again, expected);
    let elsewhere = requester.deploy_bytes("other", request.encode()).await;
    assert_eq!(deploy_error(elsewhere), expected, "in another namespace");
    request.workload_jwt = token_of_version_one(&requester, &request, "jwt");
    let dressed = deploy_error(requester.deploy_request(&request).await);
    assert_eq!(dressed, expected, "under another header");
    assert_eq!(node.handle.roster().borrow().views.len(), 1);
    node.stop().await;
}

#[tokio::test]
async fn who_is_not_on_a_list_is_refused_before_anything_is_fetched() {
    let on_lists = |options: &mut NodeOptions| {
        options.admission.issuers = vec![KeyPair::new_account().public_key()];
        options.admission.requesters = vec![XKey::new().public_key()];
    };
    let (_nats, _ground, node, requester) = scene_with(|_, options| on_lists(options)).await;
    for _ in 0..3 {
        let mut new = requester.service();
        // Refused for what it lacks if anybody looked.
        new.location = hostler_wire::nats::Location::object("NOSUCH", "nothing");
        let text = deploy_error(requester.deploy(new).await);
        let issuer = requester.issuer.public_key();
        assert_eq!(text, format!("invalid workload issuer: {issuer}"));
    }
    // The node answers in order what it looks up; nothing is under way by now.
    requester.wait_for_node().await;
    nothing_happened(&node);
    node.stop().await;
}

#[tokio::test]
async fn an_environment_that_was_sealed_for_another_node_does_not_open() {
    let (_nats, _ground, node, requester) = scene().await;
    let other = XKey::new().public_key();
    let mut request = requester.signed(requester.service());
    let environment = [("SECRET".to_owned(), "1".to_owned())].into();
    request.environment = xkey::seal_environment(&environment, &requester.sender, &other).unwrap();
    let text = deploy_error(requester.deploy_request(&request).await);
    assert_eq!(
        text,
        "Failed to decrypt environment for deploy request: nkeys: could not decrypt input"
    );
    nothing_happened(&node);
    node.stop().await;
}

#[tokio::test]
async fn an_artifact_over_the_limit_is_refused_and_one_at_the_limit_is_not() {
    let check = async |most: u64| {
        let limit = |options: &mut NodeOptions| options.admission.artifact_bytes = most;
        let (_nats, _ground, node, requester) = scene_with(|_, options| limit(options)).await;
        let answer = requester.deploy(requester.service()).await;
        if answer.is_err() {
            nothing_happened(&node);
        }
        node.stop().await;
        answer
    };
    let size = ARTIFACT.len() as u64;
    check(size).await.unwrap();
    let text = deploy_error(check(size - 1).await);
    let expected = format!(
        "Failed to cache workload bytes: artifact of {size} bytes exceeds maximum of {} bytes",
        size - 1
    );
    assert_eq!(text, expected);
}

/// An object of many bytes whose own entry claims few, and no digest.
async fn understate(requester: &Requester, claimed: usize) {
    let context = jetstream::new(requester.client.clone());
    let store = context.get_object_store(BUCKET).await.unwrap();
    let mut entry = serde_json::to_value(store.info("echo").await.unwrap()).unwrap();
    entry["size"] = json!(claimed);
    entry.as_object_mut().unwrap().remove("digest");
    let mut headers = HeaderMap::new();
    headers.insert("Nats-Rollup", "sub");
    let subject = format!("$O.{BUCKET}.M.{}", BASE64URL.encode(b"echo"));
    let published = context
        .publish_with_headers(subject, headers, entry.to_string().into())
        .await;
    published.unwrap().await.unwrap();
}

#[tokio::test]
async fn an_artifact_that_is_larger_than_it_claims_is_not_read_to_its_end() {
    let limit = |options: &mut NodeOptions| options.admission.artifact_bytes = 10;
    let (_nats, _ground, node, requester) = scene_with(|_, options| limit(options)).await;
    understate(&requester, 3).await;
    let text = deploy_error(requester.deploy(requester.service()).await);
    let start = "Failed to cache workload bytes: the artifact has ";
    assert!(text.starts_with(start) && text.ends_with("not 3"), "{text}");
    nothing_happened(&node);
    node.stop().await;
}

#[tokio::test]
async fn a_trigger_that_this_node_denies_is_refused() {
    let deny = |options: &mut NodeOptions| {
        options.admission.denied_triggers = vec!["bank.>".to_owned()];
    };
    let (_nats, _ground, node, requester) = scene_with(|_, options| deny(options)).await;
    for subject in ["bank.pay", "bank.*", "bank.>"] {
        let text = deploy_error(requester.deploy(requester.function(subject)).await);
        let expected = format!("'{subject}' is not allowed as a trigger: it overlaps bank.>");
        assert_eq!(text, format!("Failed to deploy workload: {expected}"));
    }
    nothing_happened(&node);
    requester
        .deploy(requester.function("bankers"))
        .await
        .unwrap();
    node.stop().await;
}

#[tokio::test]
async fn a_request_of_two_tokens_in_one_is_the_last() {
    let (_nats, _ground, node, requester) = scene().await;
    let good = requester.signed(requester.service());
    let whole = String::from_utf8(good.encode()).unwrap();
    let twice = whole.replacen('{', "{\"WORKLOAD_JWT\":\"not.a.token\",", 1);
    requester
        .deploy_bytes("default", twice.into_bytes())
        .await
        .unwrap();
    node.stop().await;
}
