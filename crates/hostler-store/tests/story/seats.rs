//! Seats: room taken and given back, refusals, groups.

use hostler_core::Resources;
use hostler_core::id::{NodeId, WorkloadId};
use hostler_core::node::Scheduling;
use hostler_core::workload::Goal;
use hostler_store::{ChangeOutcome, Limits, NodeChange, SeatOutcome, Unseat};

use super::world::{BY, NOW, World, generation, report, seat};

pub(crate) fn unseat(workload: WorkloadId, number: u64, node: NodeId) -> Unseat<'static> {
    Unseat {
        workload,
        expected: generation(number),
        node,
        why: "its node is lost",
    }
}

pub(crate) async fn a_seat_takes_room_and_gives_it_back(world: &World) {
    let store = &world.store;
    let node = world.node("n1", 2).await;
    let row = world.workload("echo").await;
    let outcome = store
        .workload_seat(&BY, seat(&row, node), None)
        .await
        .unwrap();
    assert_eq!(outcome, SeatOutcome::Seated(generation(2)));
    let seated = world.row(&row).await;
    assert_eq!(
        (seated.facts.seat, seated.facts.generation),
        (Some(node), generation(2))
    );
    let taken = world.node_row(node).await.facts;
    assert_eq!(
        (taken.reserved, taken.seated),
        (Resources::of(1_000, 1_024), 1)
    );

    let check = async |number, expected| {
        let request = unseat(row.facts.id, number, node);
        let outcome = store.workload_unseat(&BY, request, None).await.unwrap();
        assert_eq!(outcome, expected);
    };
    check(1, ChangeOutcome::Stale).await;
    assert_eq!(world.node_row(node).await.facts.seated, 1);
    check(2, ChangeOutcome::Changed).await;
    check(2, ChangeOutcome::Stale).await;
    let given_back = world.node_row(node).await.facts;
    assert_eq!(
        (given_back.reserved, given_back.seated),
        (Resources::default(), 0)
    );
    assert_eq!(world.row(&row).await.facts.generation, generation(3));
    let told = ["workload.created", "workload.seated", "workload.unseated"];
    assert_eq!(world.told(row.facts.id).await, told);
}

pub(crate) async fn a_full_closed_or_missing_node_has_no_room(world: &World) {
    let store = &world.store;
    let row = world.workload("echo").await;
    let check = async |node| {
        let outcome = store
            .workload_seat(&BY, seat(&row, node), None)
            .await
            .unwrap();
        assert_eq!(outcome, SeatOutcome::NoRoom);
        assert_eq!(world.row(&row).await, row);
    };
    check(NodeId::from_parts(1, [1; 10])).await;
    check(world.stranger("unheard").await.facts.id).await;
    let full = world.node("full", 1).await;
    world.seated("first", full).await;
    check(full).await;
    let closed = world.node("closed", 1).await;
    let close = NodeChange {
        scheduling: Some(Scheduling::Closed),
        labels: None,
    };
    store.node_update(&BY, closed, close).await.unwrap();
    check(closed).await;
    let small = world.stranger("small").await.facts.id;
    let mut little = report(1, 8);
    little.capacity = Resources::of(8_000, 1_023);
    store.node_heartbeat(NOW, small, little).await.unwrap();
    check(small).await;
}

pub(crate) async fn a_decision_on_an_older_generation_is_stale(world: &World) {
    let store = &world.store;
    let node = world.node("n1", 4).await;
    let row = world.workload("echo").await;
    let old = seat(&row, node);
    let row = store
        .workload_goal_set(&BY, row.facts.id, Goal::Stopped)
        .await
        .unwrap()
        .unwrap();
    let check = async |request| {
        let outcome = store.workload_seat(&BY, request, None).await.unwrap();
        assert_eq!(outcome, SeatOutcome::Stale);
    };
    check(old).await;
    store
        .workload_seat(&BY, seat(&row, node), None)
        .await
        .unwrap();
    let seated = world.row(&row).await;
    check(seat(&row, node)).await;
    check(seat(&seated, node)).await;
    assert_eq!(world.node_row(node).await.facts.seated, 1);
}

