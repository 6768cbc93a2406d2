//! The slots with the real agent program, each in processes of its own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::future::join_all;
use hostler_core::Resources;
use hostler_core::id::SlotId;
use hostler_daemon::process::ProcessId;
use hostler_node::hypervisor::DriverChoice;
use hostler_node::slots::{DeployError, SlotEvent, SlotNeed, SlotState, SlotsOptions};
use hostler_wire::agent::{AgentPhase, AgentState};
use rustix::process::Signal;

use crate::guest::{agent, guest};
use crate::support::{Ground, Life, eventually, small};

fn options(ground: &Ground) -> SlotsOptions {
    let mut options = ground.options(DriverChoice::Process);
    options.agent = agent();
    options.pool.warm_most = options.pool.warm;
    options
}

async fn life() -> (Ground, Life) {
    let ground = Ground::new();
    let life = Life::start(options(&ground)).await;
    (ground, life)
}

pub(crate) async fn deployed(ground: &Ground, life: &Life, arguments: &[&str]) -> SlotId {
    let slot = life.claim().await;
    let done = life.slots.deploy(slot, guest(ground, arguments)).await;
    done.expect("deployed");
    slot
}

pub(crate) async fn state(life: &Life, slot: SlotId) -> AgentState {
    match life.slots.probe(slot).await {
        SlotState::Deployed(state) => state,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn text(wanted: SlotId, event: &SlotEvent) -> Option<String> {
    match event {
        SlotEvent::Log { slot, entry } if *slot == wanted && entry.source == "echo" => {
            Some(entry.text.clone())
        }
        SlotEvent::Exited { slot, code, .. } if *slot == wanted => Some(format!("exit {code}")),
        SlotEvent::Lost { slot, .. } if *slot == wanted => Some("lost".to_owned()),
        _ => None,
    }
}

/// Every control group on this machine that is named by the slot.
pub(crate) fn groups(slot: SlotId) -> Vec<PathBuf> {
    fn walk(folder: &Path, name: &str, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if entry.file_name() == name {
                    found.push(entry.path());
                }
                walk(&entry.path(), name, found);
            }
        }
    }
    let mut found = Vec::new();
    walk(Path::new("/sys/fs/cgroup"), &slot.to_string(), &mut found);
    found
}

pub(crate) fn of_slot(ground: &Ground, slot: SlotId) -> Vec<ProcessId> {
    let folder = ground.folder.path().canonicalize().expect("a folder");
    let folder = folder.join("data/slots").join(slot.to_string());
    let lives_there = |one: &ProcessId| {
        ["cwd", "exe"].iter().any(|link| {
            let path = std::fs::read_link(format!("/proc/{}/{link}", one.pid));
            path.is_ok_and(|path| path.starts_with(&folder))
        })
    };
    ground.processes().into_iter().filter(lives_there).collect()
}

pub(crate) fn nothing_is_left_of(ground: &Ground, slot: SlotId) {
    assert_eq!(of_slot(ground, slot), []);
    assert_eq!(groups(slot), Vec::<PathBuf>::new());
    assert!(!ground.path("data/slots").join(slot.to_string()).exists());
    assert!(!ground.path("data/claims").join(slot.to_string()).exists());
}

pub(crate) async fn nothing_is_left(ground: &Ground, life: Life) {
    life.slots.shutdown_all(Duration::ZERO).await;
    assert_eq!(ground.processes(), []);
    let left = std::fs::read_dir(ground.path("data/slots")).expect("a folder");
    assert_eq!(left.count(), 0);
}

#[tokio::test]
async fn a_service_runs_speaks_and_ends() {
    let (ground, mut life) = life().await;
    let slot = deployed(&ground, &life, &["exit", "7"]).await;
    for expected in ["goodbye\n", "exit 7"] {
        assert_eq!(life.event(|event| text(slot, event)).await, expected);
    }
    life.slots
        .release(slot, Duration::from_secs(1))
        .await
        .expect("released");
    nothing_is_left_of(&ground, slot);
    nothing_is_left(&ground, life).await;
}

