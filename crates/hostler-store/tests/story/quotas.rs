//! Quotas: never more than may be, however many ask.

use futures::future::join_all;
use hostler_core::access::{Quota, Usage};
use hostler_core::{Bytes, Cpu};
use hostler_store::{InsertError, Inserted, ProjectChange, WorkloadFilter};

use super::world::{BY, World, key, name, new_workload};

async fn quota(world: &World, quota: Quota) {
    let change = ProjectChange {
        quota: Some(quota),
        ..ProjectChange::default()
    };
    let changed = world
        .store
        .project_change(&BY, &name("default"), change)
        .await;
    changed.unwrap().unwrap();
}

async fn count(world: &World) -> usize {
    let rows = world
        .store
        .workload_list(&WorkloadFilter::default(), None, 1_000)
        .await;
    rows.unwrap().len()
}

pub(crate) async fn a_hundred_requests_at_once_never_exceed_a_quota(world: &World) {
    let twenty = Quota {
        cpu: Some(Cpu::cores(20)),
        ..Quota::default()
    };
    quota(world, twenty).await;
    let stores = [
        world.again().await,
        world.again().await,
        world.again().await,
    ];
    let asks = (0..100_usize).map(|number| {
        let store = stores[number % 3].clone();
        let new = new_workload(&format!("w{number}"));
        tokio::spawn(async move { store.workload_insert(&BY, new, None).await })
    });
    let outcomes: Vec<_> = join_all(asks)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let made = outcomes
        .iter()
        .filter(|one| matches!(one, Ok(Inserted::New(_))));
    assert_eq!(made.count(), 20);
    let refused = outcomes.iter().filter(|one| {
        matches!(one, Err(InsertError::QuotaExceeded { excesses, .. }) if excesses[0].what == "cpu")
    });
    assert_eq!(refused.count(), 80);
    assert_eq!(count(world).await, 20);
    let used = world.store.project_usage(&name("default")).await.unwrap();
    let expected = Usage {
        cpu: Cpu::cores(20),
        memory: Bytes::mib(20 * 1_024),
        workloads: 20,
        ..Usage::default()
    };
    assert_eq!(used, expected);
}

pub(crate) async fn what_does_not_fit_leaves_no_trace_and_no_key(world: &World) {
    let one = Quota {
        workloads: Some(1),
        ..Quota::default()
    };
    quota(world, one).await;
    let store = &world.store;
    let first = world.workload("first").await;
    let ask = || store.workload_insert(&BY, new_workload("second"), Some(key("k", 1)));
    let text = ask().await.unwrap_err().to_string();
    assert_eq!(
        text,
        "the quota of the project 'default' is used up: \
         workloads: 1 of 1 are used, 1 more were asked for"
    );
    assert_eq!(count(world).await, 1);
    quota(
        world,
        Quota {
            workloads: Some(2),
            ..Quota::default()
        },
    )
    .await;
    assert!(
        matches!(ask().await, Ok(Inserted::New(_))),
        "its key is free again"
    );
    assert!(
        matches!(ask().await, Ok(Inserted::Replayed(_))),
        "and makes nothing new"
    );
    assert_eq!(world.row(&first).await.facts.id, first.facts.id);
}

pub(crate) async fn a_project_without_a_quota_has_no_bounds(world: &World) {
    let store = &world.store;
    world.artifact("elsewhere").await;
    quota(
        world,
        Quota {
            workloads: Some(0),
            ..Quota::default()
        },
    )
    .await;
    let mut new = new_workload("echo");
    new.spec.project = name("elsewhere");
    assert!(store.workload_insert(&BY, new, None).await.is_ok());
    let refused = store.workload_insert(&BY, new_workload("echo"), None).await;
    assert!(matches!(refused, Err(InsertError::QuotaExceeded { .. })));
    let row = store.project_get(&name("elsewhere")).await.unwrap();
    assert!(row.is_some_and(|row| row.quota.is_boundless()));
}
