//! Leases, and what they keep former holders from.

use std::time::Duration;

use hostler_core::workload::Goal;
use hostler_store::{ChangeOutcome, Fence, FencedError, SeatOutcome};

use super::seats::unseat;
use super::world::{BY, NOW, World, generation, seat};

const TTL: Duration = Duration::from_secs(10);

async fn take(world: &World, holder: &str, after: u64) -> Option<Fence> {
    let now = NOW + Duration::from_secs(after);
    world
        .store
        .lease_take("passes", holder, now, TTL)
        .await
        .unwrap()
}

pub(crate) async fn a_lease_has_one_holder_and_counts_its_holders(world: &World) {
    let store = &world.store;
    let takers = (0..8).map(|number| async move { take(world, &format!("c{number}"), 0).await });
    let taken = futures::future::join_all(takers).await;
    let taken: Vec<_> = taken
        .into_iter()
        .enumerate()
        .filter(|(_, t)| t.is_some())
        .collect();
    let [(winner, Some(fence))] = &taken[..] else {
        panic!("{taken:?}")
    };
    assert_eq!(fence.number, 1);
    let winner = format!("c{winner}");

    assert_eq!(
        take(world, &winner, 5).await.as_ref(),
        Some(fence),
        "its own, until 15"
    );
    assert_eq!(take(world, "late", 14).await, None);
    assert!(
        store
            .lease_renew(fence, NOW + Duration::from_secs(14), TTL)
            .await
            .unwrap()
    );
    assert_eq!(take(world, "late", 23).await, None);
    let next = take(world, "late", 24).await.unwrap();
    assert_eq!(next.number, 2);
    assert!(
        !store
            .lease_renew(fence, NOW + Duration::from_secs(24), TTL)
            .await
            .unwrap()
    );

    store.lease_release(fence, NOW).await.unwrap();
    assert_eq!(
        take(world, "third", 25).await,
        None,
        "a former holder releases nothing"
    );
    store
        .lease_release(&next, NOW + Duration::from_secs(25))
        .await
        .unwrap();
    assert_eq!(take(world, "third", 25).await.unwrap().number, 3);
}

pub(crate) async fn a_former_holder_changes_nothing(world: &World) {
    let store = &world.store;
    let former = take(world, "former", 0).await.unwrap();
    let node = world.node("n1", 4).await;
    let waiting = world.workload("waiting").await;
    let seated = world.seated("seated", node).await;
    let gone = world.workload("gone").await;
    store
        .workload_goal_set(&BY, gone.facts.id, Goal::Gone)
        .await
        .unwrap();
    let present = take(world, "present", 10).await.unwrap();

    let seat_it = async |fence| {
        store
            .workload_seat(&BY, seat(&waiting, node), Some(fence))
            .await
    };
    let request = unseat(seated.facts.id, 2, node);
    let unseat_it = async |fence| store.workload_unseat(&BY, request, Some(fence)).await;
    let erase = async |fence| {
        store
            .workload_erase(&BY, gone.facts.id, generation(2), Some(fence))
            .await
    };
    let before = (world.node_row(node).await, world.row(&waiting).await);
    assert!(matches!(
        seat_it(&former).await,
        Err(FencedError::Fenced { .. })
    ));
    assert!(matches!(
        unseat_it(&former).await,
        Err(FencedError::Fenced { .. })
    ));
    assert!(matches!(
        erase(&former).await,
        Err(FencedError::Fenced { .. })
    ));
    assert_eq!(
        (world.node_row(node).await, world.row(&waiting).await),
        before
    );

    assert_eq!(
        seat_it(&present).await.unwrap(),
        SeatOutcome::Seated(generation(2))
    );
    assert_eq!(unseat_it(&present).await.unwrap(), ChangeOutcome::Changed);
    assert_eq!(erase(&present).await.unwrap(), ChangeOutcome::Changed);
}