#[tokio::test]
async fn a_release_leaves_no_grandchild_no_file_no_group() {
    for grace in [Duration::ZERO, Duration::from_secs(5)] {
        let (ground, mut life) = life().await;
        let slot = deployed(&ground, &life, &["family"]).await;
        assert_eq!(life.event(|event| text(slot, event)).await, "family\n");
        // The agent, the service, its child and its grandchild.
        assert_eq!(of_slot(&ground, slot).len(), 4);
        let released = life.slots.release(slot, grace).await.expect("released");
        assert_eq!(released.graceful, !grace.is_zero());
        nothing_is_left_of(&ground, slot);
        nothing_is_left(&ground, life).await;
    }
}

#[tokio::test]
async fn twenty_claims_at_once_get_twenty_agents() {
    let (ground, life) = life().await;
    let claims = join_all((0..20).map(|_| life.claim())).await;
    let different: BTreeSet<_> = claims.iter().collect();
    assert_eq!(different.len(), 20);
    for slot in claims {
        assert_eq!(life.slots.probe(slot).await, SlotState::Idle);
    }
    nothing_is_left(&ground, life).await;
}

#[tokio::test]
async fn a_hungry_service_dies_alone() {
    let (ground, mut life) = life().await;
    if !life.slots.isolation().text().contains("cgroup-memory") {
        return life.slots.shutdown_all(Duration::ZERO).await;
    }
    let neighbour = deployed(&ground, &life, &["stay"]).await;
    let slot = deployed(&ground, &life, &["hog"]).await;
    assert_eq!(
        life.event(|event| text(slot, event).filter(|t| t != "hello\n"))
            .await,
        "exit -1"
    );
    assert_eq!(state(&life, neighbour).await.state, AgentPhase::Running);
    nothing_is_left(&ground, life).await;
}

#[tokio::test]
async fn a_fork_bomb_is_held_and_its_neighbours_can_fork() {
    let (ground, mut life) = life().await;
    if !life.slots.isolation().text().contains("cgroup-pids") {
        return life.slots.shutdown_all(Duration::ZERO).await;
    }
    let slot = deployed(&ground, &life, &["bomb"]).await;
    let said = life.event(|event| text(slot, event)).await;
    let children: u32 = said
        .trim()
        .trim_start_matches("children ")
        .parse()
        .expect("a number");
    // The service itself is one; what the agent does not need is theirs too.
    assert!(
        (small().pids - 1..small().pids + 16).contains(&children),
        "{children}"
    );
    let neighbour = deployed(&ground, &life, &["family"]).await;
    assert_eq!(life.event(|event| text(neighbour, event)).await, "family\n");
    life.slots
        .release(slot, Duration::ZERO)
        .await
        .expect("released");
    nothing_is_left_of(&ground, slot);
    nothing_is_left(&ground, life).await;
}

#[tokio::test]
async fn the_next_life_finds_the_same_process_started_once() {
    let (ground, first) = life().await;
    let slot = deployed(&ground, &first, &["stay"]).await;
    let before = state(&first, slot).await;
    first.end();
    let second = Life::start(options(&ground)).await;
    assert_eq!(second.slots.adopted(), [slot]);
    let after = state(&second, slot).await;
    assert_eq!((after.pid, after.starts), (before.pid, 1));
    // The same order again, as after an answer that was lost.
    let again = second.slots.deploy(slot, guest(&ground, &["stay"])).await;
    again.expect("the same answer");
    assert_eq!(state(&second, slot).await.starts, 1);
    second
        .slots
        .release(slot, Duration::from_secs(1))
        .await
        .expect("released");
    nothing_is_left_of(&ground, slot);
    nothing_is_left(&ground, second).await;
}

#[tokio::test]
async fn killing_the_inner_server_costs_a_reconnect_only() {
    let (ground, mut life) = life().await;
    let slot = deployed(&ground, &life, &["stay"]).await;
    let before = state(&life, slot).await;
    for _ in 0..3 {
        server(&ground).signal(Signal::KILL);
        eventually("the agent answers again", async || {
            matches!(life.slots.probe(slot).await, SlotState::Deployed(_))
        })
        .await;
    }
    let after = state(&life, slot).await;
    assert_eq!((after.pid, after.starts), (before.pid, 1));
    let next = deployed(&ground, &life, &["exit", "3"]).await;
    assert_eq!(
        life.event(|event| text(next, event).filter(|t| t.starts_with("exit")))
            .await,
        "exit 3"
    );
    nothing_is_left(&ground, life).await;
}

