//! The whole of the slots above agents that are tasks of the test.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use hostler_core::id::SlotId;
use hostler_node::hypervisor::{DriverChoice, Fake};
use hostler_node::slots::{
    ClaimError, DeployError, LinkError, SlotCounts, SlotEvent, SlotState, SlotsOptions,
    TriggerError,
};
use hostler_wire::agent::AgentPhase;

use crate::support::{Ground, Life, PATIENCE, eventually, message, small};

fn options(ground: &Ground, fake: &Fake) -> SlotsOptions {
    let mut options = ground.options(DriverChoice::Fake(fake.clone()));
    // Demand does not change how many are warm, so that they can be counted.
    options.pool.warm_most = options.pool.warm;
    options
}

async fn life() -> (Ground, Fake, Life) {
    let (ground, fake) = (Ground::new(), Fake::default());
    let life = Life::start(options(&ground, &fake)).await;
    (ground, fake, life)
}

fn of(wanted: SlotId, event: &SlotEvent) -> Option<String> {
    match event {
        SlotEvent::Log { slot, entry } if *slot == wanted => Some(entry.text.clone()),
        SlotEvent::Exited { slot, code, .. } if *slot == wanted => Some(format!("exit {code}")),
        SlotEvent::Lost { slot, .. } if *slot == wanted => Some("lost".to_owned()),
        _ => None,
    }
}

async fn warm(life: &Life, ready: u32) {
    eventually("the pool is warm", async || {
        life.slots.counts().ready == ready
    })
    .await;
}

#[tokio::test]
async fn a_workload_is_deployed_speaks_and_ends() {
    let (ground, fake, mut life) = life().await;
    let slot = life.claim().await;
    let artifact = vec![7; 1_300_000];
    let deployed = life
        .slots
        .deploy(slot, ground.deployment("elf", &artifact))
        .await;
    deployed.expect("deployed");
    fake.print(slot, "one\n").await;
    fake.print(slot, "two\n").await;
    fake.exit(slot, 3).await;
    for expected in ["one\n", "two\n", "exit 3"] {
        assert_eq!(life.event(|event| of(slot, event)).await, expected);
    }
    let released = life.slots.release(slot, Duration::from_secs(1)).await;
    assert!(released.expect("released").graceful);
    assert_eq!(life.slots.probe(slot).await, SlotState::Gone);
    life.slots.shutdown_all(Duration::ZERO).await;
    assert!(fake.alive().is_empty());
}

#[tokio::test]
async fn twenty_claims_at_once_get_twenty_slots() {
    let (_ground, fake, life) = life().await;
    let claims = join_all((0..20).map(|_| life.claim())).await;
    let different: BTreeSet<_> = claims.iter().collect();
    assert_eq!(different.len(), 20);
    assert_eq!(life.slots.counts().claimed, 20);
    assert_eq!(fake.limits(claims[0]).expect("limits").pids, small().pids);
    warm(&life, 2).await;
    life.slots.shutdown_all(Duration::ZERO).await;
    assert_eq!(life.slots.counts(), SlotCounts::default());
}

#[tokio::test]
async fn a_function_answers_until_its_slot_is_released() {
    let (ground, _fake, life) = life().await;
    let slot = life.claim().await;
    let deployment = ground.deployment("wasm", b"module");
    life.slots
        .deploy(slot, deployment.clone())
        .await
        .expect("deployed");
    life.slots
        .deploy(slot, deployment)
        .await
        .expect("the same again");
    let reply = life.slots.trigger(slot, message("hello")).await;
    assert_eq!(reply.expect("an answer").payload, "hello");
    life.slots
        .release(slot, Duration::ZERO)
        .await
        .expect("released");
    let reply = life.slots.trigger(slot, message("hello")).await;
    assert!(
        matches!(reply, Err(TriggerError::Link(LinkError::NoAgent))),
        "{reply:?}"
    );
    life.slots.shutdown_all(Duration::ZERO).await;
}

