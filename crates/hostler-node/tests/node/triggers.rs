//! Functions: messages in, answers out, and what is told of it.

use std::time::Duration;

use futures::StreamExt as _;
use hostler_wire::nats::subject::{self, LOGS_ALL};
use hostler_wire::nats::{CloudEvent, EventData, InfoReply, LogPayload, Message, envelope};

use crate::support::{Requester, TestNode};

#[tokio::test]
async fn a_function_answers_with_its_data_and_is_told_of() {
    let (nats, _ground, node) = TestNode::alone().await;
    let requester = Requester::new(&nats, &node.handle).await;
    let client = &requester.client;
    let mut events = client.subscribe("$NEX.events.default.*").await.unwrap();
    let mut logs = client.subscribe(LOGS_ALL).await.unwrap();
    requester
        .deploy(requester.function("calc.*"))
        .await
        .unwrap();
    let answer = requester.ask("calc.add".to_owned(), b"one".to_vec()).await;
    assert_eq!(answer, b"one");
    let event = loop {
        let message = events.next().await.unwrap();
        if message.subject.ends_with("function_exec_succeeded") {
            break CloudEvent::decode(&message.payload).unwrap();
        }
    };
    assert_eq!(event.source, requester.node);
    let Some(EventData::FunctionExecSucceeded(data)) = event.typed() else {
        panic!("{event:?}");
    };
    assert_eq!(data.trigger_subject, "calc.*", "the pattern");
    assert_eq!(data.workload_name, "shout");
    assert_eq!(data.namespace, "default");
    let line = logs.next().await.unwrap();
    let line = LogPayload::decode(&line.payload).unwrap();
    assert!(
        line.text
            .starts_with("Function shout execution succeeded ("),
        "{}",
        line.text
    );
    node.stop().await;
}

#[tokio::test]
async fn a_slow_call_does_not_hold_up_the_next() {
    const ONE: Duration = Duration::from_millis(500);
    let (nats, ground, node) = TestNode::alone().await;
    let requester = Requester::new(&nats, &node.handle).await;
    requester.deploy(requester.function("slow")).await.unwrap();
    ground.fake.script(|script| script.call_takes = ONE);
    let begun = std::time::Instant::now();
    let calls = (0..20).map(|_| requester.ask("slow".to_owned(), b"x".to_vec()));
    futures::future::join_all(calls).await;
    assert!(
        begun.elapsed() < 20 * ONE,
        "not one after the other, which takes as long by itself"
    );
    let subject = subject::info("default", &requester.node);
    let info = requester.ask(subject, Vec::new()).await;
    let info: InfoReply = envelope::decode(&info).unwrap();
    assert_eq!(info.machines[0].workload.r#type, "wasm");
    node.stop().await;
}

#[tokio::test]
async fn a_stopped_function_listens_no_more() {
    let (nats, _ground, node) = TestNode::alone().await;
    let requester = Requester::new(&nats, &node.handle).await;
    let id = requester
        .deploy(requester.function("once"))
        .await
        .unwrap()
        .id;
    requester.ask("once".to_owned(), b"x".to_vec()).await;
    requester.stop(&id, "shout").await.unwrap();
    crate::support::eventually("nobody listens", async || {
        (nats.subscriptions("once").await == 0).then_some(())
    })
    .await;
    node.stop().await;
}

#[tokio::test]
async fn two_functions_of_one_name_share_the_messages() {
    let (nats, _ground, node) = TestNode::alone().await;
    let mut requester = Requester::new(&nats, &node.handle).await;
    requester
        .deploy(requester.function("shared"))
        .await
        .unwrap();
    // The same words signed in one second are one token; another issuer's are not.
    requester.issuer = hostler_wire::nats::nkey::KeyPair::new_account();
    requester
        .deploy(requester.function("shared"))
        .await
        .unwrap();
    let inbox = requester.client.new_inbox();
    let mut answers = requester.client.subscribe(inbox.clone()).await.unwrap();
    for _ in 0..10 {
        let publish = requester
            .client
            .publish_with_reply("shared", inbox.clone(), "x".into());
        publish.await.unwrap();
    }
    for _ in 0..10 {
        answers.next().await.unwrap();
    }
    let more = tokio::time::timeout(Duration::from_millis(200), answers.next()).await;
    assert!(more.is_err(), "a message ran twice");
    node.stop().await;
}
