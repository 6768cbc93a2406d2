//! Unregistering a node. One that holds nothing goes at once, looked at in the
//! transaction that removes it; one that holds work is drained first.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hostler_core::id::NodeId;
use hostler_core::operation::OperationKind;
use hostler_store::NodeLeaveError;
use hostler_wire::rest;
use serde::Deserialize;
use std::sync::atomic::Ordering;

use super::manage::ask;
use crate::http::auth::User;
use crate::http::error::{ApiError, ApiResult, Code};
use crate::http::extract::{Path, Query};
use crate::state::App;

/// `DELETE /slaves/{id}`.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct RemoveQuery {
    /// Do it at once and seat its work elsewhere. Whoever says this vouches
    /// that the machine is off: work that runs there still would run twice.
    #[serde(default)]
    force: bool,
}

/// Unregisters a node. One that holds work is drained first, as an operation.
#[utoipa::path(delete, path = "/slaves/{id}", tag = "nodes",
    params(("id" = uuid::Uuid, Path), RemoveQuery),
    responses((status = 204, description = "It is gone."),
        (status = 202, body = rest::Operation, description = "It is being drained first."),
        (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn remove(
    State(app): State<App>,
    user: User,
    Path(id): Path<NodeId>,
    Query(query): Query<RemoveQuery>,
) -> ApiResult<Response> {
    let by = user.by(app.now());
    if query.force {
        let removed = app.store.node_remove(&by, id).await;
        let removed = removed.map_err(|error| ApiError::internal("removing a node", &error))?;
        removed.ok_or_else(|| ApiError::not_found("node", id))?;
        return Ok(gone(&app));
    }
    match app.store.node_leave(&by, id).await {
        Ok(()) => Ok(gone(&app)),
        Err(NodeLeaveError::Seated(_)) => {
            let operation = ask(&app, &user, OperationKind::NodeRemove, id, None).await?;
            Ok((StatusCode::ACCEPTED, axum::Json(operation)).into_response())
        }
        Err(error @ NodeLeaveError::Vms(_)) => {
            Err(ApiError::new(Code::Conflict, error.to_string())
                .hint("delete them first; ?force=true gives their disks up with the node"))
        }
        Err(NodeLeaveError::Unknown(_)) => Err(ApiError::not_found("node", id)),
        Err(NodeLeaveError::Store(error)) => Err(ApiError::internal("removing a node", &error)),
    }
}

/// One node fewer.
fn gone(app: &App) -> Response {
    let fewer = |size: usize| size.checked_sub(1);
    let _ = app
        .fleet_size
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer);
    app.passes.wake_all();
    StatusCode::NO_CONTENT.into_response()
}
