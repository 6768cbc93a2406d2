//! The rows of the original's test-suite that concern the wire alone (protocol
//! 11.1, 11.5), each under its number, and the refusals with their texts.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use hostler_wire::nats::nkey::{KeyPair, XKey};
use hostler_wire::nats::subject::{Control, LogSubject};
use hostler_wire::nats::{
    Claims, CloudEvent, DeployRefusal, DeployRequest, Location, LogPayload, Message, NewDeploy,
    PingReply, ReplyError, StopRefusal, StopRequest, WorkloadFilter, envelope, stop, subject,
};

fn now() -> DateTime<Utc> {
    crate::support::moment()
}

fn environment() -> BTreeMap<String, String> {
    crate::support::map(&[
        ("NATS_URL", "nats://127.0.0.1:4222"),
        ("other", "1 < 2 & 3"),
    ])
}

fn new_deploy(name: &str) -> NewDeploy {
    NewDeploy {
        name: name.into(),
        r#type: "elf".into(),
        description: "A test".into(),
        location: Location::object("MYFILES", "testworkload"),
        hash: "9F".repeat(32),
        environment: environment(),
        ..NewDeploy::default()
    }
}

/// A request as a node receives it.
fn request(issuer: &KeyPair, node: &XKey) -> DeployRequest {
    let target = ("NNODE", node.public_key());
    let sent = new_deploy("testworkload")
        .request(issuer, &XKey::new(), (target.0, &target.1), now())
        .unwrap();
    DeployRequest::read(&sent.encode()).unwrap()
}

fn stop_token(issuer: &KeyPair, name: &str, at: DateTime<Utc>) -> Claims {
    let token = Claims::workload(name, None).sign(issuer, at).unwrap();
    Claims::decode(&token).unwrap()
}

/// What a stop of `testworkload`, deployed now by `issuer`, comes to.
fn stopped_by(stop: &Claims, issuer: &KeyPair) -> Result<(), StopRefusal> {
    let deployed = request(issuer, &XKey::new()).claims().unwrap();
    stop::stop_allowed(&deployed, stop)
}

#[test]
fn t1_a_deploy_request_opens_with_the_recipients_key_and_is_valid() {
    let (issuer, node) = (KeyPair::new_account(), XKey::new());
    let request = request(&issuer, &node);
    assert_eq!(request.open_environment(&node).unwrap(), environment());
    let claims = request.claims().unwrap();
    assert_eq!(claims.iss, issuer.public_key());
    assert_eq!(claims.artifact_hash(), Some("9f".repeat(32)));
    let name = DeployRequest::name_in(&claims, now()).unwrap();
    assert_eq!(name.as_str(), "testworkload");
}

#[test]
fn t2_the_issuer_may_stop_a_second_later() {
    let issuer = KeyPair::new_account();
    let stop = stop_token(&issuer, "testworkload", now() + Duration::from_secs(1));
    assert!(stopped_by(&stop, &issuer).is_ok());
}

#[test]
fn t3_another_issuer_may_not_stop() {
    let stop = stop_token(
        &KeyPair::new_account(),
        "testworkload",
        now() + Duration::from_secs(1),
    );
    let refusal = stopped_by(&stop, &KeyPair::new_account());
    assert!(matches!(refusal, Err(StopRefusal::OtherIssuer)));
}

#[test]
fn t4_a_token_for_another_name_does_not_stop() {
    let issuer = KeyPair::new_account();
    let stop = stop_token(&issuer, "otherworkload", now() + Duration::from_secs(1));
    assert!(matches!(
        stopped_by(&stop, &issuer),
        Err(StopRefusal::OtherSubject)
    ));
}

#[test]
fn a_deploy_token_used_again_does_not_stop_but_a_new_one_of_the_same_second_does() {
    let issuer = KeyPair::new_account();
    let token = request(&issuer, &XKey::new()).workload_jwt;
    let cloned = Claims::decode(&token).unwrap();
    assert!(matches!(
        stopped_by(&cloned, &issuer),
        Err(StopRefusal::ClonedClaims)
    ));
    let same_second = stop_token(&issuer, "testworkload", now());
    assert!(stopped_by(&same_second, &issuer).is_ok());
}

