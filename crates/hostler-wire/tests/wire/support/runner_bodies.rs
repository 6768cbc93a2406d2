//! Samples of the runner routes' bodies: with every member, and requests also
//! with the least.

use hostler_core::id::JobId;
use hostler_core::runner::job::{JobKind, JobState};
use hostler_core::runner::{PoolName, ReasonCode, RunnerId, RunnerStatus};
use hostler_wire::rest::{
    Reason, Runner, RunnerHost, RunnerJob, RunnerJobItem, RunnerPoolInfo, RunnerQuery,
    RunnerService, RunnersAdd, RunnersAdded, RunnersRemove, RunnersRemoved,
};

use super::{Bodies, map, moment};

fn id() -> RunnerId {
    "node-placeholder-abc123".parse().unwrap()
}

fn job_id() -> JobId {
    JobId::from_parts(1_714_164_361_000, [1; 10])
}

fn pool() -> PoolName {
    "default".parse().unwrap()
}

fn reason() -> Reason {
    Reason::new(ReasonCode::MaxNodesReached, "max size reached")
}

/// All of them.
pub(crate) fn all() -> Bodies {
    let mut bodies = Bodies::default();
    bodies.add(
        "RunnerService",
        &RunnerService {
            service: "runner-manager".into(),
            version: "0.1.0".into(),
            provider: "kubernetes".into(),
        },
    );
    requests(&mut bodies);
    answers(&mut bodies);
    jobs(&mut bodies);
    pools(&mut bodies);
    bodies
}

fn requests(bodies: &mut Bodies) {
    bodies.add(
        "RunnersAdd",
        &RunnersAdd {
            instances: Some(2),
            pool: Some("default".into()),
            dry_run: true,
        },
    );
    bodies.least::<RunnersAdd>("RunnersAdd, least", "{}");
    bodies.add(
        "RunnersRemove",
        &RunnersRemove {
            instances: Some(2),
            runner_ids: Some(vec![id().to_string()]),
            pool: Some("default".into()),
            force: true,
            drain_timeout_s: Some(600),
            dry_run: true,
        },
    );
    bodies.least::<RunnersRemove>("RunnersRemove, least", "{}");
    bodies.add(
        "RunnerQuery",
        &RunnerQuery {
            status: Some(RunnerStatus::Ready),
            pool: Some("default".into()),
            limit: Some(10),
            after: Some(id().to_string()),
        },
    );
}

fn answers(bodies: &mut Bodies) {
    bodies.add(
        "RunnersAdded",
        &RunnersAdded {
            job_id: Some(job_id()),
            pod_names: vec![id()],
            message: "Runner provisioning started".into(),
            instances: 1,
            provider: "kubernetes".into(),
        },
    );
    bodies.add(
        "RunnersRemoved",
        &RunnersRemoved {
            message: "Runner instances removed".into(),
            instances: 1,
            provider: "kubernetes".into(),
            job_id: Some(job_id()),
            pod_names: vec![id()],
        },
    );
    bodies.add(
        "Runner",
        &Runner {
            id: id(),
            status: RunnerStatus::Ready,
            metadata: map(&[("node_name", "gke-cluster-node-xyz")]),
            pool: pool(),
            created_at: moment(),
            job_id: Some(job_id()),
            reason: Some(reason()),
            reasons: vec![reason()],
        },
    );
    bodies.add(
        "RunnerHost",
        &RunnerHost {
            name: "gke-cluster-node-xyz".into(),
            internal_ips: vec!["10.128.0.15".into()],
            ready: Some(true),
            cordoned: false,
            managed: true,
            runners: vec![id()],
            runner_pod: Some("daytona-runner-def456".into()),
        },
    );
}

fn jobs(bodies: &mut Bodies) {
    let item = RunnerJobItem {
        id: id(),
        status: "ready".into(),
        pool: pool(),
        node_name: Some("gke-cluster-node-xyz".into()),
        scheduled_at: Some(moment()),
        ready_at: Some(moment()),
        gone_at: Some(moment()),
        reason: Some(reason()),
    };
    bodies.add(
        "RunnerJob",
        &RunnerJob {
            job_id: job_id(),
            kind: JobKind::Add,
            status: JobState::Completed,
            instances: 1,
            scheduled_count: 1,
            ready_count: 1,
            gone_count: 0,
            runners: vec![item],
            created_at: moment(),
            deadline: moment(),
            ready_at: Some(moment()),
            ended_at: Some(moment()),
            late: true,
            reason: Some(reason()),
            asked_by: Some("token-1".into()),
        },
    );
}

fn pools(bodies: &mut Bodies) {
    bodies.add(
        "RunnerPoolInfo",
        &RunnerPoolInfo {
            name: pool(),
            selector: map(&[("daytona-sandbox-c", "true")]),
            taints: vec!["sandbox=true:NoSchedule".into()],
            instance_types: vec!["n2-standard-4".into()],
            zones: vec!["a".into()],
            arch: Some("amd64".into()),
            spot: true,
            min: 0,
            max: 10,
            warm: 1,
            hourly_price_micros: 200_000,
            fallback: vec!["spare".parse().unwrap()],
            runners: [("ready".to_owned(), 1)].into(),
            resting_until: Some(moment()),
            reason: Some(reason()),
        },
    );
}
