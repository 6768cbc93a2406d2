//! VMs that end, or lose their disks; snapshots, images, shares of consoles.

use hostler_core::Bytes;
use hostler_core::id::SnapshotId;
use hostler_core::vm::{SnapshotState, VmGoal, VmSeenState, VmStep, vm_next_step};
use hostler_store::{
    By, ChangeOutcome, ImageAbout, ImageDeleted, ImageInsertError, ImageSpec, NewShare,
    NewSnapshot, NodeLeaveError, Secret, SnapshotSeen, VmChange, VmChanged, VmFilter,
    VmInsertError, VmRow,
};

use super::vms::{change, done, goal, new_vm, node, now, says, seated, vm};
use super::world::{BY, DIGEST, NOW, World, generation, name};

pub(crate) async fn a_vm_that_is_gone_leaves_a_tombstone(world: &World) {
    let store = &world.store;
    let row = vm(world, "web").await;
    let id = row.facts.id;
    let early = store
        .vm_erase(&BY, id, row.facts.generation, None)
        .await
        .unwrap();
    assert_eq!(early, ChangeOutcome::Stale);
    let row = done(change(world, &row, goal(VmGoal::Gone)).await);
    let erased = store
        .vm_erase(&BY, id, row.facts.generation, None)
        .await
        .unwrap();
    assert_eq!(erased, ChangeOutcome::Changed);
    assert_eq!(store.vm_get(id).await.unwrap(), None);
    let marks = store.vm_tombstones(&[id]).await.unwrap();
    assert_eq!(marks[0].generation, row.facts.generation);
    vm(world, "web").await;
}

pub(crate) async fn a_node_with_vms_does_not_leave_and_takes_their_disks_when_removed(
    world: &World,
) {
    let store = &world.store;
    let node = node(world, "n1", 2).await;
    let row = seated(world, "web", node).await;
    let going = seated(world, "going", node).await;
    done(change(world, &going, goal(VmGoal::Gone)).await);
    let left = store.node_leave(&BY, node).await;
    assert!(matches!(left, Err(NodeLeaveError::Vms(2))));
    store.node_remove(&BY, node).await.unwrap();
    let row = now(world, &row).await;
    assert!(row.facts.is_disk_lost && row.facts.seat.is_none());
    assert_eq!(vm_next_step(&row.facts, None), VmStep::Nothing);
    let going = now(world, &going).await;
    assert_eq!(vm_next_step(&going.facts, None), VmStep::Erase);
}

pub(crate) async fn the_trash_is_listed_by_age(world: &World) {
    let row = vm(world, "web").await;
    let trash = VmChange {
        trashed_at: Some(Some(NOW)),
        ..goal(VmGoal::Stopped)
    };
    done(change(world, &row, trash).await);
    let filter = |trashed| VmFilter {
        trashed: Some(trashed),
        ..VmFilter::default()
    };
    let count = async |trashed| {
        let listed = world.store.vm_list(&filter(trashed), None, 10).await;
        listed.unwrap().len()
    };
    assert_eq!((count(true).await, count(false).await), (1, 0));
    let earlier = hostler_core::Timestamp::from_ms(NOW.ms() - 1);
    assert_eq!(world.store.vm_trashed(earlier).await.unwrap().len(), 0);
    assert_eq!(world.store.vm_trashed(NOW).await.unwrap().len(), 1);
}

fn image(text: &str, digest: &str) -> ImageSpec {
    ImageSpec {
        project: name("default"),
        name: name("debian"),
        version: text.to_owned(),
        digest: digest.to_owned(),
        format: "qcow2".to_owned(),
        bytes: 1_024,
        virtual_size: Bytes::mib(64),
        about: ImageAbout::default(),
    }
}

pub(crate) async fn an_image_is_registered_once_and_stays_while_it_is_used(world: &World) {
    let store = &world.store;
    let row = store.image_insert(&BY, image("12", DIGEST)).await.unwrap();
    let again = store.image_insert(&BY, image("12", DIGEST)).await.unwrap();
    assert_eq!(again, row);
    let unknown = store.image_insert(&BY, image("13", "ff")).await;
    assert!(matches!(
        unknown,
        Err(ImageInsertError::ArtifactUnknown { .. })
    ));
    let artifact = store.artifact_delete(&BY, &name("default"), DIGEST).await;
    let used = hostler_store::ArtifactDeleted::InUse {
        workloads: 0,
        images: 1,
    };
    assert_eq!(artifact.unwrap(), used);
    let mut new = new_vm("web");
    new.spec.image = Some(row.id);
    store.vm_insert(&BY, new.clone(), None).await.unwrap();
    let deleted = store.image_delete(&BY, row.id).await.unwrap();
    assert_eq!(deleted, ImageDeleted::InUse { vms: 1 });
    let later = By::new("ada", NOW + std::time::Duration::from_millis(1));
    let spare = store
        .image_insert(&later, image("14", DIGEST))
        .await
        .unwrap();
    assert_eq!(
        store.image_list(None, Some(&name("debian"))).await.unwrap(),
        [spare.clone(), row]
    );
    assert_eq!(
        store.image_delete(&BY, spare.id).await.unwrap(),
        ImageDeleted::Deleted
    );
    assert_eq!(
        store.image_delete(&BY, spare.id).await.unwrap(),
        ImageDeleted::Unknown
    );
    new.spec.image = Some(spare.id);
    new.spec.name = name("late");
    let late = store.vm_insert(&BY, new, None).await;
    assert!(matches!(late, Err(VmInsertError::ImageGone(_))));
}

