//! Nonsense on every subject: at most one answer each, and the node lives.

use std::time::Duration;

use async_nats::Subscriber;
use futures::StreamExt as _;
use hostler_wire::nats::subject::{self, node_subscriptions};

use crate::support::{Requester, TestNode};

const TEXTS: [&str; 11] = [
    "",
    "{",
    "[]",
    "null",
    "1e999",
    "\"\"",
    "{\"type\":null}",
    "{\"type\":{}}",
    "{\"location\":\"x\",\"type\":\"elf\"}",
    "{\"workload_id\":7}",
    "\u{0}",
];

fn payloads() -> Vec<Vec<u8>> {
    let texts = TEXTS.map(|text| text.as_bytes().to_vec());
    let large = [vec![0xff; 300], vec![b'['; 100_000]];
    let noise = (0..40).map(|_| {
        let length = rand::random_range(1..200);
        (0..length).map(|_| rand::random()).collect()
    });
    texts.into_iter().chain(large).chain(noise).collect()
}

/// Everything the node listens on but the way into lame duck mode.
fn subjects(node: &str) -> Vec<String> {
    let lame_duck = subject::lame_duck(node);
    let all = node_subscriptions(node).into_iter();
    all.filter(|subject| *subject != lame_duck)
        .map(|subject| {
            subject
                .replace('*', "default")
                .replace(".>", ".default.x.y.z")
        })
        .collect()
}

/// How many answers came, each in the envelope.
async fn count(answers: &mut Subscriber) -> usize {
    answers.unsubscribe().await.unwrap();
    let mut count = 0;
    while let Some(answer) = answers.next().await {
        let answer: serde_json::Value = serde_json::from_slice(&answer.payload).unwrap();
        assert!(answer["type"].is_string(), "{answer}");
        count += 1;
    }
    count
}

#[tokio::test]
async fn nonsense_gets_at_most_one_answer_and_kills_nothing() {
    let (nats, _ground, node) = TestNode::alone().await;
    let requester = Requester::new(&nats, &node.handle).await;
    let client = &requester.client;
    let mut inboxes = Vec::new();
    for subject in subjects(&requester.node) {
        for payload in payloads() {
            let inbox = client.new_inbox();
            let answers = client.subscribe(inbox.clone()).await.unwrap();
            let publish = client.publish_with_reply(subject.clone(), inbox, payload.into());
            publish.await.unwrap();
            inboxes.push((subject.clone(), answers));
        }
    }
    client.flush().await.unwrap();
    requester.wait_for_node().await;
    // Long enough for second answers to come.
    tokio::time::sleep(Duration::from_millis(300)).await;
    for (subject, mut answers) in inboxes {
        let count = count(&mut answers).await;
        let asks = subject.contains("DEPLOY") || subject.contains("STOP");
        assert!(count <= 1, "{count} answers on {subject}");
        assert!(count == 1 || !asks, "no answer on {subject}");
    }
    requester.deploy(requester.service()).await.unwrap();
    node.stop().await;
}
