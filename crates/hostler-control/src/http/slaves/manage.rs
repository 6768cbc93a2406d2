//! Looking at nodes, and an operator's wishes about them.

use axum::extract::State;
use axum::http::StatusCode;
use hostler_core::id::NodeId;
use hostler_core::operation::OperationKind;
use hostler_store::{NewOperation, NodeChange, NodeRow, OperationInserted};
use hostler_wire::rest;

use super::show::show_node;
use crate::http::auth::User;
use crate::http::error::{ApiError, ApiResult};
use crate::http::extract::{Json, Path};
use crate::http::operations::show_operation;
use crate::state::App;
use hostler_wire::convert::datetime;

/// All nodes, by name.
#[utoipa::path(get, path = "/slaves", tag = "nodes",
    responses((status = 200, body = Vec<rest::Node>), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn list(State(app): State<App>) -> ApiResult<axum::Json<Vec<rest::Node>>> {
    let rows = app.store.node_list().await;
    let rows = rows.map_err(|error| ApiError::internal("listing nodes", &error))?;
    let now = app.now();
    let show = |row| show_node(row, now, &app.timing);
    Ok(axum::Json(rows.into_iter().map(show).collect()))
}

/// One node.
#[utoipa::path(get, path = "/slaves/{id}", tag = "nodes",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = rest::Node), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn get(
    State(app): State<App>,
    Path(id): Path<NodeId>,
) -> ApiResult<axum::Json<rest::Node>> {
    let row = node(&app, id).await?;
    Ok(axum::Json(show_node(row, app.now(), &app.timing)))
}

/// The row of a node that must exist.
pub(super) async fn node(app: &App, id: NodeId) -> ApiResult<NodeRow> {
    let row = app.store.node_get(id).await;
    row.map_err(|error| ApiError::internal("reading a node", &error))?
        .ok_or_else(|| ApiError::not_found("node", id))
}

/// Opens or closes a node, sets its labels.
#[utoipa::path(patch, path = "/slaves/{id}", tag = "nodes",
    params(("id" = uuid::Uuid, Path)), request_body = rest::NodeUpdate,
    responses((status = 200, body = rest::Node), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn update(
    State(app): State<App>,
    user: User,
    Path(id): Path<NodeId>,
    Json(body): Json<rest::NodeUpdate>,
) -> ApiResult<axum::Json<rest::Node>> {
    let change = NodeChange {
        scheduling: body.scheduling,
        labels: body.labels,
    };
    let row = app.store.node_update(&user.by(app.now()), id, change).await;
    let row = row
        .map_err(|error| ApiError::internal("changing a node", &error))?
        .ok_or_else(|| ApiError::not_found("node", id))?;
    app.passes.wake_all();
    Ok(axum::Json(show_node(row, app.now(), &app.timing)))
}

/// Moves all work away from a node, then closes it. Asking again answers the
/// operation that is under way.
#[utoipa::path(post, path = "/slaves/{id}/drain", tag = "nodes",
    params(("id" = uuid::Uuid, Path)), request_body = Option<rest::DrainRequest>,
    responses((status = 202, body = rest::Operation), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn drain(
    State(app): State<App>,
    user: User,
    Path(id): Path<NodeId>,
    body: axum::body::Bytes,
) -> ApiResult<(StatusCode, axum::Json<rest::Operation>)> {
    let request = if body.is_empty() {
        rest::DrainRequest::default()
    } else {
        Json::<rest::DrainRequest>::parse(&body)?.0
    };
    node(&app, id).await?;
    let operation = ask(
        &app,
        &user,
        OperationKind::NodeDrain,
        id,
        request.deadline_s,
    )
    .await?;
    Ok((StatusCode::ACCEPTED, axum::Json(operation)))
}

/// Writes an operation on a node down, to be done by the pass.
pub(super) async fn ask(
    app: &App,
    user: &User,
    kind: OperationKind,
    id: NodeId,
    deadline_s: Option<u64>,
) -> ApiResult<rest::Operation> {
    let now = app.now();
    let span = std::time::Duration::from_secs(deadline_s.unwrap_or(USUAL_DEADLINE_S));
    let new = NewOperation {
        kind: kind.to_string(),
        subject: id.to_string(),
        project: None,
        arguments: serde_json::json!({ "deadline": datetime(now + span) }),
    };
    let inserted = app.store.operation_insert(&user.by(now), new).await;
    let inserted = inserted.map_err(|error| ApiError::internal("writing an operation", &error))?;
    app.passes.wake_all();
    let (OperationInserted::New(row) | OperationInserted::Existing(row)) = inserted;
    Ok(show_operation(row, now))
}

const USUAL_DEADLINE_S: u64 = 600;
