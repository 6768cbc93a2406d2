//! VMs: seats and room, changes, what nodes say, snapshots, the end.

use hostler_core::id::NodeId;
use hostler_core::node::Scheduling;
use hostler_core::vm::{DiskOnLoss, VmGoal, VmSeenState, VmSize, VmStep, vm_next_step};
use hostler_core::workload::{OnNodeLoss, SeatView};
use hostler_core::{Bytes, Resources};
use hostler_store::{
    ChangeOutcome, HeartbeatOrder, Limits, NewVm, NodeChange, NodeReport, SeatOutcome, UnseatIf,
    VmChange, VmChanged, VmFilter, VmInsertError, VmInserted, VmRow, VmSeat, VmSeenEntry, VmSpec,
    VmUnseat,
};

use super::world::{BY, NOW, World, boot, generation, key, labels, name, report};

/// One core, one GiB, ten GiB of disk.
pub(super) fn new_vm(text: &str) -> NewVm {
    NewVm {
        spec: VmSpec {
            project: name("default"),
            name: name(text),
            labels: labels(&[("app", "web")]),
            rules: serde_json::json!({"node_labels": {"zone": "north"}}),
            pinned: None,
            size: VmSize {
                cpus: 1,
                memory: Bytes::mib(1_024),
                disk: Bytes::mib(8_192),
            },
            extra_disk: Bytes::mib(2_048),
            image: None,
            shape: serde_json::json!({"autostart": true}),
            on_node_loss: OnNodeLoss::Wait,
            disk_on_loss: DiskOnLoss::Keep,
            description: "serves".to_owned(),
            is_protected: false,
        },
        seed: serde_json::json!({"user_data": "correct horse"}),
        goal: VmGoal::Running,
    }
}

pub(super) async fn vm(world: &World, text: &str) -> VmRow {
    match world
        .store
        .vm_insert(&BY, new_vm(text), None)
        .await
        .unwrap()
    {
        VmInserted::New(row) => row,
        VmInserted::Replayed(row) => panic!("{row:?} was there before"),
    }
}

pub(super) async fn now(world: &World, row: &VmRow) -> VmRow {
    world.store.vm_get(row.facts.id).await.unwrap().unwrap()
}

fn vm_report(sequence: u64, places: u64) -> NodeReport {
    NodeReport {
        vm_disk: Bytes::mib(10_240 * places),
        ..report(sequence, u32::try_from(places).unwrap())
    }
}

/// A node with room for so many VMs.
pub(super) async fn node(world: &World, text: &str, places: u64) -> NodeId {
    let id = world.stranger(text).await.facts.id;
    let heard = world.store.node_heartbeat(NOW, id, vm_report(1, places));
    heard.await.unwrap();
    id
}

fn seat(row: &VmRow, node: NodeId) -> VmSeat {
    VmSeat {
        vm: row.facts.id,
        expected: row.facts.generation,
        node,
        limits: Limits::default(),
    }
}

pub(super) async fn seated(world: &World, text: &str, node: NodeId) -> VmRow {
    let row = vm(world, text).await;
    let request = [seat(&row, node)];
    let outcomes = world.store.vm_seat_many(&BY, &request, None);
    assert_eq!(
        outcomes.await.unwrap(),
        [SeatOutcome::Seated(generation(2))]
    );
    now(world, &row).await
}

pub(super) async fn change(world: &World, row: &VmRow, change: VmChange) -> VmChanged {
    let place = (row.facts.id, row.facts.generation);
    world.store.vm_change(&BY, place, change).await.unwrap()
}

#[track_caller]
pub(super) fn done(changed: VmChanged) -> VmRow {
    match changed {
        VmChanged::Changed(row) => *row,
        other => panic!("{other:?}"),
    }
}

pub(super) fn goal(goal: VmGoal) -> VmChange {
    VmChange {
        kind: "goal",
        goal: Some(goal),
        ..VmChange::default()
    }
}

async fn taken(world: &World, node: NodeId) -> (Resources, Bytes) {
    let room = world.node_row(node).await.vms;
    (room.resources, room.disk)
}

