//! `GET /activity`.

use axum::extract::State;
use hostler_wire::rest;

use super::{event_id, filter, show};
use crate::http::auth::User;
use crate::http::error::{ApiError, ApiResult};
use crate::http::extract::Query;
use crate::http::page::{page, page_size};
use crate::state::App;

/// What happened, oldest first: the latest, or what came after an id.
#[utoipa::path(get, path = "/activity", tag = "activity", params(rest::ActivityQuery),
    responses((status = 200, body = rest::Page<rest::ActivityEntry>),
        (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn history(
    State(app): State<App>,
    user: User,
    Query(query): Query<rest::ActivityQuery>,
) -> ApiResult<axum::Json<rest::Page<rest::ActivityEntry>>> {
    let after = query.after.as_deref().map(event_id).transpose()?;
    let size = page_size(query.limit);
    let wanted = filter(&user, query.subject);
    // Without `after` it is the newest page, and there is none after it.
    let limit = size as u64 + u64::from(after.is_some());
    let events = app.store.event_list(&wanted, after, limit).await;
    let events = events.map_err(|error| ApiError::internal("reading the history", &error))?;
    let shown = events.into_iter().map(show).collect();
    Ok(axum::Json(page(
        shown,
        size,
        |entry: &rest::ActivityEntry| entry.id.to_string(),
    )))
}
