//! `/join-tokens`: secrets with which machines register themselves.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use hostler_core::id::TokenId;
use hostler_daemon::secret::random_secret;
use hostler_store::{JoinTokenRow, NewJoinToken, Secret};
use hostler_wire::rest;

use super::auth::User;
use super::error::{ApiError, ApiResult};
use super::extract::{Json, Path};
use crate::state::App;
use hostler_wire::convert::datetime;

const USUAL_TTL_S: u64 = 3600;
const LONGEST_TTL_S: u64 = 366 * 24 * 3600;

/// Makes a join token. Its secret is shown now and never again.
#[utoipa::path(post, path = "/join-tokens", tag = "nodes", request_body = rest::JoinTokenCreate,
    responses((status = 201, body = rest::JoinTokenCreated),
        (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn create(
    State(app): State<App>,
    user: User,
    Json(body): Json<rest::JoinTokenCreate>,
) -> ApiResult<(StatusCode, axum::Json<rest::JoinTokenCreated>)> {
    let asked = Asked::read(&body)?;
    let secret = format!("hj_{}", random_secret());
    let now = app.now();
    let new = NewJoinToken {
        secret: Secret::new(secret.clone()),
        expires_at: now + asked.ttl,
        uses: asked.uses,
    };
    let row = app.store.join_token_insert(&user.by(now), new).await;
    let row = row.map_err(|error| ApiError::internal("making a join token", &error))?;
    let answer = rest::JoinTokenCreated {
        join_token: show(&row),
        secret,
        control: app.public_url.clone(),
    };
    Ok((StatusCode::CREATED, axum::Json(answer)))
}

/// A request for a join token, checked.
struct Asked {
    ttl: Duration,
    uses: u32,
}

impl Asked {
    fn read(body: &rest::JoinTokenCreate) -> ApiResult<Self> {
        let mut mistakes = Vec::new();
        let ttl = body.ttl_s.unwrap_or(USUAL_TTL_S);
        if ttl == 0 || ttl > LONGEST_TTL_S {
            mistakes.push(format!("ttl_s: must be 1 to {LONGEST_TTL_S}"));
        }
        let uses = body.uses.unwrap_or(1);
        if uses == 0 {
            mistakes.push("uses: is zero".to_owned());
        }
        if !mistakes.is_empty() {
            return Err(ApiError::invalid(&mistakes));
        }
        let ttl = Duration::from_secs(ttl);
        Ok(Self { ttl, uses })
    }
}

fn show(row: &JoinTokenRow) -> rest::JoinToken {
    rest::JoinToken {
        id: row.id,
        expires_at: datetime(row.expires_at),
        uses_left: row.uses_left,
    }
}

/// All join tokens, without their secrets.
#[utoipa::path(get, path = "/join-tokens", tag = "nodes",
    responses((status = 200, body = Vec<rest::JoinToken>),
        (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn list(State(app): State<App>) -> ApiResult<axum::Json<Vec<rest::JoinToken>>> {
    let rows = app.store.join_token_list().await;
    let rows = rows.map_err(|error| ApiError::internal("listing join tokens", &error))?;
    Ok(axum::Json(rows.iter().map(show).collect()))
}

/// Deletes a join token. Nodes that joined with it stay.
#[utoipa::path(delete, path = "/join-tokens/{id}", tag = "nodes",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 204), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn delete(
    State(app): State<App>,
    user: User,
    Path(id): Path<TokenId>,
) -> ApiResult<StatusCode> {
    let deleted = app.store.join_token_delete(&user.by(app.now()), id).await;
    let deleted = deleted.map_err(|error| ApiError::internal("deleting a join token", &error))?;
    ApiError::unless_deleted(deleted, "join token", id)
}