#[test]
fn t6_a_workload_ping_filters_by_namespace_name_and_id() {
    let workloads = [
        ("default", "id1", "echo"),
        ("default", "id2", "shout"),
        ("Other", "id3", "crash"),
    ];
    let check = |namespace: &str, workload: &str, expected: usize| {
        let filter = WorkloadFilter {
            namespace: namespace.into(),
            workload: workload.into(),
        };
        let matches = |(ns, id, name): &&(&str, &str, &str)| filter.matches(ns, id, name);
        let count = workloads.iter().filter(matches).count();
        assert_eq!(count, expected, "{namespace} {workload}");
    };
    check("", "", 3);
    check("default", "", 2);
    check("", "crash", 1);
    check("", "id2", 1);
    check("nowhere", "", 0);
    check("other", "", 1);
    check("DEFAULT", "ECHO", 1);
    check("default", "ID1", 0);
    check("default", "id3", 0);
    check("*", "", 0);
}

#[test]
fn m1_an_event_keeps_both_fields_of_its_data() {
    let subject = subject::event("default", "workload_started");
    assert_eq!(subject, "$NEX.events.default.workload_started");
    assert_eq!(
        subject::parse_event(&subject),
        Some(("default", "workload_started"))
    );
    let payload = br#"{"specversion":"1.0","type":"workload_started","id":"1",
        "source":"testing","data":{"one":"a","two":"b"}}"#;
    let event = CloudEvent::decode(payload).unwrap();
    assert_eq!(event.data, serde_json::json!({"one": "a", "two": "b"}));
    assert_eq!((event.id.as_str(), event.source.as_str()), ("1", "testing"));
}

#[test]
fn m2_a_log_subject_has_the_documented_order() {
    let parsed = subject::parse_log("$NEX.logs.default.Nxxxx.echoservice.vm1234");
    let expected = LogSubject {
        namespace: "default",
        node: "Nxxxx",
        workload: "echoservice",
        id: "vm1234",
    };
    assert_eq!(parsed, Some(expected));
    let payload = br#"{"text":"hello","level":"debug","id":"vm1234"}"#;
    let entry = LogPayload::decode(payload).unwrap();
    assert_eq!(
        (entry.text.as_str(), entry.id.as_str()),
        ("hello", "vm1234")
    );
    assert_eq!(entry.level.to_string(), "DEBUG");
}

#[test]
fn a_log_subject_of_the_other_order_is_understood() {
    let slot = crate::support::nats_bodies::SLOT;
    let expected = LogSubject {
        namespace: "ns",
        node: "N1",
        workload: "echo",
        id: slot,
    };
    let documented = subject::log(&expected);
    assert_eq!(documented, format!("$NEX.logs.ns.N1.echo.{slot}"));
    for text in [documented, format!("$NEX.logs.ns.N1.{slot}.echo")] {
        assert_eq!(subject::parse_log(&text), Some(expected), "{text}");
    }
    let name_like_an_id = format!("$NEX.logs.ns.N1.abcdefghijabcdefghij.{slot}");
    let parsed = subject::parse_log(&name_like_an_id).unwrap();
    assert_eq!((parsed.workload, parsed.id), ("abcdefghijabcdefghij", slot));
    for other in [
        "$NEX.logs.ns.N1.echo",
        "$NEX.logs.ns.N1.a.b.c",
        "$NEX.logs.ns..a.b",
        "x",
    ] {
        assert_eq!(subject::parse_log(other), None, "{other}");
    }
}

#[test]
fn u4_each_control_subject_is_matched_by_one_subscription() {
    let node = "NNODE";
    let subscriptions = subject::node_subscriptions(node);
    let check = |subject: &str, expected: Control<'_>| {
        let hits = |pattern: &&String| subject::overlaps(pattern, subject);
        assert_eq!(subscriptions.iter().filter(hits).count(), 1, "{subject}");
        assert_eq!(Control::parse(subject, node), Some(expected), "{subject}");
    };
    let namespace = "default";
    check("$NEX.PING", Control::Ping);
    check(&subject::ping_node(node), Control::Ping);
    check(&subject::info(namespace, node), Control::Info { namespace });
    check(
        &subject::deploy(namespace, node),
        Control::Deploy { namespace },
    );
    check(&subject::stop(namespace, node), Control::Stop { namespace });
    check(&subject::lame_duck(node), Control::LameDuck);
    let all = Control::WorkloadPing {
        namespace,
        workload: "",
    };
    check(&subject::workload_ping(namespace, None), all);
    let one = Control::WorkloadPing {
        namespace,
        workload: "echo",
    };
    check(&subject::workload_ping(namespace, Some("echo")), one);
    check("$NEX.WPING.default.echo.more.still", one);
    for other in [
        "$NEX.PING.NOTHER",
        "$NEX.RUN.default.NNODE",
        "$NEX.DEPLOY.NNODE",
        "$NEX",
        "",
    ] {
        assert_eq!(Control::parse(other, node), None, "{other}");
    }
}