pub(crate) async fn a_share_opens_until_it_expires_or_is_revoked(world: &World) {
    let store = &world.store;
    let row = vm(world, "web").await;
    let end = NOW + std::time::Duration::from_mins(1);
    let new = |secret: &str| NewShare {
        vm: row.facts.id,
        project: name("default"),
        name: "class".to_owned(),
        secret: Secret::new(secret),
        expires_at: end,
    };
    let share = store.share_insert(&BY, new("one")).await.unwrap();
    store.share_insert(&BY, new("two")).await.unwrap();
    let opens = async |secret: &str, now| {
        let found = store.share_by_secret(secret, now).await.unwrap();
        found.is_some()
    };
    assert!(opens("one", NOW).await && opens("two", NOW).await);
    assert!(!opens("three", NOW).await && !opens("one", end).await);
    assert!(
        store
            .share_delete(&BY, row.facts.id, share.id)
            .await
            .unwrap()
    );
    assert!(
        !store
            .share_delete(&BY, row.facts.id, share.id)
            .await
            .unwrap()
    );
    assert!(!opens("one", NOW).await && opens("two", NOW).await);
    assert_eq!(store.share_list(row.facts.id).await.unwrap().len(), 1);
    assert_eq!(
        store
            .share_sweep(end + std::time::Duration::from_secs(1))
            .await
            .unwrap(),
        1
    );
}

pub(crate) async fn a_vm_is_raised_over_what_its_node_was_told(world: &World) {
    let row = vm(world, "web").await;
    let by = By::new("hostler", NOW);
    let raise = async |from, to, expected| {
        let step = (generation(from), generation(to));
        let outcome = world.store.vm_raise(&by, row.facts.id, step, None).await;
        assert_eq!(outcome.unwrap(), expected);
    };
    raise(2, 9, ChangeOutcome::Stale).await;
    raise(1, 9, ChangeOutcome::Changed).await;
    raise(9, 9, ChangeOutcome::Stale).await;
    assert_eq!(now(world, &row).await.facts.generation, generation(9));
    world
        .store
        .vm_reason_set(&by, row.facts.id, "no node")
        .await
        .unwrap();
    world
        .store
        .vm_reason_set(&by, row.facts.id, "no room")
        .await
        .unwrap();
    assert_eq!(now(world, &row).await.reason.as_deref(), Some("no room"));
    assert_eq!(
        world.told(row.facts.id).await,
        ["vm.created", "vm.raised", "vm.queued"]
    );
}

pub(crate) async fn snapshots_are_wanted_seen_and_given_up(world: &World) {
    let node = node(world, "n1", 1).await;
    let row = seated(world, "web", node).await;
    let store = &world.store;
    let new = |row: &VmRow| NewSnapshot {
        vm: row.facts.id,
        expected: row.facts.generation,
        name: name("before"),
        memory: false,
    };
    let id = store.vm_snapshot_insert(&BY, new(&row)).await.unwrap();
    let id: SnapshotId = id.unwrap();
    let stale = store.vm_snapshot_insert(&BY, new(&row)).await.unwrap();
    assert_eq!(stale, Err(VmChanged::Stale));
    let row = now(world, &row).await;
    let twice = store.vm_snapshot_insert(&BY, new(&row)).await.unwrap();
    assert_eq!(twice, Err(VmChanged::NameTaken));
    let mut entry = says(&row, VmSeenState::Running);
    entry.snapshots = vec![SnapshotSeen {
        id,
        state: SnapshotState::Ready,
        taken_at: Some(NOW),
        problem: None,
    }];
    store
        .vm_seen(NOW, node, &[entry.clone()], None)
        .await
        .unwrap();
    let listed = store.vm_snapshots(&[row.facts.id]).await.unwrap();
    assert_eq!(
        (listed[0].state, listed[0].taken_at),
        (SnapshotState::Ready, Some(NOW))
    );
    let place = (row.facts.id, row.facts.generation);
    assert!(store.vm_snapshot_remove(&BY, place, id).await.unwrap());
    assert!(!store.vm_snapshot_remove(&BY, place, id).await.unwrap());
    store.vm_seen(NOW, node, &[entry], None).await.unwrap();
    let listed = store.vm_snapshots(&[row.facts.id]).await.unwrap();
    assert!(
        !listed[0].is_wanted,
        "it is there until its node has removed it"
    );
    let row = now(world, &row).await;
    let entry = says(&row, VmSeenState::Running);
    store.vm_seen(NOW, node, &[entry], None).await.unwrap();
    assert_eq!(store.vm_snapshots(&[row.facts.id]).await.unwrap(), []);
}
