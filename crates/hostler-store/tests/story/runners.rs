//! Jobs of runners, pools, and the nodes that runners become.

use std::time::Duration;

use hostler_core::id::JobId;
use hostler_core::node::Scheduling;
use hostler_core::runner::demand::Failures;
use hostler_core::runner::job::{Job, JobEnd, JobItem, JobKind, Stage, WaitFor};
use hostler_core::runner::{PoolName, RunnerId};
use hostler_store::{
    FencedError, JobConflict, NewEvent, NewNode, NewOperation, NodeRegisterError, NodeRow,
    OperationFilter, Scaled, Scaling, Store,
};

use super::world::{BY, NOW, World, new_node};

fn pool() -> PoolName {
    "default".parse().unwrap()
}

fn job(number: u64, kind: JobKind, ids: &[RunnerId]) -> Job {
    let items = ids.iter().map(|id| JobItem::new(id.clone(), pool()));
    Job {
        id: JobId::from_parts(number, [1; 10]),
        revision: 0,
        kind,
        wait_for: WaitFor::Ready,
        stage: match kind {
            JobKind::Add => Stage::Asked,
            JobKind::Remove => Stage::Standing,
        },
        requested_at: NOW,
        deadline: NOW + Duration::from_mins(5),
        asked_by: None,
        request_digest: None,
        worker: None,
        force: false,
        items: items.collect(),
        reason: None,
        ended_at: None,
        late: false,
    }
}

fn runner(text: &str) -> RunnerId {
    text.parse().unwrap()
}

fn scaling(turn: u64, jobs: Vec<Job>) -> Scaling {
    Scaling {
        pool: pool(),
        turn,
        failures: Failures::default(),
        moves: true,
        jobs,
        events: vec![NewEvent {
            kind: "runners.scaled".to_owned(),
            project: None,
            subject: Some("default".to_owned()),
            text: "1 more".to_owned(),
            data: serde_json::json!({"why": "demand"}),
        }],
    }
}

async fn scale(store: &Store, turn: u64, jobs: Vec<Job>) -> Scaled {
    let scaled = store.runner_pool_scale(&BY, scaling(turn, jobs), None);
    scaled.await.unwrap()
}

async fn register(store: &Store, name: &str, id: &RunnerId) -> Result<NodeRow, NodeRegisterError> {
    let new = NewNode {
        runner: Some(id.clone()),
        ..new_node(name)
    };
    let registered = store.node_register(&BY, new, None).await;
    registered.map(|registered| registered.node)
}

async fn change(store: &Store, number: u64, change: impl FnOnce(&mut Job)) -> Job {
    let id = JobId::from_parts(number, [1; 10]);
    let jobs = store.runner_job_list().await.unwrap();
    let mut job = jobs.into_iter().find(|job| job.id == id).unwrap();
    job.revision += 1;
    change(&mut job);
    store.runner_job_replace(&BY, &job).await.unwrap();
    job
}

fn drain(node: hostler_core::id::NodeId) -> NewOperation {
    NewOperation {
        kind: "node.drain".to_owned(),
        subject: node.to_string(),
        project: None,
        arguments: serde_json::json!({}),
    }
}