pub(super) fn says(row: &VmRow, state: VmSeenState) -> VmSeenEntry {
    VmSeenEntry {
        id: row.facts.id,
        generation: row.facts.generation,
        state,
        problem: None,
        details: serde_json::json!({"disk_used": 7}),
        snapshots: Vec::new(),
    }
}

pub(crate) async fn a_vm_reads_back_as_it_was_asked_for_and_its_seed_is_sealed(world: &World) {
    let row = vm(world, "web").await;
    assert_eq!(row.spec, new_vm("web").spec);
    assert_eq!(now(world, &row).await, row);
    let seed = world.store.vm_seed(row.facts.id).await.unwrap();
    assert_eq!(seed, Some(new_vm("web").seed));
    let debug = format!("{:?}", new_vm("web"));
    assert!(!debug.contains("horse"), "{debug}");
    if world.url.starts_with("sqlite") {
        world
            .store
            .vm_list(&VmFilter::default(), None, 10)
            .await
            .unwrap();
        let mut file = std::fs::read(world.database_file()).unwrap();
        let log = world.database_file().with_extension("db-wal");
        file.extend(std::fs::read(log).unwrap_or_default());
        let clear = file.windows(13).any(|bytes| bytes == b"correct horse");
        assert!(!clear, "the seed is in clear");
    }
}

pub(crate) async fn one_vm_has_a_name_and_one_request_makes_one_vm(world: &World) {
    let store = &world.store;
    let first = store.vm_insert(&BY, new_vm("web"), Some(key("k", 1))).await;
    let VmInserted::New(first) = first.unwrap() else {
        panic!("it was made before")
    };
    let again = store.vm_insert(&BY, new_vm("web"), Some(key("k", 1))).await;
    assert_eq!(again.unwrap(), VmInserted::Replayed(first));
    let other = store.vm_insert(&BY, new_vm("b"), Some(key("k", 2))).await;
    assert!(matches!(other, Err(VmInsertError::KeyReused { .. })));
    let taken = store.vm_insert(&BY, new_vm("web"), Some(key("l", 1))).await;
    assert!(matches!(taken, Err(VmInsertError::NameTaken { .. })));
    let freed = store.vm_insert(&BY, new_vm("c"), Some(key("l", 3))).await;
    assert!(freed.is_ok(), "a failed request keeps no key");
}

pub(crate) async fn a_vm_takes_disk_with_its_seat_and_the_rest_with_its_goal(world: &World) {
    let node = node(world, "n1", 2).await;
    let row = seated(world, "web", node).await;
    let (all, disk) = (Resources::of(1_000, 1_024), Bytes::mib(10_240));
    assert_eq!(taken(world, node).await, (all, disk));
    assert_eq!(world.node_row(node).await.facts.reserved, all);
    let row = done(change(world, &row, goal(VmGoal::Stopped)).await);
    assert_eq!(taken(world, node).await, (Resources::default(), disk));
    let row = done(change(world, &row, goal(VmGoal::Paused)).await);
    assert_eq!(taken(world, node).await, (all, disk));
    let row = done(change(world, &row, goal(VmGoal::Gone)).await);
    assert_eq!(taken(world, node).await, (Resources::default(), disk));
    let unseat = VmUnseat {
        vm: row.facts.id,
        expected: row.facts.generation,
        node,
        provided: UnseatIf::Anyhow,
        why: "its node has dropped it",
    };
    let outcome = world.store.vm_unseat(&BY, unseat, None).await.unwrap();
    assert_eq!(outcome, ChangeOutcome::Changed);
    assert_eq!(
        taken(world, node).await,
        (Resources::default(), Bytes::default())
    );
    let again = world.store.vm_unseat(&BY, unseat, None).await.unwrap();
    assert_eq!(again, ChangeOutcome::Stale);
    assert_eq!(
        taken(world, node).await,
        (Resources::default(), Bytes::default())
    );
}

pub(crate) async fn vms_and_workloads_share_one_room(world: &World) {
    let node = node(world, "n1", 1).await;
    seated(world, "web", node).await;
    let work = world.workload("echo").await;
    let request = super::world::seat(&work, node);
    let outcome = world.store.workload_seat(&BY, request, None).await.unwrap();
    assert_eq!(outcome, SeatOutcome::NoRoom);
}