#[test]
fn a_deploy_request_without_a_needed_member_is_refused_and_not_a_panic() {
    let whole: serde_json::Value =
        serde_json::from_slice(&crate::support::nats_bodies::deploy_request().encode()).unwrap();
    let needed = [
        "type",
        "location",
        "workload_jwt",
        "environment",
        "sender_public_key",
    ];
    for member in needed {
        for absent in [true, false] {
            let mut payload = whole.clone();
            let members = payload.as_object_mut().unwrap();
            members.remove(member);
            if !absent {
                members.insert(member.into(), serde_json::Value::Null);
            }
            let refusal = DeployRequest::read(payload.to_string().as_bytes()).unwrap_err();
            let expected = format!("Unable to deserialize deploy request: '{member}' is required");
            assert_eq!(refusal.to_string(), expected);
        }
    }
    for payload in [
        "",
        "{",
        "[]",
        "5",
        r#"{"location":"nats://a/b"}"#,
        r#"{"argv":"x"}"#,
    ] {
        let refusal = DeployRequest::read(payload.as_bytes())
            .unwrap_err()
            .to_string();
        assert!(
            refusal.starts_with("Unable to deserialize deploy request: "),
            "{refusal}"
        );
    }
}

#[test]
fn what_a_deploy_request_may_leave_out_has_a_default() {
    let payload = br#"{"Type":"elf","LOCATION":{"host":"B","path":"/a/b/"},"workload_jwt":"j",
        "environment":"e","sender_public_key":"X","host_services":{"a":1}}"#;
    let request = DeployRequest::read(payload).unwrap();
    assert_eq!(
        (request.location.bucket(), request.location.key()),
        ("B", "a/b")
    );
    assert_eq!(request.description, "");
    assert!(!request.essential && request.trigger_subjects.is_empty());
}

#[test]
fn refusals_have_the_texts_that_tools_match() {
    let check = |refusal: DeployRefusal, expected: &str| assert_eq!(refusal.to_string(), expected);
    check(
        DeployRefusal::Subject,
        "Invalid subject for workload deployment",
    );
    check(
        DeployRefusal::LameDuck,
        "Node is in lame duck mode. Workload deploy request rejected",
    );
    check(
        DeployRefusal::Type("oci".into()),
        "Unsupported workload type on this node: oci",
    );
    check(
        DeployRefusal::NoAgent,
        "Failed to deploy workload: failed to deploy workload: no available agent client in pool",
    );
    check(
        DeployRefusal::AgentSilent("nats: timeout".into()),
        "Failed to deploy workload: failed to submit request for workload deployment: failed to \
         submit request for workload deployment: nats: timeout",
    );
}

#[test]
fn what_is_wrong_with_a_request_follows_the_stable_text() {
    let check = |refusal: DeployRefusal, expected: &str| assert_eq!(refusal.to_string(), expected);
    let (node, stranger) = (XKey::new(), XKey::new());
    let request = request(&KeyPair::new_account(), &node);
    check(
        request.open_environment(&stranger).unwrap_err(),
        "Failed to decrypt environment for deploy request: nkeys: could not decrypt input",
    );
    let bad_token = DeployRequest {
        workload_jwt: "a.b".into(),
        ..request
    };
    check(
        bad_token.claims().unwrap_err(),
        "Invalid deploy request: could not decode workload JWT: expected 3 chunks",
    );
    let claims = Claims::workload("no/name", None);
    let refusal = DeployRequest::name_in(&claims, now())
        .unwrap_err()
        .to_string();
    let expected = "Invalid deploy request: workload name claim ('no/name') does not match \
        requirements of ";
    assert!(refusal.starts_with(expected), "{refusal}");
    let expired = Claims {
        exp: 1,
        ..Claims::workload("name", None)
    };
    check(
        DeployRequest::name_in(&expired, now()).unwrap_err(),
        "Invalid deploy request: standard claims within JWT are not valid",
    );
}