#[tokio::test]
async fn a_refused_deploy_says_why_and_spoils_nothing() {
    let (ground, fake, life) = life().await;
    fake.script(|script| script.failing_deploys = 1);
    let slot = life.claim().await;
    let refused = life
        .slots
        .deploy(slot, ground.deployment("elf", b"a"))
        .await;
    let Err(DeployError::Rejected(why)) = refused else {
        panic!("{refused:?}");
    };
    assert!(why.contains("made to fail"), "{why}");
    life.slots
        .release(slot, Duration::ZERO)
        .await
        .expect("released");
    let next = life.claim().await;
    let deployed = life
        .slots
        .deploy(next, ground.deployment("elf", b"a"))
        .await;
    deployed.expect("deployed");
    let nowhere = life
        .slots
        .deploy(slot, ground.deployment("elf", b"a"))
        .await;
    assert!(matches!(nowhere, Err(DeployError::NoSlot)), "{nowhere:?}");
    life.slots.shutdown_all(Duration::ZERO).await;
}

#[tokio::test]
async fn an_agent_gets_its_own_artifact_only_as_it_was_measured() {
    let (ground, _fake, life) = life().await;
    let slot = life.claim().await;
    let mut deployment = ground.deployment("elf", b"abc");
    std::fs::write(&deployment.artifact, b"abd").expect("written");
    let refused = life.slots.deploy(slot, deployment.clone()).await;
    assert!(
        matches!(refused, Err(DeployError::Rejected(_))),
        "{refused:?}"
    );
    deployment.artifact = ground.path("missing");
    let missing = life.slots.deploy(slot, deployment).await;
    assert!(
        matches!(missing, Err(DeployError::Artifact { .. })),
        "{missing:?}"
    );
    life.slots.shutdown_all(Duration::ZERO).await;
}

#[tokio::test]
async fn failing_boots_are_tried_again_and_hurt_nobody() {
    let (ground, fake) = (Ground::new(), Fake::default());
    fake.script(|script| script.failing_boots = 3);
    let life = Life::start(options(&ground, &fake)).await;
    warm(&life, 2).await;
    life.slots.shutdown_all(Duration::ZERO).await;
}

#[tokio::test]
async fn a_claim_that_waits_too_long_says_why_no_slot_came() {
    let (ground, fake) = (Ground::new(), Fake::default());
    fake.script(|script| script.failing_boots = u32::MAX);
    let mut options = options(&ground, &fake);
    options.pool.claim = Duration::from_millis(200);
    let life = Life::start(options).await;
    let claimed = life.slots.claim(&small()).await;
    let Err(ClaimError::Late { problem, .. }) = claimed else {
        panic!("{claimed:?}");
    };
    assert!(problem.expect("a problem").contains("made to fail"));
    life.slots.shutdown_all(Duration::ZERO).await;
}

#[tokio::test]
async fn an_agent_that_never_shakes_hands_is_never_handed_out() {
    let (ground, fake) = (Ground::new(), Fake::default());
    fake.script(|script| script.mute_boots = 2);
    let mut options = options(&ground, &fake);
    options.pool.boot = Duration::from_secs(1);
    options.pool.claim = PATIENCE;
    let life = Life::start(options).await;
    let slot = life.claim().await;
    assert!(fake.alive().contains(&slot));
    warm(&life, 2).await;
    eventually("the mute are gone", async || fake.alive().len() == 3).await;
    life.slots.shutdown_all(Duration::ZERO).await;
}

#[tokio::test]
async fn a_full_node_says_so_at_once() {
    let (ground, fake) = (Ground::new(), Fake::default());
    let mut options = options(&ground, &fake);
    options.pool.max = 1;
    let life = Life::start(options).await;
    let slot = life.claim().await;
    let full = life.slots.claim(&small()).await;
    assert!(matches!(full, Err(ClaimError::Full { max: 1 })), "{full:?}");
    life.slots
        .release(slot, Duration::ZERO)
        .await
        .expect("released");
    life.claim().await;
    life.slots.shutdown_all(Duration::ZERO).await;
}

