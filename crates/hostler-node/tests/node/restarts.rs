//! The daemon goes and comes back; the work does not notice.

use hostler_core::workload::SeenState;
use hostler_node::AtStop;
use hostler_wire::client::StatusCode;

use crate::support::node::{ABC, gone, id, run};
use crate::support::{ControlNats, Ground, Mood, Requester, TestNode, eventually};

#[tokio::test]
async fn what_runs_is_adopted_and_not_started_again() {
    let (nats, plane, ground, node) = TestNode::in_fleet(1_000).await;
    let slot = node.runs_first(&plane).await;
    node.stop().await;
    for _ in 0..3 {
        let node = TestNode::start(ground.options_in(&nats, &plane)).await;
        assert_eq!(node.runs(id(1)).await, slot);
        assert_eq!(ground.fake.state(slot).unwrap().starts, 1);
        node.stop().await;
    }
}

#[tokio::test]
async fn what_was_lost_while_the_daemon_was_away_is_started_again() {
    let (nats, plane, ground, node) = TestNode::in_fleet(1_000).await;
    let slot = node.runs_first(&plane).await;
    node.stop().await;
    ground.fake.die(slot);
    let node = TestNode::start(ground.options_in(&nats, &plane)).await;
    assert_ne!(node.runs(id(1)).await, slot);
    node.stop().await;
}

#[tokio::test]
async fn what_failed_while_the_daemon_was_away_is_started_again_and_counted() {
    let (nats, plane, ground, node) = TestNode::in_fleet(1_000).await;
    let slot = node.runs_first(&plane).await;
    node.stop().await;
    ground.fake.exit(slot, 1).await;
    let node = TestNode::start(ground.options_in(&nats, &plane)).await;
    let again = node
        .seen(id(1), |view| {
            view.state == SeenState::Running && view.work.restarts == 1
        })
        .await;
    assert_ne!(again.slot, Some(slot));
    node.stop().await;
}

#[tokio::test]
async fn a_node_told_to_end_its_work_leaves_nothing_and_takes_it_up_again() {
    let (nats, plane, ground, node) = TestNode::in_fleet(1_000).await;
    let before = plane.beat();
    node.stop().await;
    let mut options = ground.options_in(&nats, &plane);
    options.at_stop = AtStop::Ends;
    let node = TestNode::start(options.clone()).await;
    plane.heard_from_another(before).await;
    let slot = node.runs_first(&plane).await;
    node.stop().await;
    assert!(ground.fake.alive().is_empty());
    let node = TestNode::start(options).await;
    assert_ne!(node.runs(id(1)).await, slot);
    node.stop().await;
}

#[tokio::test]
async fn what_was_being_stopped_is_stopped_by_the_next_daemon() {
    let (nats, plane, ground, node) = TestNode::in_fleet(1_000).await;
    let slot = node.runs_first(&plane).await;
    let (dropped, ()) = tokio::join!(
        async { node.ensure(id(1), &gone(2)).await },
        tokio::task::yield_now()
    );
    dropped.unwrap();
    node.stop().await;
    let node = TestNode::start(ground.options_in(&nats, &plane)).await;
    node.is(id(1), SeenState::Absent).await;
    assert!(!ground.fake.alive().contains(&slot));
    node.stop().await;
}

#[tokio::test]
async fn a_claimed_slot_that_nobody_knows_is_released() {
    let (nats, ground, node) = TestNode::alone().await;
    let need = hostler_node::slots::SlotNeed {
        resources: hostler_core::Resources::default(),
        pids: 0,
    };
    let stray = node.handle.slots().claim(&need).await.unwrap();
    node.stop().await;
    assert!(ground.fake.alive().contains(&stray));
    let node = TestNode::start(ground.options(&nats)).await;
    eventually("the stray slot is gone", async || {
        (!ground.fake.alive().contains(&stray)).then_some(())
    })
    .await;
    node.stop().await;
}

#[tokio::test]
async fn work_deployed_over_nats_is_adopted_and_still_its_issuers() {
    let (nats, ground, node) = TestNode::alone().await;
    let requester = Requester::new(&nats, &node.handle).await;
    let work = requester.deploy(requester.service()).await.unwrap().id;
    node.stop().await;
    let node = TestNode::start(ground.options(&nats)).await;
    eventually("it is listed again", async || {
        let roster = node.handle.roster();
        let running = roster
            .borrow()
            .views
            .values()
            .any(|view| view.since.is_some());
        running.then_some(())
    })
    .await;
    assert_eq!(ground.fake.state(work.parse().unwrap()).unwrap().starts, 1);
    requester.stop(&work, "echo").await.unwrap();
    node.stop().await;
}

#[tokio::test]
async fn a_function_listens_again_after_a_restart() {
    let (nats, ground, node) = TestNode::alone().await;
    let requester = Requester::new(&nats, &node.handle).await;
    requester.deploy(requester.function("again")).await.unwrap();
    node.stop().await;
    let node = TestNode::start(ground.options(&nats)).await;
    eventually("it listens", async || {
        (nats.subscriptions("again").await == 1).then_some(())
    })
    .await;
    let answer = requester.ask("again".to_owned(), b"x".to_vec()).await;
    assert_eq!(answer, b"x");
    node.stop().await;
}

#[tokio::test]
async fn the_control_nats_may_go_and_come_back() {
    let (mut nats, ground) = (ControlNats::start().await, Ground::new());
    let node = TestNode::start(ground.options(&nats)).await;
    let requester = Requester::new(&nats, &node.handle).await;
    let work = requester.deploy(requester.service()).await.unwrap().id;
    nats.restart().await;
    requester.wait_for_node().await;
    requester.stop(&work, "echo").await.unwrap();
    node.stop().await;
}

#[tokio::test]
async fn two_daemons_do_not_share_a_folder() {
    let (nats, ground, node) = TestNode::alone().await;
    let second = hostler_node::start(ground.options(&nats)).await;
    let Err(error) = second else {
        panic!("two daemons over one folder");
    };
    assert!(error.to_string().contains("another node daemon"), "{error}");
    node.stop().await;
}

#[tokio::test]
async fn a_node_whose_control_plane_is_away_keeps_its_work() {
    let (nats, plane, ground, node) = TestNode::in_fleet(1_000).await;
    let digest = plane.artifact(ABC);
    node.ensure(id(1), &run(&plane, 1, &digest, 3))
        .await
        .unwrap();
    let slot = node.runs(id(1)).await;
    plane.mood(Mood::Broken);
    node.stop().await;
    let node = TestNode::start(ground.options_in(&nats, &plane)).await;
    assert_eq!(
        node.runs(id(1)).await,
        slot,
        "a lone node's lease has no end"
    );
    ground.fake.die(slot);
    let again = node
        .seen(id(1), |view| {
            view.state == SeenState::Running && view.work.slot != Some(slot)
        })
        .await;
    assert!(again.slot.is_some());
    let refused = node.ensure(id(2), &run(&plane, 1, &digest, 3)).await;
    assert_eq!(refused.unwrap_err().status(), Some(StatusCode::CONFLICT));
    node.stop().await;
}
