//! `/vms/{id}/shares`: links to a console for people without an account. The
//! secret is answered once and kept as a digest; who shows it may use that one
//! console until the share expires or is revoked, which cuts open sessions.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use hostler_core::id::VmId;
use hostler_store::{NewShare, Secret, ShareRow};
use hostler_wire::convert::datetime;
use hostler_wire::rest;
use uuid::Uuid;

use super::{failed, find};
use crate::http::auth::User;
use crate::http::error::{ApiError, ApiResult, Code};
use crate::http::extract::{Json, Path};
use crate::state::App;

const USUAL_TTL_S: u64 = 60 * 60;
const LONGEST_TTL_S: u64 = 366 * 24 * 60 * 60;
const LONGEST_NAME: usize = 128;

/// The shares of a VM, without their secrets.
#[utoipa::path(get, path = "/vms/{id}/shares", tag = "vms",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = Vec<rest::Share>), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn shares(
    State(app): State<App>,
    user: User,
    Path(id): Path<VmId>,
) -> ApiResult<axum::Json<Vec<rest::Share>>> {
    find(&app, &user, id).await?;
    let rows = app
        .store
        .share_list(id)
        .await
        .map_err(|error| failed(&error))?;
    Ok(axum::Json(rows.into_iter().map(show).collect()))
}

/// Makes a share. Its secret is answered this once.
#[utoipa::path(post, path = "/vms/{id}/shares", tag = "vms",
    params(("id" = uuid::Uuid, Path)), request_body = rest::ShareCreate,
    responses((status = 201, body = rest::ShareCreated),
        (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn share_create(
    State(app): State<App>,
    user: User,
    Path(id): Path<VmId>,
    Json(body): Json<rest::ShareCreate>,
) -> ApiResult<(StatusCode, axum::Json<rest::ShareCreated>)> {
    let row = find(&app, &user, id).await?;
    let ttl = body.ttl_s.unwrap_or(USUAL_TTL_S);
    if ttl == 0 || ttl > LONGEST_TTL_S || body.name.len() > LONGEST_NAME {
        let text = "ttl_s or name: out of bounds";
        return Err(ApiError::new(Code::Invalid, text)
            .hint("give 1 second to 366 days, and a name of at most 128 bytes"));
    }
    let secret = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    let now = app.now();
    let new = NewShare {
        vm: id,
        project: row.spec.project,
        name: body.name,
        secret: Secret::new(secret.clone()),
        expires_at: now + Duration::from_secs(ttl),
    };
    let share = app.store.share_insert(&user.by(now), new).await;
    let share = show(share.map_err(|error| failed(&error))?);
    Ok((
        StatusCode::CREATED,
        axum::Json(rest::ShareCreated { share, secret }),
    ))
}

/// Revokes a share and cuts the sessions that use it.
#[utoipa::path(delete, path = "/vms/{id}/shares/{share}", tag = "vms",
    params(("id" = uuid::Uuid, Path), ("share" = uuid::Uuid, Path)),
    responses((status = 204), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn share_delete(
    State(app): State<App>,
    user: User,
    Path((id, share)): Path<(VmId, Uuid)>,
) -> ApiResult<StatusCode> {
    find(&app, &user, id).await?;
    let by = user.by(app.now());
    let deleted = app.store.share_delete(&by, id, share).await;
    let deleted = deleted.map_err(|error| failed(&error))?;
    app.consoles.cut(share);
    ApiError::unless_deleted(deleted, "share", share)
}

fn show(row: ShareRow) -> rest::Share {
    rest::Share {
        id: row.id,
        name: row.name,
        created_at: datetime(row.created_at),
        expires_at: datetime(row.expires_at),
    }
}