pub(crate) async fn a_full_closed_or_diskless_node_takes_no_vm(world: &World) {
    let check = async |node, text: &str| {
        let row = vm(world, text).await;
        let request = [seat(&row, node)];
        let outcome = world.store.vm_seat_many(&BY, &request, None);
        assert_eq!(outcome.await.unwrap(), [SeatOutcome::NoRoom], "{text}");
        assert_eq!(now(world, &row).await, row);
    };
    let full = node(world, "full", 1).await;
    seated(world, "first", full).await;
    check(full, "full").await;
    check(world.node("diskless", 4).await, "diskless").await;
    let closed = node(world, "closed", 1).await;
    let close = NodeChange {
        scheduling: Some(Scheduling::Closed),
        labels: None,
    };
    world.store.node_update(&BY, closed, close).await.unwrap();
    check(closed, "closed").await;
}

pub(crate) async fn a_hundred_racers_for_twenty_places_give_twenty_seats(world: &World) {
    let node = node(world, "n1", 20).await;
    let mut rows = Vec::new();
    for number in 0..100 {
        rows.push(vm(world, &format!("v{number}")).await);
    }
    let racers = rows.iter().map(|row| {
        let (store, request) = (world.store.clone(), seat(row, node));
        tokio::spawn(async move { store.vm_seat_many(&BY, &[request], None).await.unwrap()[0] })
    });
    let outcomes = futures::future::join_all(racers).await;
    let given = |outcome: &SeatOutcome| matches!(outcome, SeatOutcome::Seated(_));
    let seats = outcomes
        .iter()
        .filter(|outcome| given(outcome.as_ref().unwrap()));
    assert_eq!(seats.count(), 20);
    let sits = world.store.vm_on_node(&[node]).await.unwrap();
    assert_eq!(sits.len(), 20);
    let full = (Resources::of(20_000, 20 * 1_024), Bytes::mib(20 * 10_240));
    assert_eq!(taken(world, node).await, full);
}

pub(crate) async fn a_change_is_made_on_what_was_looked_at_or_not_at_all(world: &World) {
    let node = node(world, "n1", 2).await;
    vm(world, "other").await;
    let old = seated(world, "web", node).await;
    let rename = |text: &str| VmChange {
        kind: "renamed",
        name: Some(name(text)),
        ..VmChange::default()
    };
    assert_eq!(
        change(world, &old, rename("other")).await,
        VmChanged::NameTaken
    );
    let row = done(change(world, &old, rename("site")).await);
    assert_eq!(row.facts.generation, old.facts.generation.next());
    assert_eq!(change(world, &old, rename("late")).await, VmChanged::Stale);
    let size = |cpus| VmChange {
        kind: "resized",
        size: Some(VmSize {
            cpus,
            ..old.spec.size
        }),
        ..VmChange::default()
    };
    assert_eq!(change(world, &row, size(3)).await, VmChanged::NoRoom);
    let row = done(change(world, &row, size(2)).await);
    assert_eq!(taken(world, node).await.0, Resources::of(2_000, 1_024));
    let reboot = VmChange {
        kind: "restarted",
        reboot: true,
        ..VmChange::default()
    };
    assert_eq!(done(change(world, &row, reboot).await).reboots, 1);
    let told = world.told(row.facts.id).await;
    let expected = [
        "vm.created",
        "vm.seated",
        "vm.renamed",
        "vm.resized",
        "vm.restarted",
    ];
    assert_eq!(told, expected);
}

pub(crate) async fn racing_changes_never_lose_room(world: &World) {
    let node = node(world, "n1", 2).await;
    let row = seated(world, "web", node).await;
    let racers = (0..20).map(|number| {
        let (store, row) = (world.store.clone(), row.clone());
        tokio::spawn(async move {
            for _ in 0..5 {
                let row = store.vm_get(row.facts.id).await.unwrap().unwrap();
                let wanted = if number % 2 == 0 {
                    VmGoal::Stopped
                } else {
                    VmGoal::Running
                };
                let place = (row.facts.id, row.facts.generation);
                store.vm_change(&BY, place, goal(wanted)).await.unwrap();
                let entry = says(&row, VmSeenState::Running);
                store.vm_seen(NOW, node, &[entry], None).await.unwrap();
            }
        })
    });
    for racer in futures::future::join_all(racers).await {
        racer.unwrap();
    }
    let row = now(world, &row).await;
    assert_eq!(
        taken(world, node).await,
        (row.room().resources, row.room().disk)
    );
}

