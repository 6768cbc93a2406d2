//! One life with everything in it, under every fault.

use hostler_core::Bytes;
use hostler_core::vm::{SnapshotState, VmGoal, VmSeenState};
use hostler_wire::node_api::{Disk, Rollback, SnapshotOrder, VmOrder};

use super::super::testing::order;
use super::house::{Ground, House, snapshot, vm};
use crate::hypervisor::machines::fake::{Call, Fault};

/// What a VM is ordered to be, one after the other.
fn orders() -> Vec<(VmGoal, VmOrder)> {
    let plain = VmOrder {
        disks: vec![Disk {
            name: "data".into(),
            size: Bytes::mib(1),
        }],
        ..order()
    };
    let with_snapshot = VmOrder {
        snapshots: vec![SnapshotOrder {
            id: snapshot(1),
            memory: false,
        }],
        ..plain.clone()
    };
    let rolled_back = VmOrder {
        rollback: Some(Rollback {
            number: 1,
            to: snapshot(1),
        }),
        ..with_snapshot.clone()
    };
    let mut grown = VmOrder {
        snapshots: vec![],
        reboots: 1,
        ..rolled_back.clone()
    };
    grown.size.disk = Bytes::mib(20);
    grown.size.cpus = 2;
    vec![
        (VmGoal::Running, plain),
        (VmGoal::Running, with_snapshot),
        (VmGoal::Running, rolled_back),
        (VmGoal::Running, grown.clone()),
        (VmGoal::Paused, grown.clone()),
        (VmGoal::Stopped, grown.clone()),
        (VmGoal::Gone, grown),
    ]
}

/// Waits until an order is carried out.
async fn carried_out(ground: &Ground, house: &House, stage: usize) {
    let generation = stage as u64 + 1;
    let expected = [
        VmSeenState::Running,
        VmSeenState::Running,
        VmSeenState::Running,
        VmSeenState::Running,
        VmSeenState::Paused,
        VmSeenState::Stopped,
        VmSeenState::Absent,
    ][stage];
    house
        .seen(move |entry| {
            let snapshots = match stage {
                1 | 2 => entry
                    .snapshots
                    .iter()
                    .all(|s| s.state == SnapshotState::Ready),
                _ => entry.snapshots.is_empty(),
            };
            let rolled_back = stage < 2 || entry.rollback.is_some() || stage == 6;
            let rebooted = stage < 3 || stage == 6 || entry.reboots == 1;
            let of_it = entry.generation.number() == generation && entry.state == expected;
            of_it && snapshots && rolled_back && rebooted && entry.wants_restart.is_empty()
        })
        .await;
    match stage {
        0 => ground.fake.write(vm(1), 7),
        1 => ground.fake.write(vm(1), 8),
        2 => assert_eq!(ground.fake.read(vm(1)), Some(7), "it was gone back"),
        _ => {}
    }
}

async fn whole_life(ground: &Ground, house: &House) {
    for (stage, (goal, order)) in orders().into_iter().enumerate() {
        house.order(stage as u64 + 1, goal, &order).await.unwrap();
        carried_out(ground, house, stage).await;
    }
    assert!(!ground.fake.is_left(vm(1)));
}

#[tokio::test]
async fn a_life_with_everything_in_it_leaves_nothing_behind() {
    let ground = Ground::new();
    let house = ground.start();
    whole_life(&ground, &house).await;
    let calls = ground.fake.calls();
    let count = |wanted| calls.iter().filter(|(call, _)| *call == wanted).count();
    assert_eq!(count(Call::MakeDisk), 2);
    assert_eq!(count(Call::Take), 1);
    assert_eq!(count(Call::Back), 1);
    assert_eq!(count(Call::Drop), 1);
    assert_eq!(
        count(Call::Start),
        3,
        "at first, after the rollback, after the reboot"
    );
    house.stop().await;
}

const CALLS: [Call; 16] = [
    Call::Look,
    Call::Define,
    Call::Start,
    Call::ShutDown,
    Call::Off,
    Call::Pause,
    Call::Resume,
    Call::Take,
    Call::Drop,
    Call::Back,
    Call::GrowLive,
    Call::Remove,
    Call::MakeDisk,
    Call::GrowDisk,
    Call::LookFiles,
    Call::RemoveFiles,
];

#[tokio::test]
async fn every_call_fails_once_and_the_end_is_the_same() {
    for call in CALLS {
        let ground = Ground::new();
        ground.fake.faults(call, [Fault::Fail]);
        let house = ground.start();
        whole_life(&ground, &house).await;
        house.stop().await;
    }
}

#[tokio::test]
async fn every_call_is_done_twice_and_the_end_is_the_same() {
    for call in CALLS {
        let ground = Ground::new();
        ground.fake.faults(call, [Fault::LoseAnswer]);
        let house = ground.start();
        whole_life(&ground, &house).await;
        house.stop().await;
    }
}

/// The daemon dies while a call of each kind is under way (it hangs for good),
/// and another takes up what it finds.
#[tokio::test]
async fn the_daemon_dies_in_each_call_and_the_end_is_the_same() {
    for call in CALLS {
        let ground = Ground::new();
        let mut house = ground.start();
        for (stage, (goal, order)) in orders().into_iter().enumerate() {
            ground.fake.faults(call, [Fault::Hang]);
            house.order(stage as u64 + 1, goal, &order).await.unwrap();
            // Until it hangs, or until there was no such call in this stage.
            let hangs = async {
                while ground.fake.has_faults(call) {
                    tokio::task::yield_now().await;
                }
            };
            tokio::select! {
                () = hangs => {}
                () = carried_out(&ground, &house, stage) => {}
            }
            house.stop().await;
            ground.fake.faults_clear();
            house = ground.start();
            house.order(stage as u64 + 1, goal, &order).await.unwrap();
            carried_out(&ground, &house, stage).await;
        }
        assert!(!ground.fake.is_left(vm(1)), "{call:?}");
        house.stop().await;
    }
}

#[tokio::test]
async fn stopping_the_daemon_stops_no_vm_and_the_next_one_adopts_it() {
    let ground = Ground::new();
    let house = ground.start();
    let (goal, order) = (VmGoal::Running, order());
    house.order(1, goal, &order).await.unwrap();
    house.is(VmSeenState::Running).await;
    house.stop().await;
    assert_eq!(ground.fake.starts(vm(1)), 1);
    let house = ground.start();
    house.is(VmSeenState::Running).await;
    assert_eq!(ground.fake.starts(vm(1)), 1);
    house.stop().await;
}
