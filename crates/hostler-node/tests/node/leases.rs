//! What the agents of leased work know of the lease: its end, and no later one
//! than the node itself believes in; so that work ends with its lease although
//! the daemon is dead.

use std::time::{Duration, Instant};

use hostler_core::id::SlotId;
use hostler_core::workload::{OnNodeLoss, SeenState};

use crate::support::node::{id, run};
use crate::support::{ControlPlane, Ground, Mood, Requester, TestNode, eventually};

const ABC: &[u8] = b"abc";
const SPAN: u64 = 4_000;

/// Waits until the node names its span.
async fn named(plane: &ControlPlane) -> u64 {
    plane
        .heard(|heartbeat| heartbeat.report.as_ref()?.fence_after_ms)
        .await
}

/// What is left of the lease by an agent's own clock, when it is that much.
async fn left(ground: &Ground, slot: SlotId, least_ms: u64) -> Duration {
    eventually("the agent knows an end", async || {
        let left = ground.fake.lease_left(slot)?;
        (left >= Duration::from_millis(least_ms)).then_some(left)
    })
    .await
}

/// An agent never believes in more than its node.
fn is_no_later(ground: &Ground, node: &TestNode, slot: SlotId) {
    let lease = node.handle.lease();
    let before = lease.now();
    let theirs = ground.fake.lease_left(slot).unwrap();
    let ours = lease.ends_at().unwrap();
    assert!(before + theirs <= ours, "{before:?} {theirs:?} {ours:?}");
}

