//! Quotas: never more than may be, however many ask.

use futures::future::join_all;
use hostler_core::access::{Quota, Usage};
use hostler_core::vm::{VmGoal, VmSize};
use hostler_core::{Bytes, Cpu};
use hostler_store::{
    AccessError, InsertError, Inserted, ProjectChange, VmChange, VmChanged, VmInsertError,
    VmInserted, VmRow, WorkloadFilter,
};

use super::vms::{change, done, goal, new_vm, vm};
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
        matches!(one, Err(InsertError::QuotaExceeded(excess)) if excess.excesses[0].what == "cpu")
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
    assert!(matches!(refused, Err(InsertError::QuotaExceeded(_))));
    let row = store.project_get(&name("elsewhere")).await.unwrap();
    assert!(row.is_some_and(|row| row.quota.is_boundless()));
}

/// Processors, memory in MiB, disk in MiB, VMs, and nothing else.
fn usage(cpu: u64, memory: u64, disk: u64, vms: u64) -> Usage {
    Usage {
        cpu: Cpu::cores(cpu),
        memory: Bytes::mib(memory),
        disk: Bytes::mib(disk),
        vms,
        ..Usage::default()
    }
}

async fn used(world: &World) -> Usage {
    let used = world.store.project_usage(&name("default")).await;
    used.unwrap()
}

/// What there would be too much of.
#[track_caller]
fn refused(changed: VmChanged) -> Vec<&'static str> {
    match changed {
        VmChanged::QuotaExceeded(excess) => excess.excesses.iter().map(|one| one.what).collect(),
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn a_hundred_vms_at_once_never_exceed_a_quota(world: &World) {
    let twenty = Quota {
        vms: Some(20),
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
        let new = new_vm(&format!("v{number}"));
        tokio::spawn(async move { store.vm_insert(&BY, new, None).await })
    });
    let outcomes: Vec<_> = join_all(asks)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let made = outcomes
        .iter()
        .filter(|one| matches!(one, Ok(VmInserted::New(_))));
    assert_eq!(made.count(), 20);
    let reason = "the quota of the project 'default' is used up: \
         vms: 20 of 20 are used, 1 more were asked for";
    let refused = outcomes.iter().filter(|one| {
        matches!(one, Err(error @ VmInsertError::QuotaExceeded(_)) if error.to_string() == reason)
    });
    assert_eq!(refused.count(), 80);
    assert_eq!(used(world).await, usage(20, 20 * 1_024, 20 * 10_240, 20));
}

pub(crate) async fn whatever_makes_a_vm_need_more_is_asked_of_the_quota(world: &World) {
    let row = vm(world, "web").await;
    assert_eq!(used(world).await, usage(1, 1_024, 10_240, 1));
    let row = done(change(world, &row, goal(VmGoal::Stopped)).await);
    assert_eq!(used(world).await, usage(0, 0, 10_240, 1));
    let none = Quota {
        cpu: Some(Cpu::cores(0)),
        disk: Some(Bytes::mib(10_240)),
        ..Quota::default()
    };
    quota(world, none).await;
    let start = || change(world, &row, goal(VmGoal::Running));
    assert_eq!(refused(start().await), ["cpu"]);
    let size = |disk| VmChange {
        kind: "resized",
        size: Some(VmSize {
            cpus: 4,
            memory: Bytes::mib(2_048),
            disk: Bytes::mib(disk),
        }),
        ..VmChange::default()
    };
    assert_eq!(refused(change(world, &row, size(8_193)).await), ["disk"]);
    let row = done(change(world, &row, size(8_192)).await);
    assert_eq!(used(world).await, usage(0, 0, 10_240, 1), "it is off");
    quota(
        world,
        Quota {
            cpu: Some(Cpu::cores(4)),
            ..none
        },
    )
    .await;
    let row = done(change(world, &row, goal(VmGoal::Running)).await);
    assert_eq!(used(world).await, usage(4, 2_048, 10_240, 1));
    let refused_copy = world.store.vm_insert(&BY, new_vm("copy"), None).await;
    assert!(matches!(refused_copy, Err(VmInsertError::QuotaExceeded(_))));
    assert!(matches!(
        change(world, &row, goal(VmGoal::Stopped)).await,
        VmChanged::Changed(_)
    ));
}

pub(crate) async fn what_lies_in_the_trash_is_disk_and_comes_back_only_if_it_may(world: &World) {
    let trash = |at| VmChange {
        kind: "trashed",
        goal: Some(VmGoal::Stopped),
        trashed_at: Some(at),
        ..VmChange::default()
    };
    quota(
        world,
        Quota {
            vms: Some(1),
            ..Quota::default()
        },
    )
    .await;
    let first = vm(world, "first").await;
    let first = done(change(world, &first, trash(Some(super::world::NOW))).await);
    assert_eq!(used(world).await, usage(0, 0, 10_240, 0));
    let second = vm(world, "second").await;
    assert_eq!(used(world).await, usage(1, 1_024, 20_480, 1));
    assert_eq!(refused(change(world, &first, trash(None)).await), ["vms"]);
    done(change(world, &second, trash(Some(super::world::NOW))).await);
    done(change(world, &first, trash(None)).await);
    assert_eq!(used(world).await, usage(0, 0, 20_480, 1));
}

pub(crate) async fn a_hundred_starts_at_once_never_exceed_a_quota(world: &World) {
    let mut rows: Vec<VmRow> = Vec::new();
    for number in 0..30 {
        let mut new = new_vm(&format!("v{number}"));
        new.goal = VmGoal::Stopped;
        match world.store.vm_insert(&BY, new, None).await.unwrap() {
            VmInserted::New(row) => rows.push(row),
            VmInserted::Replayed(row) => panic!("{row:?} was there before"),
        }
    }
    let ten = Quota {
        cpu: Some(Cpu::cores(10)),
        ..Quota::default()
    };
    quota(world, ten).await;
    let stores = [world.again().await, world.again().await];
    let starts = (0..100_usize).map(|number| {
        let (store, row) = (stores[number % 2].clone(), &rows[number % rows.len()]);
        let place = (row.facts.id, row.facts.generation);
        tokio::spawn(async move { store.vm_change(&BY, place, goal(VmGoal::Running)).await })
    });
    let outcomes = join_all(starts).await;
    let started = outcomes
        .iter()
        .filter(|one| matches!(one, Ok(Ok(VmChanged::Changed(_)))));
    assert_eq!(started.count(), 10);
    assert_eq!(used(world).await, usage(10, 10 * 1_024, 30 * 10_240, 30));
}

pub(crate) async fn a_project_with_a_vm_is_not_deleted(world: &World) {
    let mut new = new_vm("web");
    new.spec.project = name("lab");
    world.store.vm_insert(&BY, new, None).await.unwrap();
    let deleted = world.store.project_delete(&BY, &name("lab")).await;
    let text = match deleted {
        Err(AccessError::InUse(text)) => text,
        other => panic!("{other:?}"),
    };
    assert_eq!(text, "the project 'lab' has 1 VMs");
}
