//! DEPLOY refused late: refusals of protocol 2.6, by their numbers, once a slot
//! is asked for or was given.

use hostler_wire::nats::Location;

use crate::deploys::{scene, scene_with};
use crate::support::requester::BUCKET;
use crate::support::{TestNode, deploy_error};

#[tokio::test]
async fn refusal_12_no_slot_is_left() {
    let (_nats, _ground, node, requester) = scene_with(|_, options| {
        options.slots.pool.warm = 1;
        options.slots.pool.max = 1;
        options.slots.pool.claim = std::time::Duration::from_millis(500);
    })
    .await;
    requester.deploy(requester.service()).await.unwrap();
    let mut other = requester.service();
    other.name = "other".to_owned();
    let text = deploy_error(requester.deploy(other).await);
    assert_eq!(
        text,
        "Failed to deploy workload: failed to deploy workload: no available agent client in pool"
    );
    assert_eq!(node.handle.roster().borrow().views.len(), 1);
    node.stop().await;
}

/// Waits until nothing of a refused deploy is left.
async fn nothing_is_left(node: &TestNode) {
    crate::support::eventually("nothing is left", async || {
        let is_held = !node.handle.roster().borrow().views.is_empty();
        (!is_held && node.handle.slots().counts().claimed == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn refusal_13_a_slot_that_cannot_be_prepared() {
    let (_nats, ground, node, requester) = scene().await;
    let claims = ground.folder.path().join("data/claims");
    std::fs::remove_dir_all(&claims).unwrap();
    let text = deploy_error(requester.deploy(requester.service()).await);
    let start =
        "Failed to deploy workload: failed to prepare agent process for workload deployment: ";
    assert!(text.starts_with(start), "{text}");
    assert!(text.contains("write down the claim of a slot"), "{text}");
    nothing_is_left(&node).await;
    std::fs::create_dir(&claims).unwrap();
    requester.deploy(requester.service()).await.unwrap();
    node.stop().await;
}

#[tokio::test]
async fn refusal_14_an_agent_that_does_not_answer() {
    let (_nats, ground, node, requester) = scene_with(|_, options| {
        options.slots.deadlines.deploy = std::time::Duration::from_millis(300);
    })
    .await;
    ground
        .fake
        .script(|script| script.deploy_takes = std::time::Duration::from_hours(1));
    let text = deploy_error(requester.deploy(requester.service()).await);
    assert_eq!(
        text,
        "Failed to deploy workload: failed to submit request for workload deployment: \
         failed to submit request for workload deployment: nats: timeout"
    );
    nothing_is_left(&node).await;
    ground
        .fake
        .script(|script| script.deploy_takes = std::time::Duration::ZERO);
    // Another name: a token whose work may have run is not taken again.
    let mut other = requester.service();
    other.name = "other".to_owned();
    requester.deploy(other).await.unwrap();
    node.stop().await;
}

/// The original may choose an agent that it has not heard of and then says so.
/// Here none is chosen before its handshake, so this is refusal 12.
#[tokio::test]
async fn refusal_17_an_agent_that_never_shook_hands_is_never_chosen() {
    let (_nats, ground, node, requester) = scene_with(|ground, options| {
        ground.fake.script(|script| script.mute_boots = u32::MAX);
        options.slots.pool.claim = std::time::Duration::from_millis(500);
        options.slots.pool.boot = std::time::Duration::from_millis(100);
    })
    .await;
    let text = deploy_error(requester.deploy(requester.service()).await);
    assert_eq!(
        text,
        "Failed to deploy workload: failed to deploy workload: no available agent client in pool"
    );
    nothing_is_left(&node).await;
    ground.fake.script(|script| script.mute_boots = 0);
    crate::support::eventually("agents that shake hands are chosen", async || {
        requester.deploy(requester.service()).await.ok()
    })
    .await;
    node.stop().await;
}

#[tokio::test]
async fn refusal_15_an_agent_that_refuses_costs_a_slot_and_leaves_nothing() {
    let (_nats, ground, node, requester) = scene().await;
    ground.fake.script(|script| script.failing_deploys = 1);
    let text = deploy_error(requester.deploy(requester.service()).await);
    let start = "Failed to deploy workload: workload rejected by agent: ";
    assert!(text.starts_with(start), "{text}");
    crate::support::eventually("the slot is released", async || {
        (node.handle.slots().counts().claimed == 0).then_some(())
    })
    .await;
    let mut other = requester.service();
    other.name = "other".to_owned();
    requester.deploy(other).await.unwrap();
    node.stop().await;
}

#[tokio::test]
async fn refusal_15_what_any_agent_would_refuse_costs_no_slot() {
    let start = "Failed to deploy workload: workload rejected by agent: ";
    let (_nats, _ground, node, requester) = scene().await;
    let mut essential = requester.function("a.b");
    essential.essential = true;
    let mut deaf = requester.function("a.b");
    deaf.trigger_subjects.clear();
    deaf.name = "deaf".into();
    let mut empty = requester.service();
    empty.location = Location::object(BUCKET, "empty");
    for (new, expected) in [
        (essential, "essential flag is not supported"),
        (deaf, "at least one trigger subject"),
        (empty, "total bytes is required"),
    ] {
        let text = deploy_error(requester.deploy(new).await);
        assert!(text.starts_with(&format!("{start}{expected}")), "{text}");
    }
    assert_eq!(node.handle.slots().counts().claimed, 0);
    node.stop().await;
}

#[tokio::test]
async fn refusal_16_trigger_subjects_that_are_not_the_tenants() {
    for subject in [
        ">",
        "$SYS.a",
        "$JS.API.>",
        "$NEX.PING",
        "*.PING",
        "a b",
        "a..b",
    ] {
        let (_nats, _ground, node, requester) = scene().await;
        let text = deploy_error(requester.deploy(requester.function(subject)).await);
        assert!(
            text.starts_with("Failed to deploy workload: "),
            "{subject}: {text}"
        );
        assert!(text.contains(subject), "{text}");
        assert_eq!(node.handle.slots().counts().claimed, 0);
        node.stop().await;
    }
}
