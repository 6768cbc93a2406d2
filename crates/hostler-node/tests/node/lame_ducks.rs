//! Lame duck mode (protocol 7.1).

use futures::StreamExt as _;
use hostler_wire::nats::{LameDuckReply, PingReply, envelope, subject};

use crate::support::node::{id, run};
use crate::support::{Requester, TestNode, deploy_error};

async fn enter(requester: &Requester) -> LameDuckReply {
    let subject = subject::lame_duck(&requester.node);
    envelope::decode(&requester.ask(subject, Vec::new()).await).unwrap()
}

#[tokio::test]
async fn a_lame_duck_says_so_once_takes_nothing_and_restarts_nothing() {
    let (nats, ground, node) = TestNode::alone().await;
    let requester = Requester::new(&nats, &node.handle).await;
    let mut new = requester.service();
    new.essential = true;
    let work = requester.deploy(new).await.unwrap().id;
    let subject = subject::event("system", "node_entered_lameduck");
    let mut events = requester.client.subscribe(subject).await.unwrap();
    for _ in 0..2 {
        let reply = enter(&requester).await;
        assert!(reply.success);
        assert_eq!(reply.node_id, requester.node);
    }
    let ping = requester.ask(subject::PING.to_owned(), Vec::new()).await;
    let ping: PingReply = envelope::decode(&ping).unwrap();
    assert_eq!(ping.tags["nex.lameduck"], "true");
    assert_eq!(ping.running_machines, 1, "running work keeps running");
    ground.fake.exit(work.parse().unwrap(), 1).await;
    crate::support::eventually("it is not started again", async || {
        node.handle.roster().borrow().views.is_empty().then_some(())
    })
    .await;
    node.stop().await;
    events.next().await.unwrap();
    events.unsubscribe().await.unwrap();
    assert!(events.next().await.is_none(), "told twice");
}

#[tokio::test]
async fn a_lame_duck_stays_one_until_it_is_stopped_without_work() {
    let (nats, ground, node) = TestNode::alone().await;
    let requester = Requester::new(&nats, &node.handle).await;
    let work = requester.deploy(requester.service()).await.unwrap().id;
    enter(&requester).await;
    node.stop().await;
    let node = TestNode::start(ground.options(&nats)).await;
    let mut other = requester.service();
    other.name = "other".into();
    let text = deploy_error(requester.deploy(other.clone()).await);
    assert!(text.contains("lame duck"), "{text}");
    crate::support::eventually("its work is adopted", async || {
        requester.stop(&work, "echo").await.ok()
    })
    .await;
    node.stop().await;
    let node = TestNode::start(ground.options(&nats)).await;
    requester.deploy(other).await.unwrap();
    node.stop().await;
}

#[tokio::test]
async fn a_lame_duck_takes_no_new_order_of_the_control_plane() {
    let (nats, plane, _ground, node) = TestNode::in_fleet(1_000).await;
    let requester = Requester::new(&nats, &node.handle).await;
    enter(&requester).await;
    plane
        .heard(|heartbeat| {
            let tags = &heartbeat.report.as_ref()?.tags;
            tags.get("nex.lameduck").cloned()
        })
        .await;
    let digest = plane.artifact(b"abc");
    let refused = node.ensure(id(1), &run(&plane, 1, &digest, 3)).await;
    let error = refused.unwrap_err();
    assert_eq!(error.body().unwrap().code, "lame_duck");
    node.stop().await;
}
