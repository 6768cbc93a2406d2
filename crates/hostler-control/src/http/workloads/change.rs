//! Changing what is wanted of a workload: run, do not run, be forgotten. What
//! was asked for is true at once; what follows from it takes its time. Asking
//! for what is so already changes nothing.

use axum::extract::State;
use axum::http::StatusCode;
use hostler_core::id::WorkloadId;
use hostler_core::workload::Goal;
use hostler_wire::rest;

use super::show::Seats;
use super::{failed, find};
use crate::http::auth::User;
use crate::http::error::{ApiError, ApiResult, Code};
use crate::http::extract::Path;
use crate::state::App;

/// What a change answers.
pub(crate) type Changed = (StatusCode, axum::Json<rest::Workload>);

/// Wants the workload to run.
#[utoipa::path(post, path = "/workloads/{id}/start", tag = "workloads",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 202, body = rest::Workload), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn start(
    State(app): State<App>,
    user: User,
    Path(id): Path<WorkloadId>,
) -> ApiResult<Changed> {
    want(&app, &user, id, Goal::Running).await
}

/// Wants the workload not to run, and to stay known.
#[utoipa::path(post, path = "/workloads/{id}/stop", tag = "workloads",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 202, body = rest::Workload), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn stop(
    State(app): State<App>,
    user: User,
    Path(id): Path<WorkloadId>,
) -> ApiResult<Changed> {
    want(&app, &user, id, Goal::Stopped).await
}

/// Wants the workload to be forgotten. Its name is free once it is gone.
#[utoipa::path(delete, path = "/workloads/{id}", tag = "workloads",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 202, body = rest::Workload), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn delete(
    State(app): State<App>,
    user: User,
    Path(id): Path<WorkloadId>,
) -> ApiResult<Changed> {
    want(&app, &user, id, Goal::Gone).await
}

async fn want(app: &App, user: &User, id: WorkloadId, goal: Goal) -> ApiResult<Changed> {
    find(app, user, id).await?;
    let changed = app
        .store
        .workload_goal_set(&user.by(app.now()), id, goal)
        .await;
    let row = changed
        .map_err(|error| failed(&error))?
        .ok_or_else(|| ApiError::not_found("workload", id))?;
    if row.facts.goal != goal {
        return Err(ApiError::new(Code::Gone, "this workload is being deleted"));
    }
    app.passes.wake();
    let seats = Seats::of_one(app, &row)
        .await
        .map_err(|error| failed(&error))?;
    Ok((StatusCode::ACCEPTED, axum::Json(seats.show(row))))
}
