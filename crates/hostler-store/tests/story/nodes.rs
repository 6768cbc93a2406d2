//! Nodes.

use hostler_core::node::{Availability, Scheduling};
use hostler_core::{Resources, Timestamp};
use hostler_store::{HeartbeatOutcome, NodeChange, NodeLeaveError, NodeRegisterError, Secret};

use super::world::{BY, NOW, World, boot, generation, labels, name, new_node, report};

pub(crate) async fn a_node_is_found_by_its_key_and_its_key_is_read_back(world: &World) {
    let store = &world.store;
    let node = world.stranger("n1").await;
    let id = node.facts.id;
    assert_eq!(
        store.node_by_key("key of n1").await.unwrap(),
        Some(node.clone())
    );
    assert_eq!(store.node_by_key("key of n2").await.unwrap(), None);
    assert_eq!(
        store.node_by_name(&name("n1")).await.unwrap(),
        Some(node.clone())
    );
    assert_eq!(
        store.node_key(id).await.unwrap().unwrap().expose(),
        "key of n1"
    );
    assert_eq!(store.node_list().await.unwrap(), vec![node]);
}

pub(crate) async fn a_name_belongs_to_one_node(world: &World) {
    world.stranger("n1").await;
    let mut twin = new_node("n1");
    twin.key = hostler_store::Secret::new("another key");
    let error = world
        .store
        .node_register(&BY, twin, None)
        .await
        .unwrap_err();
    assert!(
        matches!(error, NodeRegisterError::NameTaken(_)),
        "{error:?}"
    );
    assert_eq!(world.store.node_list().await.unwrap().len(), 1);
}

pub(crate) async fn who_registers_again_with_its_own_key_is_the_same_node(world: &World) {
    let first = world.stranger("n1").await;
    let mut again = new_node("n1");
    again.port = 3_012;
    let nobody = Secret::new("no such join token");
    let registered = world.store.node_register(&BY, again, Some(&nobody)).await;
    let registered = registered.unwrap();
    assert!(!registered.is_new);
    assert_eq!(registered.node.facts.id, first.facts.id);
    assert_eq!(world.node_row(first.facts.id).await.port, 3_012);
    assert_eq!(world.told(first.facts.id).await, ["node.registered"]);
    let mut other = new_node("n2");
    other.key = new_node("n1").key;
    let refused = world.store.node_register(&BY, other, None).await;
    assert!(refused.is_err(), "a key is one node's");
}

pub(crate) async fn an_older_heartbeat_of_the_same_boot_is_ignored(world: &World) {
    let id = world.stranger("n1").await.facts.id;
    let store = &world.store;
    let check = async |sequence, slots, expected, kept| {
        let outcome = store
            .node_heartbeat(NOW, id, report(sequence, slots))
            .await
            .unwrap();
        assert_eq!(outcome, expected, "heartbeat {sequence}");
        assert_eq!(
            world.node_row(id).await.facts.slots,
            kept,
            "heartbeat {sequence}"
        );
    };
    check(5, 1, HeartbeatOutcome::Accepted, 1).await;
    check(4, 2, HeartbeatOutcome::Stale, 1).await;
    check(5, 3, HeartbeatOutcome::Stale, 1).await;
    check(6, 4, HeartbeatOutcome::Accepted, 4).await;

    let mut reborn = report(1, 8);
    reborn.boot = boot(2);
    let outcome = store.node_heartbeat(NOW, id, reborn).await.unwrap();
    assert_eq!(outcome, HeartbeatOutcome::Accepted);
    let nobody = hostler_core::id::NodeId::from_parts(1, [0; 10]);
    let outcome = store
        .node_heartbeat(NOW, nobody, report(1, 1))
        .await
        .unwrap();
    assert_eq!(outcome, HeartbeatOutcome::Unknown);
}

pub(crate) async fn a_heartbeat_never_touches_what_seats_have_taken(world: &World) {
    let node = world.node("n1", 4).await;
    world.seated("echo", node).await;
    let mut next = report(2, 4);
    next.lease_until = NOW + std::time::Duration::from_secs(75);
    world.store.node_heartbeat(NOW, node, next).await.unwrap();
    let row = world.node_row(node).await;
    assert_eq!(row.facts.reserved, Resources::of(1_000, 1_024));
    assert_eq!(row.facts.seated, 1);
    assert_eq!(row.facts.last_heard, Some(NOW));
    assert_eq!(row.facts.lease_until.since(NOW).as_secs(), 75);
    assert_eq!(row.boot, Some(boot(1)));
    assert_eq!(row.version, "0.1.0");
}

