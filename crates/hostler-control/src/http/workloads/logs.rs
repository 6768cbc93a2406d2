//! `GET /workloads/{id}/logs`: the last lines as JSON, or those and all that
//! follow as server-sent events.

use axum::extract::State;
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use hostler_core::id::WorkloadId;
use hostler_wire::rest;
use serde::Deserialize;

use super::find;
use crate::http::auth::User;
use crate::http::error::{ApiError, ApiResult, Code, chain};
use crate::http::extract::{Path, Query};
use crate::http::sse::answer;
use crate::logs::{LogError, LogHistory, Wanted};
use crate::state::App;

const USUAL_TAIL: usize = 100;
const LONGEST_TAIL: usize = 10_000;

/// `GET /workloads/{id}/logs`.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogQuery {
    /// How many of the last lines; 100 if absent, 10000 at most.
    tail: Option<usize>,
    /// Go on with what is written from now on, as server-sent events.
    #[serde(default, deserialize_with = "flag")]
    follow: bool,
}

/// `1` or `true`, `0` or `false`.
fn flag<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "1" | "true" | "" => Ok(true),
        "0" | "false" => Ok(false),
        other => Err(serde::de::Error::custom(format!(
            "'{other}' is not true or false"
        ))),
    }
}

/// What a workload wrote.
#[utoipa::path(get, path = "/workloads/{id}/logs", tag = "workloads",
    params(("id" = uuid::Uuid, Path), LogQuery),
    responses((status = 200, body = Vec<rest::LogLine>), (status = 503, body = rest::ErrorBody),
        (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn logs(
    State(app): State<App>,
    user: User,
    Path(id): Path<WorkloadId>,
    Query(query): Query<LogQuery>,
) -> ApiResult<Response> {
    let row = find(&app, &user, id).await?;
    let history = app.logs.as_ref().ok_or_else(no_nats)?;
    let wanted = Wanted {
        project: row.spec.project,
        name: row.spec.name,
        since: row.created_at,
        tail: query.tail.unwrap_or(USUAL_TAIL).min(LONGEST_TAIL),
    };
    if query.follow {
        return follow(&app, &user, history, wanted).await;
    }
    let lines = history.tail(&wanted).await.map_err(|error| away(&error))?;
    Ok(axum::Json(lines).into_response())
}

async fn follow(
    app: &App,
    user: &User,
    history: &LogHistory,
    wanted: Wanted,
) -> ApiResult<Response> {
    let lines = history.follow(wanted).await.map_err(|error| away(&error))?;
    let event = |line: rest::LogLine| Event::default().json_data(&line).unwrap_or_default();
    Ok(answer(app, user, lines.map(event)).into_response())
}

fn no_nats() -> ApiError {
    ApiError::new(Code::Unavailable, "this control plane keeps no logs")
        .hint("start it with the address of a NATS server that has JetStream")
}

fn away(error: &LogError) -> ApiError {
    tracing::warn!(error = %chain(error), "logs could not be read");
    ApiError::new(Code::Unavailable, error.to_string())
        .hint("the lines are kept by the NATS server; try again when it is back")
}