pub(crate) async fn a_job_is_written_once_and_replaced_by_its_next_revision(world: &World) {
    let store = &world.store;
    let mut job = job(1, JobKind::Add, &[runner("a"), runner("b")]);
    store.runner_job_insert(&BY, &job).await.unwrap();
    let again = store.runner_job_insert(&BY, &job).await;
    assert!(matches!(again, Err(JobConflict::Changed)), "{again:?}");
    assert_eq!(
        world.again().await.runner_job_list().await.unwrap(),
        [job.clone()]
    );
    let same = store.runner_job_replace(&BY, &job).await;
    assert!(matches!(same, Err(JobConflict::Changed)), "{same:?}");
    job.revision = 1;
    job.stage = Stage::Ended(JobEnd::Completed);
    let mut races = Vec::new();
    for _ in 0..4 {
        races.push(store.runner_job_replace(&BY, &job));
    }
    let written = futures::future::join_all(races).await;
    assert_eq!(written.iter().filter(|one| one.is_ok()).count(), 1);
    assert_eq!(store.runner_job_list().await.unwrap(), [job.clone()]);
    store.runner_job_remove(&BY, job.id).await.unwrap();
    store.runner_job_remove(&BY, job.id).await.unwrap();
    assert_eq!(store.runner_job_list().await.unwrap(), []);
    let gone = store
        .runner_job_replace(&BY, &Job { revision: 2, ..job })
        .await;
    assert!(matches!(gone, Err(JobConflict::Changed)), "{gone:?}");
}

pub(crate) async fn of_many_decisions_on_one_turn_one_is_carried_out(world: &World) {
    let store = &world.store;
    let racers = (0..6).map(|number| {
        let id = runner(&format!("a{number}"));
        scale(store, 0, vec![job(number, JobKind::Add, &[id])])
    });
    let came = futures::future::join_all(racers).await;
    let written = came.iter().filter(|one| **one == Scaled::Written);
    assert_eq!(written.count(), 1, "{came:?}");
    assert_eq!(store.runner_job_list().await.unwrap().len(), 1);
    let pools = store.runner_pool_list().await.unwrap();
    assert_eq!((pools[0].turn, pools[0].scaled_at), (1, Some(NOW)));
}

pub(crate) async fn what_a_person_asks_for_makes_decisions_void(world: &World) {
    let store = &world.store;
    let asked = job(1, JobKind::Add, &[runner("a")]);
    store.runner_job_insert(&BY, &asked).await.unwrap();
    let late = job(2, JobKind::Add, &[runner("b")]);
    assert_eq!(scale(store, 0, vec![late.clone()]).await, Scaled::Outdated);
    assert_eq!(scale(store, 1, vec![late]).await, Scaled::Written);
    assert_eq!(store.runner_job_list().await.unwrap().len(), 2);
}

pub(crate) async fn a_decision_under_a_lost_lease_changes_nothing(world: &World) {
    let store = &world.store;
    let second = Duration::from_secs(1);
    let lost = store.lease_take("loop", "one", NOW, second).await.unwrap();
    let later = NOW + second * 2;
    let held = store
        .lease_take("loop", "two", later, second)
        .await
        .unwrap();
    let add = || scaling(0, vec![job(1, JobKind::Add, &[runner("a")])]);
    let refused = store.runner_pool_scale(&BY, add(), lost.as_ref()).await;
    assert!(
        matches!(refused, Err(FencedError::Fenced { .. })),
        "{refused:?}"
    );
    assert_eq!(store.runner_job_list().await.unwrap(), []);
    let written = store.runner_pool_scale(&BY, add(), held.as_ref()).await;
    assert_eq!(written.unwrap(), Scaled::Written);
}

pub(crate) async fn a_runner_is_removed_by_one_job_at_a_time(world: &World) {
    let store = &world.store;
    let ids = [runner("a"), runner("b")];
    scale(store, 0, vec![job(1, JobKind::Add, &ids)]).await;
    scale(store, 1, vec![job(2, JobKind::Remove, &ids[..1])]).await;
    let stranger = runner("nobody");
    let third = job(
        3,
        JobKind::Remove,
        &[ids[0].clone(), ids[1].clone(), stranger],
    );
    scale(store, 2, vec![third]).await;
    let jobs = store.runner_job_list().await.unwrap();
    let removed: Vec<_> = jobs[2].items.iter().map(|item| item.id.clone()).collect();
    assert_eq!(removed, ids[1..]);
    scale(store, 3, vec![job(4, JobKind::Remove, &ids)]).await;
    assert_eq!(
        store.runner_job_list().await.unwrap().len(),
        3,
        "no empty job"
    );
}