#[tokio::test]
async fn a_deploy_survives_the_death_of_the_inner_server() {
    let (ground, life) = life().await;
    let slot = life.claim().await;
    let deploy = life.slots.deploy(slot, guest(&ground, &["stay"]));
    server(&ground).signal(Signal::KILL);
    deploy.await.expect("deployed");
    assert_eq!(state(&life, slot).await.starts, 1);
    nothing_is_left(&ground, life).await;
}

pub(crate) fn server(ground: &Ground) -> ProcessId {
    let is_server = |one: &ProcessId| {
        let line = std::fs::read(format!("/proc/{}/cmdline", one.pid)).unwrap_or_default();
        String::from_utf8_lossy(&line).contains("server.conf")
    };
    let found = ground.processes().into_iter().find(is_server);
    found.expect("an inner server")
}

#[tokio::test]
async fn a_killed_agent_is_told_of_and_takes_everything_along() {
    let (ground, mut life) = life().await;
    let slot = deployed(&ground, &life, &["family"]).await;
    assert_eq!(life.event(|event| text(slot, event)).await, "family\n");
    agent_of(&ground, slot).signal(Signal::KILL);
    assert_eq!(life.event(|event| text(slot, event)).await, "lost");
    nothing_is_left_of(&ground, slot);
    assert_eq!(life.slots.probe(slot).await, SlotState::Gone);
    nothing_is_left(&ground, life).await;
}

#[tokio::test]
async fn an_agent_killed_between_two_lives_takes_everything_along() {
    let (ground, first) = life().await;
    let slot = deployed(&ground, &first, &["family"]).await;
    eventually("the family is there", async || {
        of_slot(&ground, slot).len() == 4
    })
    .await;
    first.end();
    agent_of(&ground, slot).signal(Signal::KILL);
    eventually("the agent is dead", async || {
        of_slot(&ground, slot).len() < 4
    })
    .await;
    let second = Life::start(options(&ground)).await;
    assert!(second.slots.adopted().is_empty());
    second
        .slots
        .release(slot, Duration::ZERO)
        .await
        .expect("released");
    nothing_is_left_of(&ground, slot);
    nothing_is_left(&ground, second).await;
}

#[tokio::test]
async fn what_a_dead_node_has_left_is_cleared_and_nothing_of_its_neighbour() {
    let (neighbour_ground, neighbour) = life().await;
    let stays = deployed(&neighbour_ground, &neighbour, &["stay"]).await;
    let (ground, first) = life().await;
    let slot = deployed(&ground, &first, &["family"]).await;
    eventually("the family is there", async || {
        of_slot(&ground, slot).len() == 4
    })
    .await;
    first.end();
    let data = ground.path("data");
    for _ in 0..2 {
        hostler_node::clear(&data).expect("cleared");
    }
    assert_eq!(of_slot(&ground, slot), []);
    assert_eq!(groups(slot), Vec::<PathBuf>::new());
    assert!(!ground.path("data/slots").exists());
    assert_eq!(state(&neighbour, stays).await.starts, 1);
    nothing_is_left(&neighbour_ground, neighbour).await;
}

/// The process whose session this is: the agent.
fn agent_of(ground: &Ground, slot: SlotId) -> ProcessId {
    let leads = |one: &ProcessId| {
        let line = std::fs::read(format!("/proc/{}/cmdline", one.pid)).unwrap_or_default();
        String::from_utf8_lossy(&line).contains("hostler-agent")
    };
    of_slot(ground, slot)
        .into_iter()
        .find(leads)
        .expect("an agent")
}

#[tokio::test]
async fn what_is_no_static_program_is_refused_by_the_agent() {
    let (ground, life) = life().await;
    let slot = life.claim().await;
    let refused = life
        .slots
        .deploy(slot, ground.deployment("elf", b"#!/bin/sh\n"))
        .await;
    assert!(
        matches!(refused, Err(DeployError::Rejected(_))),
        "{refused:?}"
    );
    life.slots
        .release(slot, Duration::ZERO)
        .await
        .expect("released");
    nothing_is_left_of(&ground, slot);
    nothing_is_left(&ground, life).await;
}

#[tokio::test]
async fn a_slot_without_limits_is_possible() {
    let (ground, life) = life().await;
    let need = SlotNeed {
        resources: Resources::default(),
        pids: 0,
    };
    let slot = life.slots.claim(&need).await.expect("a slot");
    let done = life.slots.deploy(slot, guest(&ground, &["stay"])).await;
    done.expect("deployed");
    nothing_is_left(&ground, life).await;
}
