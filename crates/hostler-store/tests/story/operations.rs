//! Operations.

use std::time::Duration;

use hostler_core::Timestamp;
use hostler_core::node::Scheduling::{Draining, Open};
use hostler_store::{
    ClaimError, NewOperation, OperationClaim, OperationFilter, OperationInserted, OperationOutcome,
    OperationRow,
};

use super::world::{BY, NOW, World};

const TTL: Duration = Duration::from_secs(10);

fn after(seconds: u64) -> Timestamp {
    NOW + Duration::from_secs(seconds)
}

async fn ask(world: &World, subject: &str) -> OperationInserted {
    let new = NewOperation {
        kind: "node.drain".to_owned(),
        subject: subject.to_owned(),
        project: None,
        arguments: serde_json::json!({"deadline_s": 600}),
    };
    world.store.operation_insert(&BY, new).await.unwrap()
}

async fn asked(world: &World, subject: &str) -> OperationRow {
    match ask(world, subject).await {
        OperationInserted::New(row) => row,
        OperationInserted::Existing(row) => panic!("{row:?} was there before"),
    }
}

async fn claim(world: &World, worker: &str, now: Timestamp) -> Option<OperationClaim> {
    world.store.operation_claim(worker, now, TTL).await.unwrap()
}

pub(crate) async fn an_operation_is_claimed_by_one_and_ended_once(world: &World) {
    let store = &world.store;
    let row = asked(world, "n1").await;
    let claims = (0..6).map(|_| claim(world, "w", NOW));
    let mut claims: Vec<_> = futures::future::join_all(claims)
        .await
        .into_iter()
        .flatten()
        .collect();
    assert_eq!(claims.len(), 1);
    let claim = claims.remove(0);
    assert!(claim.row.is_held(NOW) && !row.is_held(NOW));
    for step in ["closed", "moved", "closed"] {
        store
            .operation_step_done(&BY, &claim, step, "1 of 2")
            .await
            .unwrap();
    }
    assert!(store.operation_cancel_ask(&BY, row.id).await.unwrap());
    assert!(store.operation_cancel_ask(&BY, row.id).await.unwrap());
    store
        .operation_end(&BY, &claim, OperationOutcome::Done, None)
        .await
        .unwrap();
    let again = store
        .operation_end(&BY, &claim, OperationOutcome::Undone, None)
        .await;
    assert!(matches!(again, Err(ClaimError::Lost(_))));
    assert!(!store.operation_cancel_ask(&BY, row.id).await.unwrap());

    let ended = store.operation_get(row.id).await.unwrap().unwrap();
    assert_eq!(ended.outcome, Some(OperationOutcome::Done));
    assert_eq!(ended.steps_done, ["closed", "moved"]);
    assert_eq!(
        (ended.progress.as_str(), ended.ended_at),
        ("1 of 2", Some(NOW))
    );
    assert!(ended.cancel_asked);
    let told = [
        "operation.created",
        "operation.step",
        "operation.step",
        "operation.cancel-asked",
        "operation.done",
    ];
    assert_eq!(world.told(row.id).await, told);
}

pub(crate) async fn a_worker_that_lost_its_claim_writes_nothing(world: &World) {
    let store = &world.store;
    asked(world, "n1").await;
    let first = claim(world, "one", NOW).await.unwrap();
    assert_eq!(claim(world, "two", after(9)).await, None);
    store.operation_renew(&first, after(20)).await.unwrap();
    assert_eq!(claim(world, "two", after(19)).await, None);
    let second = claim(world, "two", after(20)).await.unwrap();
    assert!(second.number > first.number);
    let lost = store.operation_step_done(&BY, &first, "moved", "").await;
    assert!(matches!(lost, Err(ClaimError::Lost(_))), "{lost:?}");
    let lost = store.operation_renew(&first, after(99)).await;
    assert!(matches!(lost, Err(ClaimError::Lost(_))), "{lost:?}");
    let problem = Some("a workload will not stop");
    let lost = store
        .operation_end(&BY, &first, OperationOutcome::Stuck, problem)
        .await;
    assert!(matches!(lost, Err(ClaimError::Lost(_))), "{lost:?}");

    store
        .operation_release(&second, after(30), "waiting")
        .await
        .unwrap();
    let lost = store.operation_renew(&second, after(99)).await;
    assert!(matches!(lost, Err(ClaimError::Lost(_))), "{lost:?}");
    assert_eq!(claim(world, "one", after(29)).await, None);
    let third = claim(world, "one", after(30)).await.unwrap();
    assert_eq!(third.row.progress, "waiting");
    store
        .operation_end(&BY, &third, OperationOutcome::Stuck, problem)
        .await
        .unwrap();
    let ended = store.operation_get(third.row.id).await.unwrap().unwrap();
    assert_eq!(ended.problem.as_deref(), problem);
    assert_eq!(claim(world, "two", after(999)).await, None);
}

pub(crate) async fn a_worker_closes_no_node_once_its_operation_is_called_off(world: &World) {
    let store = &world.store;
    let node = world.node("n1", 1).await;
    asked(world, &node.to_string()).await;
    let claim = claim(world, "one", NOW).await.unwrap();
    let check = async |scheduling, puts_back, expected, then| {
        let place = (node, scheduling);
        let done = store.operation_schedule(&BY, &claim, place, puts_back);
        assert_eq!(done.await.unwrap(), expected, "{scheduling:?}");
        assert_eq!(world.node_row(node).await.facts.scheduling, then);
    };
    check(Draining, false, true, Draining).await;
    store.operation_cancel_ask(&BY, claim.row.id).await.unwrap();
    check(Open, true, true, Open).await;
    check(Draining, false, false, Open).await;
    let end = store.operation_end(&BY, &claim, OperationOutcome::Undone, None);
    end.await.unwrap();
    let late = store.operation_schedule(&BY, &claim, (node, Draining), true);
    assert!(matches!(late.await, Err(ClaimError::Lost(_))));
}

pub(crate) async fn the_same_operation_is_not_asked_for_twice(world: &World) {
    let store = &world.store;
    let first = asked(world, "n1").await;
    assert_eq!(
        ask(world, "n1").await,
        OperationInserted::Existing(first.clone())
    );
    let other = asked(world, "n2").await;
    let live = OperationFilter {
        live: true,
        ..Default::default()
    };
    let listed = store.operation_list(&live, None, 100).await.unwrap();
    assert_eq!(listed.len(), 2);
    let rest = store
        .operation_list(&live, Some(listed[0].id), 100)
        .await
        .unwrap();
    assert_eq!(rest, listed[1..]);
    let of_other = OperationFilter {
        subject: Some("n2".to_owned()),
        ..Default::default()
    };
    assert_eq!(
        store.operation_list(&of_other, None, 100).await.unwrap(),
        [other]
    );

    let claimed = claim(world, "w", NOW).await.unwrap();
    store
        .operation_end(&BY, &claimed, OperationOutcome::Done, None)
        .await
        .unwrap();
    asked(world, &claimed.row.subject).await;
    assert_eq!(
        store.operation_list(&live, None, 100).await.unwrap().len(),
        2
    );
}
