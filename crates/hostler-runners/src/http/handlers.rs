//! The handlers: read the request, one call of the manager, answer.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hostler_core::runner::RunnerId;
use hostler_core::runner::job::{Job, Stage};
use hostler_wire::rest::{
    Check, Health, Readiness, Runner, RunnerHost, RunnerJob, RunnerPoolInfo, RunnerQuery,
    RunnerService, RunnersAdd, RunnersAdded, RunnersRemove, RunnersRemoved,
};

use super::answer::Problem;
use super::{Caller, MetricsText, read};
use crate::manager::{AddRequest, Manager, RemoveRequest};

type Answer<T> = Result<T, Problem>;
type Whom = Option<Extension<Caller>>;

pub(super) async fn root(State(manager): State<Manager>) -> Json<RunnerService> {
    Json(RunnerService {
        service: "runner-manager".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        provider: manager.provider_name().to_owned(),
    })
}

pub(super) async fn health() -> Json<Health> {
    Json(Health {
        status: "ok".to_owned(),
    })
}

/// What it lacks and can do without is listed, and keeps nobody waiting.
pub(super) async fn ready(State(manager): State<Manager>) -> (StatusCode, Json<Readiness>) {
    let problems = manager.problems();
    let ready = problems
        .iter()
        .all(|(name, problem)| *name == "rights" || problem.is_none());
    let check = |(name, problem): (&str, Option<String>)| Check {
        name: name.to_owned(),
        ok: problem.is_none(),
        problem,
    };
    let checks = problems.into_iter().map(check).collect();
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(Readiness { ready, checks }))
}

pub(super) async fn metrics(
    State(manager): State<Manager>,
    Extension(render): Extension<Option<MetricsText>>,
) -> Answer<Response> {
    let Some(render) = render else {
        let text = "this process records no metrics";
        return Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            text,
        ));
    };
    manager.measure();
    let kind = (
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    );
    Ok(([kind], render()).into_response())
}

pub(super) async fn list(
    State(manager): State<Manager>,
    query: Result<Query<RunnerQuery>, QueryRejection>,
) -> Answer<Json<Vec<Runner>>> {
    let Query(query) = query.map_err(|error| read::query(&error))?;
    let mut runners = manager.runners();
    if let Some(after) = &query.after {
        let place = runners
            .iter()
            .position(|runner| runner.id.as_str() == after);
        let unknown = || Problem::invalid("there is no runner to continue after");
        runners.drain(..=place.ok_or_else(unknown)?);
    }
    let is_meant = |runner: &Runner| {
        query.status.is_none_or(|status| runner.status == status)
            && query
                .pool
                .as_deref()
                .is_none_or(|pool| runner.pool.as_str() == pool)
    };
    runners.retain(is_meant);
    runners.truncate(query.limit.unwrap_or(usize::MAX));
    Ok(Json(runners))
}

pub(super) async fn one(
    State(manager): State<Manager>,
    Path(id): Path<String>,
) -> Answer<Json<Runner>> {
    let found = id
        .parse::<RunnerId>()
        .ok()
        .and_then(|id| manager.runner(&id));
    found
        .map(Json)
        .ok_or_else(|| Problem::not_found("there is no such runner"))
}

pub(super) async fn add(
    State(manager): State<Manager>,
    whom: Whom,
    headers: HeaderMap,
    bytes: Bytes,
) -> Answer<(StatusCode, Json<RunnersAdded>)> {
    let most = manager.rules().max_add;
    let limit = format!("instances must be a whole number from 1 to {most}");
    let body: RunnersAdd = read::body(&bytes).map_err(|problem| problem.hint(limit))?;
    let request = AddRequest {
        count: body.instances,
        pool: body.pool,
        machine: None,
        key: read::key(&headers)?,
        by: whom.map(|Extension(Caller(name))| name),
    };
    added(&manager, request, body.dry_run).await
}

pub(super) async fn adopt(
    State(manager): State<Manager>,
    whom: Whom,
    headers: HeaderMap,
    Path(name): Path<String>,
) -> Answer<(StatusCode, Json<RunnersAdded>)> {
    let hosts = manager.hosts();
    let host = hosts.iter().find(|host| host.name == name);
    let host = host.ok_or_else(|| Problem::not_found("there is no such machine"))?;
    if let Some(runner) = host.runners.first() {
        let text = format!("runner {runner} holds this machine already");
        return Err(Problem::new(StatusCode::CONFLICT, "managed", text));
    }
    let request = AddRequest {
        machine: Some(name),
        key: read::key(&headers)?,
        by: whom.map(|Extension(Caller(name))| name),
        ..AddRequest::default()
    };
    added(&manager, request, false).await
}