#[test]
fn a_stop_without_sense_is_refused_as_the_original_does() {
    let refusal = StopRequest::decode(b"{")
        .map_err(StopRefusal::from)
        .unwrap_err();
    assert!(
        refusal
            .to_string()
            .starts_with("Unable to deserialize stop request: ")
    );
    let refusal = Claims::decode("").map_err(StopRefusal::from).unwrap_err();
    let expected = "Invalid stop request: could not decode workload JWT: expected 3 chunks";
    assert_eq!(refusal.to_string(), expected);
    assert_eq!(StopRefusal::NoSuchWorkload.to_string(), "No such workload");
}

#[test]
fn a_reply_with_any_error_is_a_refusal() {
    let refused = |payload: &str| match envelope::decode::<PingReply>(payload.as_bytes()) {
        Err(ReplyError::Refused(text)) => text,
        other => panic!("{payload}: {other:?}"),
    };
    assert_eq!(
        refused(r#"{"type":"t","data":"","error":"No such workload"}"#),
        "No such workload"
    );
    assert_eq!(
        refused(r#"{"data":{"node_id":"N"},"Error":{"a":1}}"#),
        r#"{"a":1}"#
    );
    assert_eq!(refused(r#"{"error":""}"#), "");
    assert_eq!(refused(r#"{"error":false}"#), "false");
    let reply: PingReply = envelope::decode(br#"{"DATA":{"Node_ID":"N"},"error":null}"#).unwrap();
    assert_eq!(reply.node_id, "N");
    for unreadable in ["", "[]", r#"{"data":"text"}"#] {
        let error = envelope::decode::<PingReply>(unreadable.as_bytes());
        assert!(
            matches!(error, Err(ReplyError::Unreadable(_))),
            "{unreadable}"
        );
    }
}

/// Reads a body and writes it again, with the same bytes.
fn same<T: Message>(text: &str) {
    let body = T::decode(text.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(body.encode()).unwrap(), text);
}

#[test]
fn the_worked_examples_are_written_as_they_were_read() {
    // Appendix B.1, B.4, B.5 and B.7.
    same::<DeployRequest>(concat!(
        r#"{"description":"The echo service","type":"elf","location":{"Scheme":"nats","#,
        r#""Opaque":"","User":null,"Host":"MYFILES","Path":"/echoservice","RawPath":"","#,
        r#""OmitHost":false,"ForceQuery":false,"RawQuery":"","Fragment":"","RawFragment":""},"#,
        r#""essential":false,"workload_jwt":"eyJ0eXAi","environment":"eGt2MQ","jsdomain":"","#,
        r#""sender_public_key":"XB","target_node":"NC"}"#,
    ));
    same::<hostler_wire::agent::AgentDeployRequest>(concat!(
        r#"{"description":"The echo service","environment":{"nats_url":"nats://10.1.2.3:4222"},"#,
        r#""essential":false,"hash":"9f86d0","namespace":"default","total_bytes":5242880,"#,
        r#""trigger_subjects":null,"workload_name":"echoservice","workload_type":"elf"}"#,
    ));
    same::<StopRequest>(
        r#"{"workload_id":"coj2v3d2omt3lq0a1b2g","workload_jwt":"eyJ0","target_node":"NC"}"#,
    );
    same::<LogPayload>(
        r#"{"text":"Starting echo service","level":"WARN","id":"coj2v3d2omt3lq0a1b2g"}"#,
    );
    same::<CloudEvent>(concat!(
        r#"{"data":{"code":1,"message":"m","workload_name":"echoservice"},"#,
        r#""datacontenttype":"application/json","id":"6a0c","source":"coj2","#,
        r#""specversion":"1.0","time":"2024-04-26T20:46:01.123456789Z","type":"workload_stopped"}"#,
    ));
    // B.3 and 1.2.
    let reply = concat!(
        r#"{"type":"io.nats.nex.v1.run_response","data":{"started":true,"#,
        r#""id":"coj2v3d2omt3lq0a1b2g","issuer":"AB","name":"echoservice"}}"#,
    );
    let data: hostler_wire::nats::DeployReply = envelope::decode(reply.as_bytes()).unwrap();
    let kind = hostler_wire::nats::ReplyType::Run;
    assert_eq!(envelope::success(kind, &data), reply.as_bytes());
    let failure = concat!(
        r#"{"type":"io.nats.nex.v1.run_response","data":"","#,
        r#""error":"Unsupported workload type on this node: oci"}"#,
    );
    let refusal = DeployRefusal::Type("oci".into()).to_string();
    assert_eq!(envelope::failure(kind, &refusal), failure.as_bytes());
}
