//! Making workloads.

use hostler_core::workload::Goal;
use hostler_store::{Backend, InsertError, Inserted};

use super::world::{BY, NOW, World, generation, key, name, new_workload};

pub(crate) async fn a_workload_reads_back_as_it_was_asked_for(world: &World) {
    let new = new_workload("echo");
    let made = world.workload("echo").await;
    assert_eq!(made.spec, new.spec);
    assert_eq!(made.environment_names, ["TOKEN"]);
    assert_eq!(made.facts.goal, Goal::Running);
    assert_eq!(made.facts.generation, generation(1));
    assert_eq!((made.facts.seat, made.facts.seen), (None, None));
    assert_eq!(made.created_at, NOW);
    let store = world.again().await;
    let id = made.facts.id;
    assert_eq!(store.workload_get(id).await.unwrap(), Some(made.clone()));
    let named = store
        .workload_by_name(&name("default"), &name("echo"))
        .await
        .unwrap();
    assert_eq!(named, Some(made));
    assert_eq!(
        store.workload_environment(id).await.unwrap(),
        Some(new.environment)
    );
    assert_eq!(world.told(id).await, ["workload.created"]);
}

pub(crate) async fn a_repeated_request_makes_nothing_and_another_under_its_key_is_refused(
    world: &World,
) {
    let insert = async |workload: &str, request| {
        world
            .store
            .workload_insert(&BY, new_workload(workload), Some(key("once", request)))
            .await
    };
    let made = insert("echo", 1).await.unwrap();
    assert!(matches!(made, Inserted::New(_)));
    let again = insert("echo", 1).await.unwrap();
    assert_eq!(again, Inserted::Replayed(made.row().clone()));
    let other = insert("other", 2).await;
    assert!(
        matches!(other, Err(InsertError::KeyReused { .. })),
        "{other:?}"
    );

    let mut theirs = key("once", 2);
    theirs.actor = String::from("eve");
    let theirs = world
        .store
        .workload_insert(&BY, new_workload("theirs"), Some(theirs))
        .await;
    assert!(matches!(theirs, Ok(Inserted::New(_))), "{theirs:?}");

    assert_eq!(world.store.idempotency_sweep(NOW).await.unwrap(), 0);
    let later = NOW + std::time::Duration::from_millis(1);
    assert_eq!(world.store.idempotency_sweep(later).await.unwrap(), 2);
    assert!(matches!(insert("other", 2).await, Ok(Inserted::New(_))));
}

pub(crate) async fn a_repeated_request_for_what_is_gone_says_so(world: &World) {
    let store = &world.store;
    let insert = async || {
        store
            .workload_insert(&BY, new_workload("echo"), Some(key("once", 1)))
            .await
    };
    let id = insert().await.unwrap().row().facts.id;
    store.workload_goal_set(&BY, id, Goal::Gone).await.unwrap();
    store
        .workload_erase(&BY, id, generation(2), None)
        .await
        .unwrap();
    let again = insert().await;
    assert!(
        matches!(again, Err(InsertError::Erased(gone)) if gone == id),
        "{again:?}"
    );
}

pub(crate) async fn a_failed_request_keeps_no_key(world: &World) {
    world.workload("echo").await;
    let insert = async |workload: &str| {
        world
            .store
            .workload_insert(&BY, new_workload(workload), Some(key("once", 1)))
            .await
    };
    let taken = insert("echo").await;
    assert!(
        matches!(taken, Err(InsertError::NameTaken { .. })),
        "{taken:?}"
    );
    assert!(matches!(insert("free").await, Ok(Inserted::New(_))));
}

pub(crate) async fn an_unknown_artifact_is_refused(world: &World) {
    let mut theirs = new_workload("echo");
    theirs.spec.project = name("other");
    let refused = world
        .store
        .workload_insert(&BY, theirs.clone(), Some(key("once", 1)))
        .await;
    assert!(
        matches!(refused, Err(InsertError::ArtifactUnknown { .. })),
        "{refused:?}"
    );
    world.artifact("other").await;
    let made = world
        .store
        .workload_insert(&BY, theirs, Some(key("once", 1)))
        .await;
    assert!(matches!(made, Ok(Inserted::New(_))), "{made:?}");
}

/// PostgreSQL keeps no NUL character in a text; SQLite does.
pub(crate) async fn a_row_the_database_refuses_does_not_fail_its_neighbours(world: &World) {
    let inserts = (0..32).map(|number| {
        let mut new = new_workload(&format!("w{number}"));
        if number == 7 {
            new.spec.description = String::from("a NUL: \0");
        }
        world.store.workload_insert(&BY, new, None)
    });
    let outcomes = futures::future::join_all(inserts).await;
    for (number, outcome) in outcomes.into_iter().enumerate() {
        if number == 7 && world.store.backend() == Backend::Postgres {
            assert!(matches!(outcome, Err(InsertError::Store(_))), "{outcome:?}");
        } else {
            assert!(
                matches!(outcome, Ok(Inserted::New(_))),
                "{number}: {outcome:?}"
            );
        }
    }
}
