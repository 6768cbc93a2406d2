//! Who one is, what one prefers, and where one has signed in.

use axum::extract::State;
use axum::http::StatusCode;
use hostler_core::access::Policy;
use hostler_core::id::{SessionId, UserId};
use hostler_store::{SessionRow, StoreError, UserRow};
use hostler_wire::convert::datetime;
use hostler_wire::rest;

use super::person;
use crate::http::auth::User;
use crate::http::error::{ApiError, ApiResult};
use crate::http::extract::{Json, Path};
use crate::http::users::{infos, memberships, roles};
use crate::state::App;

/// Who one is, and what one may do.
#[utoipa::path(get, path = "/auth/me", tag = "auth",
    responses((status = 200, body = rest::Me), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn me(State(app): State<App>, user: User) -> ApiResult<axum::Json<rest::Me>> {
    let row = match user.id {
        Some(id) => app
            .store
            .user_get(id)
            .await
            .map_err(|error| failed(&error))?,
        None => None,
    };
    let rights = user.rights();
    let held = Policy::all().iter().copied();
    let held = held.filter(|policy| policy.is_in(&rights.everywhere));
    let row = row.as_ref();
    Ok(axum::Json(rest::Me {
        id: user
            .id
            .unwrap_or_else(|| UserId::from_uuid(user.token.uuid())),
        user: row.map_or_else(|| user.actor().name.clone(), |row| row.name.to_string()),
        created_at: datetime(row.map_or_else(|| app.now(), |row| row.created_at)),
        created_by: row.map(|row| row.created_by.clone()),
        last_activity: row.and_then(|row| row.last_activity).map(datetime),
        policies: infos(held),
        roles: row.map(roles).unwrap_or_default(),
        projects: row.map(memberships).unwrap_or_default(),
        is_admin: Policy::Admin.is_in(&rights.everywhere),
        session: user.session.is_some(),
        expires_at: user.expires_at.map(datetime),
    }))
}

/// What one prefers.
#[utoipa::path(get, path = "/auth/settings", tag = "auth",
    responses((status = 200, body = rest::Settings), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn settings(
    State(app): State<App>,
    user: User,
) -> ApiResult<axum::Json<rest::Settings>> {
    let row = app.store.user_get(person(&user)?).await;
    let row = row.map_err(|error| failed(&error))?;
    Ok(axum::Json(preferences(row.as_ref())))
}

/// Changes what one prefers: `0` and an empty text clear.
#[utoipa::path(put, path = "/auth/settings", tag = "auth", request_body = rest::Settings,
    responses((status = 200, body = rest::Settings), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn settings_set(
    State(app): State<App>,
    user: User,
    Json(body): Json<rest::Settings>,
) -> ApiResult<axum::Json<rest::Settings>> {
    let id = person(&user)?;
    let row = app
        .store
        .user_get(id)
        .await
        .map_err(|error| failed(&error))?;
    let settings = changed(preferences(row.as_ref()), body)?;
    let value = serde_json::to_value(&settings);
    let value = value.map_err(|error| ApiError::internal("keeping settings", &error))?;
    let kept = app
        .store
        .user_settings_set(&user.by(app.now()), id, value)
        .await;
    kept.map_err(|error| failed(&error))?;
    Ok(axum::Json(settings))
}

/// Settings that cannot be read any more are none.
fn preferences(row: Option<&UserRow>) -> rest::Settings {
    let value = row.map(|row| row.settings.clone()).unwrap_or_default();
    let mut settings: rest::Settings = serde_json::from_value(value).unwrap_or_default();
    settings.timezone.get_or_insert_with(|| "auto".to_owned());
    settings
}

const LONGEST_TEXT: usize = 128;

fn changed(before: rest::Settings, asked: rest::Settings) -> ApiResult<rest::Settings> {
    let texts = [
        &asked.default_os,
        &asked.default_keyboard_layout,
        &asked.timezone,
    ];
    if texts
        .iter()
        .any(|text| text.as_ref().is_some_and(|text| text.len() > LONGEST_TEXT))
    {
        let text = format!("a setting has {LONGEST_TEXT} characters at most");
        return Err(ApiError::invalid(&[text]));
    }
    let number = |before, asked: Option<u32>| match asked {
        Some(0) => None,
        asked => asked.or(before),
    };
    let text = |before, asked: Option<String>| asked.or(before).filter(|text| !text.is_empty());
    Ok(rest::Settings {
        default_vcpus: number(before.default_vcpus, asked.default_vcpus),
        default_mem: number(before.default_mem, asked.default_mem),
        default_disk_size: number(before.default_disk_size, asked.default_disk_size),
        default_os: text(before.default_os, asked.default_os),
        default_keyboard_layout: text(
            before.default_keyboard_layout,
            asked.default_keyboard_layout,
        ),
        timezone: text(before.timezone, asked.timezone).or_else(|| Some("auto".to_owned())),
    })
}

/// Where one has signed in.
#[utoipa::path(get, path = "/auth/sessions", tag = "auth",
    responses((status = 200, body = Vec<rest::Session>),
        (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn sessions(
    State(app): State<App>,
    user: User,
) -> ApiResult<axum::Json<Vec<rest::Session>>> {
    let rows = app.store.session_list(person(&user)?).await;
    let rows = rows.map_err(|error| failed(&error))?;
    let show = |row: SessionRow| rest::Session {
        current: user.session == Some(row.id),
        id: row.id,
        created_at: datetime(row.created_at),
        expires_at: datetime(row.expires_at),
        last_used: datetime(row.last_used),
        origin: row.origin,
    };
    Ok(axum::Json(rows.into_iter().map(show).collect()))
}

/// Ends one of one's own sessions.
#[utoipa::path(delete, path = "/auth/sessions/{id}", tag = "auth",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 204), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn session_end(
    State(app): State<App>,
    user: User,
    Path(id): Path<SessionId>,
) -> ApiResult<StatusCode> {
    let mine = user.id.ok_or_else(|| ApiError::not_found("session", id))?;
    let ended = app
        .store
        .session_delete(&user.by(app.now()), mine, id)
        .await;
    let ended = ended.map_err(|error| failed(&error))?;
    app.known_tokens.forget();
    ApiError::unless_deleted(ended, "session", id)
}

fn failed(error: &StoreError) -> ApiError {
    ApiError::internal("looking after a user", error)
}