pub(crate) async fn many_seats_share_a_transaction_and_fail_alone(world: &World) {
    let (roomy, tight) = (world.node("roomy", 600).await, world.node("tight", 2).await);
    let mut requests = Vec::new();
    for number in 0..40 {
        let row = world.workload(&format!("w{number}")).await;
        requests.push(seat(&row, if number % 8 == 0 { tight } else { roomy }));
    }
    requests.push(requests[1]);
    let mut unknown = requests[1];
    unknown.workload = WorkloadId::from_parts(1, [1; 10]);
    requests.push(unknown);
    let outcomes = world
        .store
        .workload_seat_many(&BY, &requests, None)
        .await
        .unwrap();
    assert_eq!(outcomes.len(), 42);
    let places = |wanted: fn(&SeatOutcome) -> bool| -> Vec<usize> {
        (0..42).filter(|place| wanted(&outcomes[*place])).collect()
    };
    assert_eq!(
        places(|outcome| *outcome == SeatOutcome::NoRoom),
        [16, 24, 32]
    );
    assert_eq!(places(|outcome| *outcome == SeatOutcome::Stale), [40, 41]);
    assert_eq!(world.node_row(tight).await.facts.seated, 2);
    assert_eq!(world.node_row(roomy).await.facts.seated, 35);
    let seated = world.store.workload_on_node(&[tight, roomy]).await.unwrap();
    assert!(
        seated
            .iter()
            .all(|row| row.facts.generation == generation(2))
    );
    assert_eq!(seated.len(), 37);
    assert_eq!(
        world
            .store
            .workload_seat_many(&BY, &[], None)
            .await
            .unwrap(),
        []
    );
}

pub(crate) async fn overcommit_and_unclaimed_work_count(world: &World) {
    let store = &world.store;
    let node = world.stranger("n1").await.facts.id;
    let mut heard = report(1, 2);
    heard.slots = 10;
    heard.unclaimed = serde_json::json!([{"slot": "x"}]);
    heard.unclaimed_room = Resources::of(1_000, 1_024);
    heard.unclaimed_slots = 1;
    store.node_heartbeat(NOW, node, heard).await.unwrap();
    let row = world.node_row(node).await;
    assert_eq!(
        (row.facts.reserved, row.facts.seated),
        (Resources::of(1_000, 1_024), 1)
    );
    assert_eq!(
        (row.unclaimed_room, row.unclaimed_slots),
        (Resources::of(1_000, 1_024), 1)
    );

    let check = async |text: &str, percent, room: bool| {
        let row = world.workload(text).await;
        let mut request = seat(&row, node);
        request.limits = Limits {
            cpu_percent: percent,
            memory_percent: percent,
        };
        let outcome = store.workload_seat(&BY, request, None).await.unwrap();
        assert_eq!(
            matches!(outcome, SeatOutcome::Seated(_)),
            room,
            "{text}: {outcome:?}"
        );
    };
    check("one", 100, true).await;
    check("two", 100, false).await;
    check("three", 149, false).await;
    check("four", 150, true).await;
}

pub(crate) async fn what_sits_on_a_lost_node_keeps_its_seat_while_the_lease_holds(world: &World) {
    let store = &world.store;
    let node = world.node("n1", 2).await;
    let row = world.seated("echo", node).await;
    let end = NOW + std::time::Duration::from_secs(75);
    let check = async |now, expected| {
        let by = hostler_store::By::new("hostler", now);
        let request = unseat(row.facts.id, 2, node);
        let outcome = store
            .workload_unseat_lost(&by, request, None)
            .await
            .unwrap();
        assert_eq!(outcome, expected);
    };
    check(end, ChangeOutcome::Stale).await;
    let mut bounded = report(2, 2);
    bounded.lease_until = end;
    store.node_heartbeat(NOW, node, bounded).await.unwrap();
    check(NOW, ChangeOutcome::Stale).await;
    assert_eq!(world.node_row(node).await.facts.seated, 1);
    check(end, ChangeOutcome::Changed).await;
    assert_eq!(world.node_row(node).await.facts.seated, 0);
}

pub(crate) async fn what_sits_on_a_node_that_is_registered_after_all_keeps_its_seat(world: &World) {
    let store = &world.store;
    let node = world.node("n1", 2).await;
    let row = world.seated("echo", node).await;
    let request = unseat(row.facts.id, 2, node);
    let outcome = store.workload_unseat_unregistered(&BY, request, None).await;
    assert_eq!(outcome.unwrap(), ChangeOutcome::Stale);
    assert_eq!(world.node_row(node).await.facts.seated, 1);
    let kept = world.row(&row).await.facts;
    assert_eq!((kept.seat, kept.generation), (Some(node), generation(2)));
}
