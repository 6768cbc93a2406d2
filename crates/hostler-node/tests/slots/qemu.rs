//! The slots with real guests: QEMU, a kernel of the distribution, the real agent
//! as its first program. One test, since each guest takes seconds to boot.

use std::net::TcpListener;
use std::time::Duration;

use hostler_core::Resources;
use hostler_core::id::SlotId;
use hostler_node::hypervisor::{DriverChoice, QemuOptions};
use hostler_node::slots::{ClaimError, SlotNeed, SlotsOptions};
use hostler_wire::agent::AgentPhase;
use rustix::process::Signal;

use crate::kit;
use crate::process::{
    deployed, groups, nothing_is_left, nothing_is_left_of, of_slot, server, state, text,
};
use crate::support::{Ground, Life, eventually, message};

const MIB: u64 = 1 << 20;

fn options(ground: &Ground, qemu: &QemuOptions) -> SlotsOptions {
    let mut options = ground.options(DriverChoice::Qemu(qemu.clone()));
    options.pool.warm_most = options.pool.warm;
    options
}

async fn warm(life: &Life) {
    eventually("two guests are warm", async || {
        life.slots.counts().ready == 2
    })
    .await;
}

/// What the monitor and its guest have of the host's memory.
fn resident(ground: &Ground, slot: SlotId) -> u64 {
    let monitor = |pid: i32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
        kib.unwrap_or_default() << 10
    };
    let all = of_slot(ground, slot);
    all.iter()
        .map(|one| monitor(one.pid))
        .max()
        .unwrap_or_default()
}

#[tokio::test]
async fn guests_work_are_limited_outlive_the_node_and_leave_nothing() {
    let ground = Ground::new();
    let Some(qemu) = kit::qemu(ground.folder.path()) else {
        return;
    };
    let mut life = Life::start(options(&ground, &qemu)).await;
    let stranger = tokio::process::Command::new("sleep")
        .arg("1000")
        .kill_on_drop(true)
        .spawn();
    let mut stranger = stranger.expect("a process of somebody else");
    warm(&life).await;
    no_secret_is_on_a_command_line(&ground);

    let neighbour = a_service_sees_no_host(&ground, &mut life).await;
    a_hungry_service_is_ended_by_its_guest(&ground, &mut life).await;
    a_function_answers(&ground, &life).await;
    more_than_a_guest_has_is_refused(&life).await;
    let before = state(&life, neighbour).await;
    assert_eq!(before.state, AgentPhase::Running);

    life.end();
    let mut life = Life::start(options(&ground, &qemu)).await;
    assert!(life.slots.adopted().contains(&neighbour));
    let after = state(&life, neighbour).await;
    assert_eq!((after.pid, after.starts), (before.pid, 1));
    server(&ground).signal(Signal::KILL);
    eventually("the guest answers again", async || {
        life.slots.probe(neighbour).await != hostler_node::slots::SlotState::Unreachable
    })
    .await;
    assert_eq!(state(&life, neighbour).await.starts, 1);

    for one in of_slot(&ground, neighbour) {
        one.signal(Signal::KILL);
    }
    assert_eq!(life.event(|event| text(neighbour, event)).await, "lost");
    nothing_is_left_of(&ground, neighbour);
    assert!(stranger.try_wait().expect("a status").is_none());
    nothing_is_left(&ground, life).await;
}

/// It can read what its slot was told as little as it can reach a port of the
/// host, but for a port of the guest's own network, which shows that it looks.
async fn a_service_sees_no_host(ground: &Ground, life: &mut Life) -> SlotId {
    let port = TcpListener::bind("127.0.0.1:0").expect("a port");
    let number = port.local_addr().expect("an address").port().to_string();
    let told = "/sys/firmware/qemu_fw_cfg/by_name/opt/io.hostler/slot/raw";
    let cases = [
        ("/proc/cmdline", "10.0.2.100", "4222", "read 1 reached 1\n"),
        (told, "10.0.2.2", &number, "read 0 reached 0\n"),
    ];
    let mut last = None;
    for (path, host, port, expected) in cases {
        let slot = deployed(ground, life, &["look", path, host, port]).await;
        assert_eq!(life.event(|event| text(slot, event)).await, expected);
        if let Some(earlier) = last.replace(slot) {
            let released = life.slots.release(earlier, Duration::ZERO).await;
            released.expect("released");
        }
    }
    last.expect("a service that stays")
}

/// What everybody on the machine can read.
fn no_secret_is_on_a_command_line(ground: &Ground) {
    let processes = ground.processes();
    assert!(processes.len() >= 2, "{processes:?}");
    for process in processes {
        let line = std::fs::read(format!("/proc/{}/cmdline", process.pid)).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        assert!(!line.contains("SEED") && !line.contains("eyJ"), "{line}");
    }
}

async fn a_hungry_service_is_ended_by_its_guest(ground: &Ground, life: &mut Life) {
    let slot = deployed(ground, life, &["hog"]).await;
    let said = life.event(|event| text(slot, event));
    assert_eq!(said.await, "exit -1");
    // The workload's 64 MiB, the guest's own, and the monitor's.
    let has = resident(ground, slot);
    assert!(has < (64 + 112 + 160) * MIB + qemu_files(ground), "{has}");
    assert!(has > 64 * MIB, "{has}");
    life.slots
        .release(slot, Duration::ZERO)
        .await
        .expect("released");
    nothing_is_left_of(ground, slot);
    assert_eq!(groups(slot), Vec::<std::path::PathBuf>::new());
}

fn qemu_files(ground: &Ground) -> u64 {
    let packed = std::fs::metadata(ground.path("rootfs/initramfs"));
    packed.expect("a first file system").len()
}

async fn a_function_answers(ground: &Ground, life: &Life) {
    let slot = life.claim().await;
    let mut deployment = ground.deployment("v8", b"(subject, payload) => subject + payload.length");
    deployment.request.trigger_subjects = Some(vec!["a.b".into()]);
    life.slots.deploy(slot, deployment).await.expect("deployed");
    let reply = life.slots.trigger(slot, message("four")).await;
    assert_eq!(reply.expect("a reply").payload, "\"a.b4\"");
    let released = life.slots.release(slot, Duration::from_secs(30)).await;
    assert!(released.expect("released").graceful);
    nothing_is_left_of(ground, slot);
}

async fn more_than_a_guest_has_is_refused(life: &Life) {
    let need = SlotNeed {
        resources: Resources::of(1_000, 257),
        pids: 16,
    };
    let refused = life.slots.claim(&need).await;
    assert!(matches!(refused, Err(ClaimError::Limits(_))), "{refused:?}");
}
