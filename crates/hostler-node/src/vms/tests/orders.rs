//! Orders: which are followed, what is refused, and what is never done.

use std::time::Duration;

use hostler_core::Generation;
use hostler_core::vm::{SnapshotState, VmGoal, VmSeenState, WantsRestart};
use hostler_core::workload::OnNodeLoss;
use hostler_wire::node_api::{DiskSource, Rollback, SnapshotOrder, VmEnsure, VmOrder};

use super::super::VmEnsureError;
use super::super::testing::order;
use super::house::{Ground, House, PATIENCE, snapshot, vm};
use crate::hypervisor::machines::FakeMachines;
use crate::hypervisor::machines::fake::{Call, Fault};

async fn running(order: &VmOrder) -> (Ground, House) {
    let ground = Ground::new();
    let house = ground.start();
    house.order(1, VmGoal::Running, order).await.unwrap();
    house.is(VmSeenState::Running).await;
    (ground, house)
}

async fn eventually(what: &str, mut is: impl FnMut() -> bool) {
    let wait = async {
        while !is() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, wait).await;
    assert!(in_time.is_ok(), "{what}");
}

#[tokio::test]
async fn an_older_order_changes_nothing_and_a_late_one_starts_nothing() {
    let ground = Ground::new();
    let house = ground.start();
    let late = VmEnsure {
        generation: Generation::new(1),
        goal: VmGoal::Running,
        heartbeat: None,
        order: Some(order()),
    };
    let refused = house.vms.ensure(vm(1), late).await;
    assert!(matches!(refused, Err(VmEnsureError::Stale)));
    house.order(3, VmGoal::Gone, &order()).await.unwrap();
    let answer = house.order(2, VmGoal::Running, &order()).await.unwrap();
    assert_eq!(answer.generation.number(), 3);
    house.is(VmSeenState::Absent).await;
    assert!(!ground.fake.is_left(vm(1)));
}

#[tokio::test]
async fn a_guest_that_shuts_itself_down_stays_off_until_it_is_ordered_anew() {
    let (ground, house) = running(&order()).await;
    ground.fake.guest_leaves(vm(1));
    house.is(VmSeenState::Stopped).await;
    house.order(1, VmGoal::Running, &order()).await.unwrap();
    house.is(VmSeenState::Stopped).await;
    assert_eq!(ground.fake.starts(vm(1)), 1);
    house.order(2, VmGoal::Running, &order()).await.unwrap();
    house.is(VmSeenState::Running).await;
    assert_eq!(ground.fake.starts(vm(1)), 2);
}

#[tokio::test]
async fn a_deaf_guest_is_switched_off_at_its_deadline() {
    let short = VmOrder {
        stop_deadline_ms: 200,
        ..order()
    };
    let (ground, house) = running(&short).await;
    ground.fake.guest_is_deaf(vm(1));
    house.order(2, VmGoal::Stopped, &short).await.unwrap();
    house.is(VmSeenState::Stopping).await;
    house.is(VmSeenState::Stopped).await;
    let calls = ground.fake.calls();
    let at = |wanted| calls.iter().position(|(call, _)| *call == wanted);
    assert!(at(Call::ShutDown).unwrap() < at(Call::Off).unwrap());
}

#[tokio::test]
async fn a_resize_waits_for_the_next_start_and_says_so() {
    let (ground, house) = running(&order()).await;
    let mut larger = order();
    larger.size.cpus = 4;
    house.order(2, VmGoal::Running, &larger).await.unwrap();
    let said = house.seen(|entry| !entry.wants_restart.is_empty()).await;
    assert_eq!(said.wants_restart, [WantsRestart::Cpus]);
    assert_eq!(ground.fake.size_of(vm(1)).unwrap().cpus, 1);
    larger.reboots = 1;
    house.order(3, VmGoal::Running, &larger).await.unwrap();
    house
        .seen(|entry| entry.reboots == 1 && entry.wants_restart.is_empty())
        .await;
    house.is(VmSeenState::Running).await;
    assert_eq!(ground.fake.size_of(vm(1)).unwrap().cpus, 4);
}

#[tokio::test]
async fn a_lost_disk_is_said_and_never_made_anew() {
    let (ground, house) = running(&order()).await;
    house.order(2, VmGoal::Stopped, &order()).await.unwrap();
    house.is(VmSeenState::Stopped).await;
    ground.fake.disks_vanish(vm(1));
    house.order(3, VmGoal::Running, &order()).await.unwrap();
    let said = house.is(VmSeenState::Failed).await;
    assert_eq!(said.problem.unwrap(), "its disk 'root' is gone");
    let made = |(call, _): &&(Call, _)| *call == Call::MakeDisk;
    assert_eq!(ground.fake.calls().iter().filter(made).count(), 1);
}

