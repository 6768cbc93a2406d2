//! Races: everybody at once, and the count must be right.

use futures::future::join_all;
use hostler_core::Resources;
use hostler_store::{ArtifactDeleted, InsertError, Inserted, SeatOutcome, WorkloadFilter};

use super::world::{BY, DIGEST, World, generation, key, name, new_workload, seat};

fn seats(outcomes: &[SeatOutcome]) -> usize {
    outcomes
        .iter()
        .filter(|outcome| matches!(outcome, SeatOutcome::Seated(_)))
        .count()
}

pub(crate) async fn twenty_racers_for_ten_places_give_ten_seats(world: &World) {
    let node = world.node("n1", 10).await;
    // A store each, as control planes have, so that nothing in memory helps.
    let stores = [world.again().await, world.again().await];
    let mut racers = Vec::new();
    for number in 0..20 {
        let row = world.workload(&format!("w{number}")).await;
        let store = stores[number % 2].clone();
        racers.push(tokio::spawn(async move {
            store
                .workload_seat(&BY, seat(&row, node), None)
                .await
                .unwrap()
        }));
    }
    let outcomes: Vec<_> = join_all(racers)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(seats(&outcomes), 10, "{outcomes:?}");
    let refused = outcomes
        .iter()
        .filter(|outcome| **outcome == SeatOutcome::NoRoom);
    assert_eq!(refused.count(), 10);
    let facts = world.node_row(node).await.facts;
    assert_eq!(
        (facts.seated, facts.reserved),
        (10, Resources::of(10_000, 10_240))
    );
    assert_eq!(
        world.store.workload_on_node(&[node]).await.unwrap().len(),
        10
    );
}

pub(crate) async fn one_key_sent_five_times_at_once_makes_one_workload(world: &World) {
    let stores = [world.again().await, world.again().await];
    let sends = (0..5).map(|number: usize| {
        let store = &stores[number % 2];
        store.workload_insert(&BY, new_workload("echo"), Some(key("once", 1)))
    });
    let outcomes: Vec<_> = join_all(sends)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let new = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Inserted::New(_)))
        .count();
    assert_eq!(new, 1);
    assert!(
        outcomes
            .iter()
            .all(|outcome| outcome.row() == outcomes[0].row())
    );
    assert_eq!(
        world.told(outcomes[0].row().facts.id).await,
        ["workload.created"]
    );
}

pub(crate) async fn two_bodies_under_one_key_at_once_make_one_and_refuse_the_other(world: &World) {
    let sends = (0..8_u8).map(|number| {
        let new = new_workload(&format!("w{number}"));
        world
            .store
            .workload_insert(&BY, new, Some(key("once", number)))
    });
    let outcomes = join_all(sends).await;
    let made = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Ok(Inserted::New(_))));
    assert_eq!(made.count(), 1);
    let refused = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Err(InsertError::KeyReused { .. })));
    assert_eq!(refused.count(), 7);
    assert_eq!(
        world
            .store
            .workload_list(&WorkloadFilter::default(), None, 9)
            .await
            .unwrap()
            .len(),
        1
    );
}

pub(crate) async fn one_name_asked_for_at_once_is_given_once(world: &World) {
    let stores = [world.again().await, world.again().await];
    let sends = (0..8_u8).map(|number| {
        let keyed = if number < 4 {
            None
        } else {
            Some(key(&format!("k{number}"), number))
        };
        stores[usize::from(number % 2)].workload_insert(&BY, new_workload("echo"), keyed)
    });
    let outcomes = join_all(sends).await;
    let made = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Ok(Inserted::New(_))));
    assert_eq!(made.count(), 1);
    let taken = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Err(InsertError::NameTaken { .. })));
    assert_eq!(taken.count(), 7);
}

/// Groups that meet over many keys and names, each in its own order.
pub(crate) async fn the_same_requests_in_any_order_make_each_once(world: &World) {
    let stores = [world.again().await, world.again().await];
    let sends = (0..240_usize).map(|number| {
        let store = &stores[number % 2];
        let which = if number % 2 == 0 {
            number / 6
        } else {
            39 - number / 6
        };
        let text = format!("w{which}");
        async move {
            store
                .workload_insert(&BY, new_workload(&text), Some(key(&text, 1)))
                .await
        }
    });
    let outcomes: Vec<_> = join_all(sends)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let made = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Inserted::New(_)));
    assert_eq!(made.count(), 40);
}

pub(crate) async fn a_workload_is_seated_once_however_many_try(world: &World) {
    let (one, two) = (world.node("n1", 8).await, world.node("n2", 8).await);
    let stores = [world.again().await, world.again().await];
    let row = world.workload("echo").await;
    let tries = (0..8).map(|number: usize| {
        let request = seat(&row, if number.is_multiple_of(3) { one } else { two });
        let store = stores[number % 2].clone();
        tokio::spawn(async move { store.workload_seat(&BY, request, None).await.unwrap() })
    });
    let outcomes: Vec<_> = join_all(tries)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(seats(&outcomes), 1, "{outcomes:?}");
    let taken = world.node_row(one).await.facts.seated + world.node_row(two).await.facts.seated;
    assert_eq!(taken, 1);
    assert_eq!(world.row(&row).await.facts.generation, generation(2));
}

pub(crate) async fn an_artifact_is_never_deleted_under_a_new_workload(world: &World) {
    let other = world.again().await;
    for round in 0..10 {
        let project = name(&format!("p{round}"));
        world.artifact(project.as_str()).await;
        let mut new = new_workload("echo");
        new.spec.project = project.clone();
        let (made, deleted) = tokio::join!(
            world.store.workload_insert(&BY, new, None),
            other.artifact_delete(&BY, &project, DIGEST)
        );
        match (made, deleted.unwrap()) {
            (Ok(Inserted::New(_)), ArtifactDeleted::InUse { workloads: 1, .. })
            | (
                Err(InsertError::ArtifactUnknown { .. }),
                ArtifactDeleted::Shared | ArtifactDeleted::Last,
            ) => {}
            both => panic!("{both:?}"),
        }
    }
}
