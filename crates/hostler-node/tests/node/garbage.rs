//! Nonsense on every subject: at most one answer each, and the node lives.

use std::time::Duration;

use futures::StreamExt as _;
use hostler_wire::nats::subject::{self, node_subscriptions};

use crate::support::{Requester, TestNode};

#[tokio::test]
async fn nonsense_gets_at_most_one_answer_and_kills_nothing() {
    let (nats, _ground, node) = TestNode::alone().await;
    let requester = Requester::new(&nats, &node.handle).await;
    let client = &requester.client;
    let mut payloads: Vec<Vec<u8>> = [
        "", "{", "[]", "null", "1e999", "\"\"", "{\"type\":null}", "{\"type\":{}}",
        "{\"location\":\"x\",\"type\":\"elf\"}", "{\"workload_id\":7}", "\u{0}",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec();
    payloads.push(vec![0xff; 300]);
    payloads.push(vec![b'['; 100_000]);
    for _ in 0..40 {
        payloads.push((0..rand::random_range(1..200)).map(|_| rand::random()).collect());
    }
    let lame_duck = subject::lame_duck(&requester.node);
    let subjects = node_subscriptions(&requester.node)
        .into_iter()
        .filter(|subject| *subject != lame_duck)
        .map(|subject| subject.replace('*', "default").replace(".>", ".default.x.y.z"));
    let mut inboxes = Vec::new();
    for subject in subjects {
        for payload in &payloads {
            let inbox = client.new_inbox();
            let answers = client.subscribe(inbox.clone()).await.unwrap();
            let publish =
                client.publish_with_reply(subject.clone(), inbox, payload.clone().into());
            publish.await.unwrap();
            inboxes.push((subject.clone(), answers));
        }
    }
    client.flush().await.unwrap();
    let ping = requester.ask(subject::PING.to_owned(), Vec::new()).await;
    assert!(!ping.is_empty(), "the node lives");
    tokio::time::sleep(Duration::from_millis(300)).await;
    for (subject, mut answers) in inboxes {
        answers.unsubscribe().await.unwrap();
        let mut count = 0;
        while let Some(answer) = answers.next().await {
            let answer: serde_json::Value = serde_json::from_slice(&answer.payload).unwrap();
            assert!(answer["type"].is_string(), "{answer}");
            count += 1;
        }
        assert!(count <= 1, "{count} answers on {subject}");
        if subject.contains("DEPLOY") || subject.contains("STOP") {
            assert_eq!(count, 1, "{subject}");
        }
    }
    requester.deploy(requester.service()).await.unwrap();
    node.stop().await;
}