#[tokio::test]
async fn what_is_refused_for_good_is_given_up_until_a_new_order() {
    let ground = Ground::new();
    ground.fake.faults(Call::Define, [Fault::Refuse]);
    let house = ground.start();
    house.order(1, VmGoal::Running, &order()).await.unwrap();
    let said = house.is(VmSeenState::Failed).await;
    assert_eq!(said.problem.as_deref(), Some("Define was refused"));
    house.order(2, VmGoal::Running, &order()).await.unwrap();
    let said = house.is(VmSeenState::Running).await;
    assert_eq!(said.problem, None);
}

#[tokio::test]
async fn a_snapshot_that_cannot_be_taken_and_a_rollback_to_nowhere_are_said() {
    let with = VmOrder {
        snapshots: vec![SnapshotOrder {
            id: snapshot(1),
            memory: true,
        }],
        rollback: Some(Rollback {
            number: 5,
            to: snapshot(2),
        }),
        ..order()
    };
    let ground = Ground::new();
    ground.fake.faults(Call::Take, [Fault::Refuse]);
    let house = ground.start();
    house.order(1, VmGoal::Running, &with).await.unwrap();
    let is_failed = |state| state == SnapshotState::Failed;
    let said = house
        .seen(|entry| entry.snapshots.iter().all(|one| is_failed(one.state)))
        .await;
    assert_eq!(
        said.snapshots[0].problem.as_deref(),
        Some("Take was refused")
    );
    let rollback = said.rollback.unwrap();
    assert_eq!(rollback.number, 5);
    assert!(rollback.problem.is_some());
    house.is(VmSeenState::Running).await;
}

#[tokio::test]
async fn a_copy_waits_until_its_original_is_off_and_has_its_content() {
    let (ground, house) = running(&order()).await;
    ground.fake.write(vm(1), 42);
    let copy = VmOrder {
        root: DiskSource::Clone { vm: vm(1) },
        ..order()
    };
    let ensure = VmEnsure {
        generation: Generation::FIRST,
        goal: VmGoal::Running,
        heartbeat: Some(house.beat()),
        order: Some(copy),
    };
    house.vms.ensure(vm(2), ensure).await.unwrap();
    let mut roster = house.vms.roster();
    let waits = |roster: &super::super::VmRoster| {
        let view = roster.views.get(&vm(2));
        view.is_some_and(|view| view.entry.problem.is_some())
    };
    tokio::time::timeout(PATIENCE, roster.wait_for(waits))
        .await
        .unwrap()
        .unwrap();
    house.order(2, VmGoal::Stopped, &order()).await.unwrap();
    let fake = &ground.fake;
    eventually("the copy runs", || fake.starts(vm(2)) == 1).await;
    assert_eq!(fake.read(vm(2)), Some(42));
}

fn bound() -> VmOrder {
    VmOrder {
        on_node_loss: OnNodeLoss::Restart,
        ..order()
    }
}

