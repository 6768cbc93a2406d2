//! `/operations`: long changes, how far they are, and calling them off.

use std::collections::VecDeque;

use axum::extract::State;
use axum::http::StatusCode;
use hostler_core::Timestamp;
use hostler_core::id::OperationId;
use hostler_core::operation::OperationState;
use hostler_store::{OperationFilter, OperationOutcome, OperationRow, StoreError};
use hostler_wire::rest;
use serde::Deserialize;

use super::auth::User;
use super::error::{ApiError, ApiResult, Code};
use super::extract::{Path, Query};
use super::page::page_size;
use crate::state::App;
use hostler_wire::convert::datetime;

/// Filters and paging of `GET /operations`.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct OperationQuery {
    /// Only what is done to this id.
    subject: Option<String>,
    /// Only those that have not ended.
    #[serde(default)]
    live: bool,
    /// At most so many; 100 if absent, 1000 at most.
    limit: Option<u32>,
}

/// Operations, newest first.
#[utoipa::path(get, path = "/operations", tag = "operations", params(OperationQuery),
    responses((status = 200, body = Vec<rest::Operation>),
        (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn list(
    State(app): State<App>,
    user: User,
    Query(query): Query<OperationQuery>,
) -> ApiResult<axum::Json<Vec<rest::Operation>>> {
    let filter = OperationFilter {
        subject: query.subject,
        project: user.project().map(String::from),
        live: query.live,
    };
    let rows = latest(&app, &filter, page_size(query.limit)).await;
    let rows = rows.map_err(|error| failed(&error))?;
    let now = app.now();
    let shown = rows.into_iter().map(|row| show_operation(row, now));
    Ok(axum::Json(shown.collect()))
}

/// The latest `count`, newest first. The store lists from the oldest; there
/// are as many operations as people ever asked for, which is not many.
async fn latest(
    app: &App,
    filter: &OperationFilter,
    count: usize,
) -> Result<Vec<OperationRow>, StoreError> {
    let mut latest = VecDeque::with_capacity(count);
    let mut after = None;
    loop {
        let rows = app.store.operation_list(filter, after, PAGE).await?;
        let full = rows.len() as u64 == PAGE;
        after = rows.last().map(|row| row.id);
        latest.extend(rows);
        latest.drain(..latest.len().saturating_sub(count));
        if !full {
            return Ok(latest.into_iter().rev().collect());
        }
    }
}

const PAGE: u64 = 1_000;

/// One operation.
#[utoipa::path(get, path = "/operations/{id}", tag = "operations",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = rest::Operation), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn get(
    State(app): State<App>,
    Path(id): Path<OperationId>,
) -> ApiResult<axum::Json<rest::Operation>> {
    let row = find(&app, id).await?;
    Ok(axum::Json(show_operation(row, app.now())))
}

/// Asks for an operation to be called off. What it has done is taken back.
#[utoipa::path(post, path = "/operations/{id}/cancel", tag = "operations",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 202, body = rest::Operation), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn cancel(
    State(app): State<App>,
    user: User,
    Path(id): Path<OperationId>,
) -> ApiResult<(StatusCode, axum::Json<rest::Operation>)> {
    find(&app, id).await?;
    let now = app.now();
    let asked = app.store.operation_cancel_ask(&user.by(now), id).await;
    let asked = asked.map_err(|error| failed(&error))?;
    let row = find(&app, id).await?;
    if !asked && row.outcome.is_some() {
        return Err(ApiError::new(Code::Conflict, "this operation has ended"));
    }
    app.passes.wake_all();
    Ok((StatusCode::ACCEPTED, axum::Json(show_operation(row, now))))
}

async fn find(app: &App, id: OperationId) -> ApiResult<OperationRow> {
    let row = app.store.operation_get(id).await;
    row.map_err(|error| failed(&error))?
        .ok_or_else(|| ApiError::not_found("operation", id))
}

fn failed(error: &StoreError) -> ApiError {
    ApiError::internal("looking at operations", error)
}

/// An operation as the API shows it, as of `now`.
pub(super) fn show_operation(row: OperationRow, now: Timestamp) -> rest::Operation {
    let state = match row.outcome {
        Some(OperationOutcome::Done) => OperationState::Done,
        Some(OperationOutcome::Undone) => OperationState::Undone,
        Some(OperationOutcome::Stuck) => OperationState::Stuck,
        None if row.is_held(now) => OperationState::Running,
        None => OperationState::Waiting,
    };
    rest::Operation {
        id: row.id,
        kind: row.kind,
        subject: row.subject,
        state,
        steps_done: row.steps_done,
        progress: row.progress,
        problem: row.problem,
        cancel_asked: row.cancel_asked,
        created_at: datetime(row.created_at),
        ended_at: row.ended_at.map(datetime),
    }
}
