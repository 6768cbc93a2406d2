//! The end of the lease: the node stops leased work by itself, in time, and
//! starts none again before a fresh order.

use std::time::Duration;

use hostler_core::Generation;
use hostler_core::workload::{OnNodeLoss, SeenState};
use hostler_node::REGISTRATION_FILE;

use crate::support::node::{ABC, id, run};
use crate::support::{Mood, Requester, TestNode};

const SPAN: u64 = 3_000;

#[tokio::test]
async fn silence_ends_leased_work_at_once_and_nothing_else() {
    let (nats, plane, ground, node) = TestNode::in_fleet(250).await;
    plane.fence_after(SPAN);
    let named = plane
        .heard(|heartbeat| heartbeat.report.as_ref()?.fence_after_ms)
        .await;
    assert_eq!(named, SPAN, "named once it is on disk");
    let digest = plane.artifact(ABC);
    node.ensure(id(1), &run(&plane, 1, &digest, 3))
        .await
        .unwrap();
    let mut waits = run(&plane, 1, &digest, 3);
    waits.order.as_mut().unwrap().on_node_loss = OnNodeLoss::Wait;
    node.ensure(id(2), &waits).await.unwrap();
    let requester = Requester::new(&nats, &node.handle).await;
    let local = requester.deploy(requester.service()).await.unwrap().id;
    let (leased, waiting) = (node.runs(id(1)).await, node.runs(id(2)).await);

    plane.mood(Mood::Broken);
    let fenced = node.is(id(1), SeenState::Fenced).await;
    assert!(fenced.problem.is_some());
    assert!(!ground.fake.alive().contains(&leased));
    assert!(ground.fake.alive().contains(&waiting));
    assert!(ground.fake.alive().contains(&local.parse().unwrap()));

    plane.mood(Mood::Well);
    let seen = plane
        .heard_of(id(1), |entry| entry.state == SeenState::Fenced)
        .await;
    assert_eq!(seen.slot, None);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(
        node.is(id(1), SeenState::Fenced).await.slot,
        Some(leased),
        "not by itself"
    );
    node.ensure(id(1), &run(&plane, 1, &digest, 3))
        .await
        .unwrap();
    assert_ne!(node.runs(id(1)).await, leased);
    assert_eq!(ground.fake.state(waiting).unwrap().starts, 1);
    node.stop().await;
}

#[tokio::test]
async fn a_daemon_that_comes_back_in_time_adopts_leased_work() {
    let (nats, plane, ground, node) = TestNode::in_fleet(1_000).await;
    plane.fence_after(10_000);
    plane
        .heard(|heartbeat| heartbeat.report.as_ref()?.fence_after_ms)
        .await;
    let slot = node.runs_first(&plane).await;
    node.stop().await;
    let node = TestNode::start(ground.options_in(&nats, &plane)).await;
    assert_eq!(node.runs(id(1)).await, slot);
    let boot = plane.beat().unwrap().boot;
    plane
        .heard(|heartbeat| {
            let beat = heartbeat.report.as_ref()?.beat;
            (beat.boot != boot || beat.sequence > 2).then_some(())
        })
        .await;
    assert_eq!(node.runs(id(1)).await, slot);
    assert_eq!(ground.fake.state(slot).unwrap().starts, 1);
    node.stop().await;
}

#[tokio::test]
async fn a_daemon_that_comes_back_too_late_ends_what_its_agents_did_not() {
    let (nats, plane, ground, node) = TestNode::with_old_agents(250).await;
    plane.fence_after(SPAN);
    plane
        .heard(|heartbeat| heartbeat.report.as_ref()?.fence_after_ms)
        .await;
    let slot = node.runs_first(&plane).await;
    node.stop().await;
    tokio::time::sleep(Duration::from_millis(SPAN)).await;
    assert!(ground.fake.alive().contains(&slot));
    plane.mood(Mood::Broken);
    let node = TestNode::start(ground.options_in(&nats, &plane)).await;
    node.is(id(1), SeenState::Fenced).await;
    assert!(!ground.fake.alive().contains(&slot));
    node.stop().await;
}

#[tokio::test]
async fn a_node_that_was_unregistered_stops_leased_work() {
    let (_nats, plane, ground, node) = TestNode::in_fleet(250).await;
    let slot = node.runs_first(&plane).await;
    plane.mood(Mood::Forgetful);
    node.is(id(1), SeenState::Fenced).await;
    assert!(!ground.fake.alive().contains(&slot));
    node.stop().await;
}

#[tokio::test]
async fn a_node_that_joins_anew_drops_what_it_held_before_and_does_not_run() {
    let (nats, plane, ground, node) = TestNode::in_fleet(250).await;
    node.runs_first(&plane).await;
    plane.mood(Mood::Forgetful);
    node.is(id(1), SeenState::Fenced).await;
    node.stop().await;
    std::fs::remove_file(ground.folder.path().join("data").join(REGISTRATION_FILE)).unwrap();
    plane.mood(Mood::Well);
    let node = TestNode::start(ground.options_in(&nats, &plane)).await;
    let absent = plane.heard_of(id(1), |entry| entry.state == SeenState::Absent);
    assert_eq!(absent.await.generation, Generation::FIRST);
    assert_eq!(plane.registrations().len(), 2);
    node.stop().await;
}
