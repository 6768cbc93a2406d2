//! What only looks: PING, WPING, INFO; and the subscriptions of the node
//! (protocol 11.3, U4).

use std::time::Duration;

use futures::StreamExt as _;
use hostler_wire::nats::{InfoReply, PingReply, WorkloadPingReply, envelope, subject};

use crate::support::{Requester, TestNode};

#[tokio::test]
async fn u4_exactly_one_subscription_matches_each_subject() {
    let (nats, _ground, node) = TestNode::alone().await;
    let requester = Requester::new(&nats, &node.handle).await;
    requester.ask(subject::PING.to_owned(), Vec::new()).await;
    let id = &node.handle.node;
    for subject in [
        subject::PING.to_owned(),
        subject::ping_node(id),
        subject::info("default", id),
        subject::deploy("default", id),
        subject::stop("default", id),
        subject::lame_duck(id),
        subject::workload_ping("default", None),
    ] {
        assert_eq!(nats.subscriptions(&subject).await, 1, "{subject}");
    }
    assert_eq!(nats.subscriptions("$NEX.PING.other").await, 0);
    node.stop().await;
}

#[tokio::test]
async fn a_ping_is_answered_with_tags_and_a_count() {
    let (nats, _ground, node) = TestNode::alone().await;
    let requester = Requester::new(&nats, &node.handle).await;
    requester.deploy(requester.service()).await.unwrap();
    for subject in [
        subject::PING.to_owned(),
        subject::ping_node(&requester.node),
    ] {
        let answer = requester.ask(subject, b"ignored".to_vec()).await;
        let reply: PingReply = envelope::decode(&answer).unwrap();
        assert_eq!(reply.node_id, requester.node);
        assert_eq!(reply.running_machines, 1);
        assert_eq!(reply.tags["node_name"], "n1");
        assert_eq!(reply.tags["nex.os"], "linux");
        assert_eq!(
            reply.tags["nex.unsafe"], "true",
            "the fake isolates nothing"
        );
        assert!(reply.tags.contains_key("nex.cpucount"));
        assert!(!reply.tags.contains_key("nex.lameduck"));
    }
    node.stop().await;
}

#[tokio::test]
async fn a_workload_ping_is_answered_by_who_has_it_and_nobody_else() {
    let (nats, _ground, node) = TestNode::alone().await;
    let requester = Requester::new(&nats, &node.handle).await;
    let id = requester.deploy(requester.service()).await.unwrap().id;
    let ask = async |namespace: &str, workload: Option<&str>| {
        let inbox = requester.client.new_inbox();
        let mut answers = requester.client.subscribe(inbox.clone()).await.unwrap();
        let subject = subject::workload_ping(namespace, workload);
        let publish = requester
            .client
            .publish_with_reply(subject, inbox, "".into());
        publish.await.unwrap();
        // A ping is answered after it, on the same connection of the node.
        requester
            .ask(subject::ping_node(&requester.node), Vec::new())
            .await;
        let answer = tokio::time::timeout(Duration::from_millis(100), answers.next()).await;
        let answer = answer.ok().flatten()?;
        Some(envelope::decode::<WorkloadPingReply>(&answer.payload).unwrap())
    };
    for (namespace, workload) in [
        ("default", None),
        ("DEFAULT", None),
        ("default", Some("echo")),
        ("default", Some("ECHO")),
        ("default", Some(id.as_str())),
    ] {
        let reply = ask(namespace, workload).await.expect("an answer");
        assert_eq!(reply.running_machines.len(), 1);
        assert_eq!(reply.running_machines[0].id, id);
        assert_eq!(reply.running_machines[0].namespace, "default");
        assert_eq!(reply.running_machines[0].r#type, "elf");
    }
    for (namespace, workload) in [
        ("other", None),
        ("default", Some("other")),
        ("default", Some(id.to_uppercase().as_str())),
    ] {
        assert!(
            ask(namespace, workload).await.is_none(),
            "{namespace} {workload:?}"
        );
    }
    node.stop().await;
}

#[tokio::test]
async fn info_shows_the_work_of_a_namespace() {
    let (nats, _ground, node) = TestNode::alone().await;
    let requester = Requester::new(&nats, &node.handle).await;
    let mut new = requester.service();
    new.description = "The echo service".to_owned();
    let id = requester.deploy(new).await.unwrap().id;
    let ask = async |namespace: &str| {
        let subject = subject::info(namespace, &requester.node);
        envelope::decode::<InfoReply>(&requester.ask(subject, Vec::new()).await).unwrap()
    };
    let info = ask("Default").await;
    assert_eq!(info.public_xkey, node.handle.xkey);
    assert_eq!(info.supported_workload_types, ["elf", "v8", "wasm"]);
    assert!(info.memory.is_some());
    assert_eq!(info.machines.len(), 1);
    let machine = &info.machines[0];
    assert_eq!(machine.id, id);
    assert!(machine.healthy);
    assert_eq!(machine.workload.name, "echo");
    assert_eq!(machine.workload.description, "The echo service");
    assert_eq!(machine.workload.hash.len(), 64);
    assert_ne!(machine.uptime, "unknown");
    assert!(ask("other").await.machines.is_empty());
    node.stop().await;
}