pub(crate) async fn a_change_of_availability_is_told_once(world: &World) {
    let id = world.stranger("n1").await.facts.id;
    for (availability, expected) in [
        (Availability::Pending, false),
        (Availability::Online, true),
        (Availability::Online, false),
        (Availability::Offline, true),
        (Availability::Online, true),
    ] {
        let told = world
            .store
            .node_availability_note(&BY, id, availability)
            .await
            .unwrap();
        assert_eq!(told, expected, "{availability:?}");
    }
    let told = [
        "node.registered",
        "node.online",
        "node.offline",
        "node.online",
    ];
    assert_eq!(world.told(id).await, told);
}

pub(crate) async fn a_removed_node_frees_what_sat_there(world: &World) {
    let (here, there) = (world.node("n1", 4).await, world.node("n2", 4).await);
    let moved = world.seated("moved", here).await;
    let kept = world.seated("kept", there).await;
    let unseated = world.store.node_remove(&BY, here).await.unwrap();
    assert_eq!(unseated, Some(vec![moved.facts.id]));
    let now = world.row(&moved).await;
    assert_eq!(
        (now.facts.seat, now.facts.generation),
        (None, generation(3))
    );
    assert_eq!(world.row(&kept).await, kept);
    assert_eq!(world.store.node_get(here).await.unwrap(), None);
    assert_eq!(world.store.node_by_key("key of n1").await.unwrap(), None);
    assert_eq!(world.store.node_remove(&BY, here).await.unwrap(), None);
    let told = ["workload.created", "workload.seated", "workload.unseated"];
    assert_eq!(world.told(moved.facts.id).await, told);
}

pub(crate) async fn what_an_operator_changes_stays_through_heartbeats(world: &World) {
    let id = world.node("n1", 1).await;
    let row = world.node_row(id).await;
    assert_eq!(
        row.facts.labels,
        labels(&[("nex.arch", "x86_64"), ("zone", "north")])
    );
    let change = NodeChange {
        scheduling: Some(Scheduling::Draining),
        labels: Some(labels(&[("disk", "ssd")])),
    };
    let row = world
        .store
        .node_update(&BY, id, change)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.facts.scheduling, Scheduling::Draining);
    world
        .store
        .node_heartbeat(NOW, id, report(2, 1))
        .await
        .unwrap();
    let row = world.node_row(id).await;
    assert_eq!(row.facts.scheduling, Scheduling::Draining);
    assert_eq!(row.labels, labels(&[("disk", "ssd")]));
    let merged = labels(&[("disk", "ssd"), ("nex.arch", "x86_64"), ("zone", "unknown")]);
    assert_eq!(row.facts.labels, merged);
    assert_eq!(row.facts.lease_until, Timestamp::NEVER);

    let nothing = world
        .store
        .node_update(&BY, id, NodeChange::default())
        .await
        .unwrap();
    assert_eq!(nothing, Some(row));
    assert_eq!(world.told(id).await, ["node.registered", "node.updated"]);
}

pub(crate) async fn a_node_leaves_only_when_nothing_sits_there(world: &World) {
    let node = world.node("n1", 2).await;
    let row = world.seated("echo", node).await;
    let refused = world.store.node_leave(&BY, node).await;
    assert!(
        matches!(refused, Err(NodeLeaveError::Seated(_))),
        "{refused:?}"
    );
    let unseat = super::seats::unseat(row.facts.id, 2, node);
    world
        .store
        .workload_unseat(&BY, unseat, None)
        .await
        .unwrap();
    world.store.node_leave(&BY, node).await.unwrap();
    let again = world.store.node_leave(&BY, node).await;
    assert!(
        matches!(again, Err(NodeLeaveError::Unknown(_))),
        "{again:?}"
    );
    assert_eq!(world.told(node).await, ["node.registered", "node.removed"]);
}

pub(crate) async fn a_node_has_one_key_for_nats_and_it_goes_with_the_node(world: &World) {
    let store = &world.store;
    let [first, second] = [world.node("n1", 1).await, world.node("n2", 1).await];
    let check = async |expected: &[&str]| {
        assert_eq!(store.node_nats_keys().await.unwrap(), expected);
    };
    check(&[]).await;
    assert!(store.node_nats_key_set(&BY, second, "UB").await.unwrap());
    assert!(store.node_nats_key_set(&BY, first, "UC").await.unwrap());
    check(&["UB", "UC"]).await;
    assert!(store.node_nats_key_set(&BY, first, "UA").await.unwrap());
    assert!(store.node_nats_key_set(&BY, first, "UA").await.unwrap());
    check(&["UA", "UB"]).await;
    let told = world.told(first).await;
    let keys = told.iter().filter(|kind| *kind == "node.nats-key");
    assert_eq!(
        keys.count(),
        2,
        "what changes nothing is not told: {told:?}"
    );
    store.node_leave(&BY, first).await.unwrap();
    check(&["UB"]).await;
    assert!(!store.node_nats_key_set(&BY, first, "UA").await.unwrap());
}