async fn added(
    manager: &Manager,
    request: AddRequest,
    is_dry: bool,
) -> Answer<(StatusCode, Json<RunnersAdded>)> {
    if is_dry {
        let job = manager.add_planned(&request)?;
        let names = job.items.len();
        let mut answer = added_answer(manager, &job, "Nothing was done: this would be added");
        // Ids follow from the job, and a dry run has none.
        (answer.job_id, answer.pod_names, answer.instances) = (None, Vec::new(), names);
        return Ok((StatusCode::OK, Json(answer)));
    }
    let job = manager.add(request).await?;
    let answer = added_answer(manager, &job, "Runner provisioning started");
    Ok((StatusCode::CREATED, Json(answer)))
}

fn added_answer(manager: &Manager, job: &Job, message: &str) -> RunnersAdded {
    RunnersAdded {
        job_id: Some(job.id),
        pod_names: job.items.iter().map(|item| item.id.clone()).collect(),
        message: message.to_owned(),
        instances: job.items.len(),
        provider: manager.provider_name().to_owned(),
    }
}

pub(super) async fn remove(
    State(manager): State<Manager>,
    whom: Whom,
    headers: HeaderMap,
    bytes: Bytes,
) -> Answer<(StatusCode, Json<RunnersRemoved>)> {
    let body: RunnersRemove = read::body(&bytes)?;
    if body.runner_ids.as_ref().is_some_and(Vec::is_empty) {
        return Err(Problem::invalid("runner_ids names nobody"));
    }
    let request = RemoveRequest {
        count: body.instances,
        ids: body.runner_ids,
        pool: body.pool,
        force: body.force,
        drain: body.drain_timeout_s.map(std::time::Duration::from_secs),
        key: read::key(&headers)?,
        by: whom.map(|Extension(Caller(name))| name),
    };
    if body.dry_run {
        let ids = manager.remove_planned(&request)?;
        let answer = removed_answer(
            &manager,
            None,
            ids,
            "Nothing was done: these would be removed",
        );
        return Ok((StatusCode::OK, Json(answer)));
    }
    let job = manager.remove(request).await?.job;
    let (status, message) = match job.stage {
        Stage::Ended(_) => (StatusCode::OK, "Runner instances removed"),
        _ => (StatusCode::ACCEPTED, "Runner removal started"),
    };
    let ids = job.items.iter().map(|item| item.id.clone()).collect();
    let answer = removed_answer(&manager, Some(job.id), ids, message);
    Ok((status, Json(answer)))
}

fn removed_answer(
    manager: &Manager,
    job_id: Option<hostler_core::id::JobId>,
    ids: Vec<RunnerId>,
    message: &str,
) -> RunnersRemoved {
    RunnersRemoved {
        message: message.to_owned(),
        instances: ids.len(),
        provider: manager.provider_name().to_owned(),
        job_id,
        pod_names: ids,
    }
}

pub(super) async fn jobs(State(manager): State<Manager>) -> Json<Vec<RunnerJob>> {
    Json(manager.jobs())
}

pub(super) async fn job(
    State(manager): State<Manager>,
    Path(id): Path<String>,
) -> Answer<Json<RunnerJob>> {
    let found = id.parse().ok().and_then(|id| manager.job_by_id(id));
    found
        .map(Json)
        .ok_or_else(|| Problem::not_found("there is no such job"))
}

pub(super) async fn pools(State(manager): State<Manager>) -> Json<Vec<RunnerPoolInfo>> {
    Json(manager.pools())
}

pub(super) async fn hosts(State(manager): State<Manager>) -> Json<Vec<RunnerHost>> {
    Json(manager.hosts())
}

/// The only reading route that asks the provider anew.
pub(super) async fn doctor(State(manager): State<Manager>) -> Json<Readiness> {
    let checks = manager.doctor().await;
    let ready = checks
        .iter()
        .all(|check| check.problem.is_none() || !check.is_needed);
    let check = |check: crate::provider::Check| Check {
        name: check.name,
        ok: check.problem.is_none(),
        problem: check.problem.map(|reason| match reason.hint {
            Some(hint) => format!("{}; {hint}", reason.text),
            None => reason.text,
        }),
    };
    let checks = checks.into_iter().map(check).collect();
    Json(Readiness { ready, checks })
}