pub(crate) async fn a_machine_that_nobody_answers_for_does_not_register(world: &World) {
    let store = &world.store;
    let [a, b, c] = ["a", "b", "c"].map(runner);
    let refused = register(store, "n0", &a).await;
    assert!(
        matches!(refused, Err(NodeRegisterError::Unwanted(_))),
        "{refused:?}"
    );
    let ids = [a.clone(), b.clone(), c.clone()];
    scale(store, 0, vec![job(1, JobKind::Add, &ids)]).await;
    let node = register(store, "n1", &a).await.unwrap();
    assert_eq!(node.runner, Some(a.clone()));
    let twice = register(store, "n2", &a).await;
    assert!(
        matches!(twice, Err(NodeRegisterError::NameTaken(_))),
        "{twice:?}"
    );
    scale(store, 1, vec![job(2, JobKind::Remove, &ids[1..2])]).await;
    change(store, 2, |job| job.items[0].drained_at = Some(NOW)).await;
    let refused = register(store, "n3", &b).await;
    assert!(
        matches!(refused, Err(NodeRegisterError::Unwanted(_))),
        "{refused:?}"
    );
    change(store, 1, |job| job.items[2].gone_at = Some(NOW)).await;
    let refused = register(store, "n4", &c).await;
    assert!(
        matches!(refused, Err(NodeRegisterError::Unwanted(_))),
        "{refused:?}"
    );
}

pub(crate) async fn a_removal_is_called_off_until_its_runner_is_drained(world: &World) {
    let store = &world.store;
    let ids = [runner("a"), runner("b")];
    scale(store, 0, vec![job(1, JobKind::Add, &ids)]).await;
    let node = register(store, "n1", &ids[0]).await.unwrap().facts.id;
    scale(store, 1, vec![job(2, JobKind::Remove, &ids)]).await;
    let closed = hostler_store::NodeChange {
        scheduling: Some(Scheduling::Draining),
        labels: None,
    };
    store.node_update(&BY, node, closed).await.unwrap();
    assert!(store.runner_drain(&BY, &ids[0], drain).await.unwrap());
    change(store, 2, |job| job.items[1].drained_at = Some(NOW)).await;
    assert!(store.runner_keep(&BY, &ids[0], "needed").await.unwrap());
    assert!(!store.runner_keep(&BY, &ids[1], "needed").await.unwrap());
    assert!(!store.runner_keep(&BY, &ids[0], "needed").await.unwrap());
    let jobs = store.runner_job_list().await.unwrap();
    assert_eq!((jobs[1].revision, jobs[1].items.len()), (2, 1));
    let open = store.node_get(node).await.unwrap().unwrap();
    assert_eq!(open.facts.scheduling, Scheduling::Open);
    let all = OperationFilter::default();
    let asked = store.operation_list(&all, None, 9).await.unwrap();
    assert!(asked[0].cancel_asked, "the drain would close it again");
    let stale = Job {
        revision: 2,
        ..jobs[1].clone()
    };
    let stale = store.runner_job_replace(&BY, &stale).await;
    assert!(matches!(stale, Err(JobConflict::Changed)), "{stale:?}");
}

pub(crate) async fn a_node_is_not_drained_for_a_removal_that_was_called_off(world: &World) {
    let store = &world.store;
    let ids = [runner("a")];
    scale(store, 0, vec![job(1, JobKind::Add, &ids)]).await;
    register(store, "n1", &ids[0]).await.unwrap();
    assert!(!store.runner_drain(&BY, &ids[0], drain).await.unwrap());
    scale(store, 1, vec![job(2, JobKind::Remove, &ids)]).await;
    assert!(store.runner_keep(&BY, &ids[0], "needed").await.unwrap());
    assert!(!store.runner_drain(&BY, &ids[0], drain).await.unwrap());
    let all = OperationFilter::default();
    assert_eq!(store.operation_list(&all, None, 9).await.unwrap(), []);
}