pub(crate) async fn what_a_node_says_of_vms_is_kept_and_told_on_change(world: &World) {
    let node = node(world, "n1", 2).await;
    let row = seated(world, "web", node).await;
    let store = &world.store;
    let order = HeartbeatOrder {
        boot: boot(1),
        sequence: 1,
    };
    let hear = async |entry: &VmSeenEntry, expected: usize| {
        let turned = store.vm_seen(NOW, node, std::slice::from_ref(entry), Some(order));
        assert_eq!(turned.await.unwrap().len(), expected, "{entry:?}");
    };
    let running = says(&row, VmSeenState::Running);
    hear(&running, 1).await;
    hear(&running, 0).await;
    let mut grown = running.clone();
    grown.details = serde_json::json!({"disk_used": 9});
    hear(&grown, 0).await;
    let seen = now(world, &row).await.seen.unwrap();
    assert_eq!(
        (seen.state, seen.details),
        (VmSeenState::Running, grown.details)
    );
    let mut old = says(&row, VmSeenState::Stopped);
    old.generation = generation(1);
    hear(&old, 0).await;
    let elsewhere = self::node(world, "n2", 1).await;
    let absent = [says(&row, VmSeenState::Absent)];
    let foreign = store.vm_seen(NOW, elsewhere, &absent, None);
    assert_eq!(foreign.await.unwrap(), []);
    assert_eq!(
        now(world, &row).await.facts.seen_now(),
        Some(VmSeenState::Running)
    );
    let told = world.told(row.facts.id).await;
    assert_eq!(told, ["vm.created", "vm.seated", "vm.running"]);
}

/// VMs of every goal, with and without a seat, of which every sort of thing
/// is seen: 24.
async fn every_sort(world: &World, node: NodeId) {
    let store = &world.store;
    let mut number = 0;
    for wanted in [VmGoal::Running, VmGoal::Stopped, VmGoal::Gone] {
        for state in [
            None,
            Some(VmSeenState::Absent),
            Some(VmSeenState::Failed),
            Some(VmSeenState::Fenced),
        ] {
            for sits in [true, false] {
                number += 1;
                let text = format!("v{number}");
                let row = if sits {
                    seated(world, &text, node).await
                } else {
                    vm(world, &text).await
                };
                let row = done(change(world, &row, goal(wanted)).await);
                if let Some(state) = state {
                    store
                        .vm_seen(NOW, node, &[says(&row, state)], None)
                        .await
                        .unwrap();
                }
            }
        }
    }
}

pub(crate) async fn the_unsettled_vms_are_those_with_a_next_step(world: &World) {
    let fine = SeatView {
        reachable: true,
        lost: false,
        draining: false,
    };
    let store = &world.store;
    let node = node(world, "n1", 100).await;
    every_sort(world, node).await;
    let lost = seated(world, "lost", node).await;
    let unseat = VmUnseat {
        vm: lost.facts.id,
        expected: lost.facts.generation,
        node,
        provided: UnseatIf::Anyhow,
        why: "its node has dropped it",
    };
    store.vm_unseat(&BY, unseat, None).await.unwrap();
    let trash = VmChange {
        trashed_at: Some(Some(NOW)),
        ..goal(VmGoal::Stopped)
    };
    done(change(world, &vm(world, "trash").await, trash).await);
    let all = store
        .vm_list(&VmFilter::default(), None, 100)
        .await
        .unwrap();
    let unsettled = store.vm_unsettled(None, 100).await.unwrap();
    assert_eq!(all.len(), 26);
    for row in &all {
        let view = row.facts.seat.map(|_| fine);
        let busy = vm_next_step(&row.facts, view) != VmStep::Nothing;
        let listed = unsettled.iter().any(|other| other.facts.id == row.facts.id);
        assert_eq!(listed, busy, "{:?}", row.facts);
    }
}