#[tokio::test]
async fn an_agent_is_told_the_end_at_its_start_and_after_each_renewal() {
    let (nats, plane, ground, node) = TestNode::in_fleet(250).await;
    plane.fence_after(SPAN);
    named(&plane).await;
    let digest = plane.artifact(ABC);
    let leased = run(&plane, 1, &digest, 3);
    let mut waits = run(&plane, 1, &digest, 3);
    waits.order.as_mut().unwrap().on_node_loss = OnNodeLoss::Wait;
    node.ensure(id(1), &leased).await.unwrap();
    node.ensure(id(2), &waits).await.unwrap();
    let requester = Requester::new(&nats, &node.handle).await;
    let local = requester.deploy(requester.service()).await.unwrap().id;
    let (slot, waiting) = (node.runs(id(1)).await, node.runs(id(2)).await);
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(SPAN + 500) {
        left(&ground, slot, SPAN / 2).await;
        is_no_later(&ground, &node, slot);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(ground.fake.state(slot).unwrap().starts, 1);
    assert_eq!(ground.fake.lease_left(waiting), None, "bound by no lease");
    assert_eq!(ground.fake.lease_left(local.parse().unwrap()), None);
    node.stop().await;
}

#[tokio::test]
async fn the_end_comes_with_the_work_itself() {
    let (_nats, plane, ground, node) = TestNode::in_fleet(250).await;
    plane.fence_after(SPAN);
    named(&plane).await;
    ground.fake.script(|script| script.leases_unheard = true);
    let digest = plane.artifact(ABC);
    node.ensure(id(1), &run(&plane, 1, &digest, 3))
        .await
        .unwrap();
    let slot = node.runs(id(1)).await;
    assert!(ground.fake.lease_left(slot).is_some());
    is_no_later(&ground, &node, slot);
    node.stop().await;
}

#[tokio::test]
async fn work_ends_with_its_lease_although_the_daemon_stays_dead() {
    let (nats, plane, ground, node) = TestNode::in_fleet(250).await;
    plane.fence_after(SPAN);
    named(&plane).await;
    let digest = plane.artifact(ABC);
    node.ensure(id(1), &run(&plane, 1, &digest, 3))
        .await
        .unwrap();
    let slot = node.runs(id(1)).await;
    left(&ground, slot, SPAN * 3 / 4).await;
    is_no_later(&ground, &node, slot);
    node.stop().await;
    assert!(ground.fake.alive().contains(&slot));
    eventually("the agent has ended", async || {
        (!ground.fake.alive().contains(&slot)).then_some(())
    })
    .await;
    plane.mood(Mood::Broken);
    let node = TestNode::start(ground.options_in(&nats, &plane)).await;
    let fenced = node.is(id(1), SeenState::Fenced).await;
    assert_eq!(fenced.work.slot, None, "nothing is left of it");
    assert!(fenced.problem.is_some());
    node.stop().await;
}

#[tokio::test]
async fn a_daemon_that_returns_renews_what_it_adopts() {
    let (nats, plane, ground, node) = TestNode::in_fleet(250).await;
    plane.fence_after(SPAN);
    named(&plane).await;
    let digest = plane.artifact(ABC);
    node.ensure(id(1), &run(&plane, 1, &digest, 3))
        .await
        .unwrap();
    let slot = node.runs(id(1)).await;
    let begun = Instant::now();
    let mut node = Some(node);
    while begun.elapsed() < Duration::from_millis(SPAN + 1_000) {
        node.take().unwrap().stop().await;
        let next = TestNode::start(ground.options_in(&nats, &plane)).await;
        left(&ground, slot, SPAN * 3 / 4).await;
        is_no_later(&ground, &next, slot);
        node = Some(next);
    }
    assert_eq!(ground.fake.state(slot).unwrap().starts, 1);
    node.unwrap().stop().await;
}

#[tokio::test]
async fn a_span_is_named_only_when_every_agent_knows_it() {
    let (_nats, plane, ground, node) = TestNode::in_fleet(250).await;
    let digest = plane.artifact(ABC);
    node.ensure(id(1), &run(&plane, 1, &digest, 3))
        .await
        .unwrap();
    let slot = node.runs(id(1)).await;
    assert_eq!(ground.fake.lease_left(slot), None, "alone, without an end");
    ground.fake.script(|script| script.leases_unheard = true);
    plane.fence_after(SPAN);
    let told = plane.beat().unwrap().sequence;
    let later = plane.heard(|heartbeat| {
        let report = heartbeat.report.as_ref()?;
        (report.beat.sequence > told + 4).then_some(report.fence_after_ms)
    });
    assert_eq!(later.await, None, "an agent does not know");
    assert_eq!(node.handle.lease().ends_at(), None);
    ground.fake.script(|script| script.leases_unheard = false);
    assert_eq!(named(&plane).await, SPAN);
    assert!(ground.fake.lease_left(slot).is_some());
    assert_eq!(node.runs(id(1)).await, slot);
    node.stop().await;
}

#[tokio::test]
async fn agents_that_do_not_know_of_leases_hold_nothing_up() {
    let (_nats, plane, ground, node) = TestNode::with_old_agents(250).await;
    let digest = plane.artifact(ABC);
    node.ensure(id(1), &run(&plane, 1, &digest, 3))
        .await
        .unwrap();
    let slot = node.runs(id(1)).await;
    plane.fence_after(SPAN);
    assert_eq!(named(&plane).await, SPAN);
    assert_eq!(ground.fake.lease_left(slot), None);
    plane.mood(Mood::Broken);
    node.is(id(1), SeenState::Fenced).await;
    assert!(!ground.fake.alive().contains(&slot), "the node ends it");
    node.stop().await;
}

#[tokio::test]
async fn an_agent_that_missed_renewals_is_replaced_while_the_lease_holds() {
    let (_nats, plane, ground, node) = TestNode::in_fleet(250).await;
    plane.fence_after(SPAN);
    named(&plane).await;
    let digest = plane.artifact(ABC);
    node.ensure(id(1), &run(&plane, 1, &digest, 3))
        .await
        .unwrap();
    let slot = node.runs(id(1)).await;
    left(&ground, slot, SPAN / 2).await;
    ground.fake.script(|script| script.leases_unheard = true);
    eventually("the agent has ended", async || {
        (!ground.fake.alive().contains(&slot)).then_some(())
    })
    .await;
    ground.fake.script(|script| script.leases_unheard = false);
    let again = node
        .seen(id(1), |view| {
            view.state == SeenState::Running && view.work.slot != Some(slot)
        })
        .await;
    assert_eq!(again.work.restarts, 0, "not its fault");
    node.stop().await;
}