#[tokio::test]
async fn the_next_life_adopts_what_runs_and_what_is_warm() {
    let (ground, fake, first) = life().await;
    let slot = first.claim().await;
    first
        .slots
        .deploy(slot, ground.deployment("elf", b"a"))
        .await
        .expect("deployed");
    warm(&first, 2).await;
    let mut alive = fake.alive();
    first.end();
    let mut second = Life::start(options(&ground, &fake)).await;
    assert_eq!(second.slots.adopted(), [slot]);
    let SlotState::Deployed(state) = second.slots.probe(slot).await else {
        panic!("it is deployed");
    };
    assert_eq!((state.state, state.starts), (AgentPhase::Running, 1));
    warm(&second, 2).await;
    let mut later = fake.alive();
    alive.sort();
    later.sort();
    assert_eq!(alive, later);
    fake.exit(slot, 0).await;
    assert_eq!(second.event(|event| of(slot, event)).await, "exit 0");
    second.slots.shutdown_all(Duration::ZERO).await;
    assert!(fake.alive().is_empty());
}

#[tokio::test]
async fn a_slot_that_died_between_two_lives_is_not_adopted() {
    let (ground, fake, first) = life().await;
    let slot = first.claim().await;
    first.end();
    fake.die(slot);
    let second = Life::start(options(&ground, &fake)).await;
    assert!(second.slots.adopted().is_empty());
    assert!(second.slots.release(slot, Duration::ZERO).await.is_ok());
    assert_eq!(second.slots.probe(slot).await, SlotState::Gone);
    second.slots.shutdown_all(Duration::ZERO).await;
}

#[tokio::test]
async fn a_dead_agent_is_told_of_and_its_slot_is_gone() {
    let (_ground, fake, mut life) = life().await;
    let slot = life.claim().await;
    fake.die(slot);
    assert_eq!(life.event(|event| of(slot, event)).await, "lost");
    assert_eq!(life.slots.probe(slot).await, SlotState::Gone);
    let released = life.slots.release(slot, Duration::ZERO).await;
    assert!(released.expect("released").already_gone);
    life.slots.shutdown_all(Duration::ZERO).await;
}

#[tokio::test]
async fn a_warm_agent_that_dies_is_replaced_in_silence() {
    let (_ground, fake, mut life) = life().await;
    warm(&life, 2).await;
    let dead = fake.alive()[0];
    fake.die(dead);
    eventually("it is replaced", async || {
        let alive = fake.alive();
        alive.len() == 2 && !alive.contains(&dead)
    })
    .await;
    warm(&life, 2).await;
    life.slots.shutdown_all(Duration::ZERO).await;
    assert!(life.events.try_recv().is_err());
}

#[tokio::test]
async fn two_releases_at_once_are_one() {
    let (_ground, _fake, life) = life().await;
    let slot = life.claim().await;
    let release = || life.slots.release(slot, Duration::from_millis(50));
    let (one, two) = tokio::join!(release(), release());
    let gone = [one, two].map(|done| done.expect("released").already_gone);
    assert_eq!(gone.iter().filter(|gone| **gone).count(), 1);
    life.slots.shutdown_all(Duration::ZERO).await;
}

#[tokio::test]
async fn a_flood_of_lines_is_counted_and_hides_no_exit() {
    let (ground, fake) = (Ground::new(), Fake::default());
    let mut options = options(&ground, &fake);
    options.events = 8;
    let mut life = Life::start(options).await;
    let slot = life.claim().await;
    life.slots
        .deploy(slot, ground.deployment("elf", b"a"))
        .await
        .expect("deployed");
    for _ in 0..100 {
        fake.print(slot, "x").await;
    }
    fake.exit(slot, 1).await;
    // The exit waits for a reader; the lines do not.
    eventually("lines were dropped", async || life.events.len() == 8).await;
    let mut lines = 0;
    while life.event(|event| of(slot, event)).await == "x" {
        lines += 1;
    }
    assert_eq!(lines, 8);
    fake.print(slot, "y").await;
    let dropped = life.event(|event| match event {
        SlotEvent::LogsDropped { count, .. } => Some(*count),
        _ => None,
    });
    assert_eq!(dropped.await, 92);
    assert_eq!(life.event(|event| of(slot, event)).await, "y");
    life.slots.shutdown_all(Duration::ZERO).await;
}