#[tokio::test(start_paused = true)]
async fn the_lease_switches_off_what_it_binds_by_this_node_s_own_clock() {
    let (ground, house) = running(&bound()).await;
    house.lease.sent(2);
    house
        .lease
        .answered(2, Some(Duration::from_secs(30)))
        .unwrap();
    house.lease.sent(3);
    house
        .lease
        .answered(3, Some(Duration::from_secs(30)))
        .unwrap();
    tokio::time::advance(Duration::from_secs(29)).await;
    assert!(!house.lease.is_over());
    house.is(VmSeenState::Running).await;
    let said = house.is(VmSeenState::Fenced).await;
    assert!(said.problem.unwrap().contains("lease"));
    assert!(house.lease.is_over());
    assert!(ground.fake.is_left(vm(1)), "its disk stays");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_hangs_does_not_keep_the_lease_from_ending_a_vm() {
    let (ground, house) = running(&bound()).await;
    house.lease.sent(2);
    house
        .lease
        .answered(2, Some(Duration::from_secs(10)))
        .unwrap();
    ground.fake.faults(Call::Pause, [Fault::Hang]);
    house.order(2, VmGoal::Paused, &bound()).await.unwrap();
    house.is(VmSeenState::Fenced).await;
    assert!(house.lease.now() < Duration::from_secs(15));
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_its_node_outlives_the_lease() {
    let (ground, house) = running(&order()).await;
    house.lease.sent(2);
    house
        .lease
        .answered(2, Some(Duration::from_secs(30)))
        .unwrap();
    tokio::time::sleep(Duration::from_mins(5)).await;
    assert!(house.lease.is_over());
    house.vms.fence();
    house.is(VmSeenState::Running).await;
    assert_eq!(ground.fake.starts(vm(1)), 1);
}

#[tokio::test]
async fn a_vm_of_the_node_s_own_is_unclaimed_and_adopted_by_an_order() {
    let ground = Ground::new();
    ground.fake.stranger("somebody's");
    let house = ground.start();
    house
        .vms
        .local_create(vm(1), VmGoal::Running, order())
        .await
        .unwrap();
    house.is(VmSeenState::Running).await;
    let roster = house.vms.roster();
    let names = || -> Vec<String> {
        let unclaimed = roster.borrow().unclaimed();
        unclaimed.into_iter().map(|one| one.name).collect()
    };
    eventually("both are unclaimed", || names() == ["web", "somebody's"]).await;
    assert!(roster.borrow().entries().is_empty());
    house.order(1, VmGoal::Running, &order()).await.unwrap();
    eventually("one is adopted", || names() == ["somebody's"]).await;
    assert_eq!(roster.borrow().entries().len(), 1);
    assert_eq!(ground.fake.starts(vm(1)), 1);
    let refused = house.vms.local_goal(vm(1), VmGoal::Gone).await;
    assert!(matches!(refused, Err(VmEnsureError::NotLocal)));
    house.order(2, VmGoal::Gone, &order()).await.unwrap();
    house.is(VmSeenState::Absent).await;
}

#[tokio::test]
async fn a_vm_of_the_node_s_own_leaves_no_tombstone() {
    let ground = Ground::new();
    let house = ground.start();
    let made = house.vms.local_create(vm(1), VmGoal::Running, order());
    made.await.unwrap();
    house.is(VmSeenState::Running).await;
    house.vms.local_goal(vm(1), VmGoal::Stopped).await.unwrap();
    house.is(VmSeenState::Stopped).await;
    house.vms.local_goal(vm(1), VmGoal::Gone).await.unwrap();
    let roster = house.vms.roster();
    eventually("forgotten", || roster.borrow().views.is_empty()).await;
    assert!(!ground.fake.is_left(vm(1)));
}

#[tokio::test]
async fn a_machine_without_a_ledger_is_described_and_goes_on_by_an_order_for_it() {
    let plain = Ground::new();
    let folder = plain.folder.path().join("machines");
    let fake = FakeMachines::in_folder(&folder).unwrap();
    let ground = Ground { fake, ..plain };
    std::fs::create_dir_all(folder.join(vm(1).to_string())).unwrap();
    let house = ground.start();
    let mut ordered = order();
    ordered.name = "mine".to_owned();
    house.order(4, VmGoal::Running, &ordered).await.unwrap();
    house.is(VmSeenState::Running).await;
    let told = house.vms.definition(vm(1)).await.unwrap();
    assert_eq!((told.generation.number(), told.goal), (4, VmGoal::Running));
    assert_eq!(told.order, ordered);
    assert!(
        house.vms.definition(vm(2)).await.is_err(),
        "nobody knows it"
    );
    house.stop().await;
    std::fs::remove_dir_all(ground.folder.path().join("vm-ledger")).unwrap();
    let house = ground.start();
    let mut roster = house.vms.roster();
    let listed = roster.wait_for(|roster| !roster.strangers.is_empty());
    let listed = tokio::time::timeout(PATIENCE, listed).await;
    let found = listed.unwrap().unwrap().unclaimed();
    assert_eq!((found[0].id, found[0].running), (Some(vm(1)), true));
    let told = house.vms.definition(vm(1)).await.unwrap();
    assert_eq!((told.generation.number(), told.goal), (0, VmGoal::Running));
    assert_eq!(told.order, ordered);
    house.order(1, VmGoal::Running, &told.order).await.unwrap();
    house.is(VmSeenState::Running).await;
    assert_eq!(ground.fake.starts(vm(1)), 1, "it ran on");
    house.order(2, VmGoal::Gone, &told.order).await.unwrap();
    house.is(VmSeenState::Absent).await;
    assert!(!ground.fake.is_left(vm(1)));
    house.stop().await;
}
