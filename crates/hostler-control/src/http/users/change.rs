//! Changing and deleting users. What is taken from them is gone at once.

use axum::extract::State;
use axum::http::StatusCode;
use hostler_core::access::{Grants, UserName};
use hostler_core::id::UserId;
use hostler_store::UserChange;
use hostler_wire::rest;

use super::{failed, find, may_give, policies_of, refusal, rights, roles_of, show};
use crate::http::auth::{User, password};
use crate::http::error::{ApiError, ApiResult};
use crate::http::extract::{Json, Path};
use crate::state::App;

/// Changes a user: what is absent stays.
#[utoipa::path(patch, path = "/users/{id}", tag = "users", params(("id" = uuid::Uuid, Path)),
    request_body = rest::UserUpdate,
    responses((status = 200, body = rest::User), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn update(
    State(app): State<App>,
    user: User,
    Path(id): Path<UserId>,
    Json(body): Json<rest::UserUpdate>,
) -> ApiResult<axum::Json<rest::User>> {
    change(&app, &user, id, body).await
}

/// Replaces the policies that a user has by themselves.
#[utoipa::path(post, path = "/users/{id}/policies", tag = "users",
    params(("id" = uuid::Uuid, Path)), request_body = rest::UserPolicies,
    responses((status = 200, body = rest::User), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn policies(
    State(app): State<App>,
    user: User,
    Path(id): Path<UserId>,
    Json(body): Json<rest::UserPolicies>,
) -> ApiResult<axum::Json<rest::User>> {
    let update = rest::UserUpdate {
        user: body.user,
        policies: Some(body.policies),
        ..rest::UserUpdate::default()
    };
    change(&app, &user, id, update).await
}

async fn change(
    app: &App,
    user: &User,
    id: UserId,
    body: rest::UserUpdate,
) -> ApiResult<axum::Json<rest::User>> {
    find(app, user, id).await?;
    let change = read(body)?;
    let given = Grants {
        policies: change.policies.clone().unwrap_or_default(),
        roles: change.roles.clone().unwrap_or_default(),
        memberships: Vec::new(),
    };
    may_give(user, &rights(app, &given).await?)?;
    let changed = app
        .store
        .user_change(&user.by(app.now()), id, &change)
        .await;
    let row = changed.map_err(refusal)?;
    let row = row.ok_or_else(|| ApiError::not_found("user", id))?;
    app.known_tokens.forget();
    let own = app
        .store
        .role_book()
        .await
        .map_err(|error| failed(&error))?;
    Ok(axum::Json(show(&row, &own)))
}

fn read(body: rest::UserUpdate) -> ApiResult<UserChange> {
    let mut mistakes = Vec::new();
    let mut named = |name: String| {
        let name = name.parse::<UserName>();
        name.map_err(|error| mistakes.push(format!("user: {error}")))
            .ok()
    };
    let name = body.user.and_then(&mut named);
    let change = UserChange {
        name,
        policies: body
            .policies
            .map(|words| policies_of(&words, &mut mistakes)),
        roles: body.roles.map(|words| roles_of(&words, &mut mistakes)),
        disabled: body.disabled,
    };
    if mistakes.is_empty() {
        Ok(change)
    } else {
        Err(ApiError::invalid(&mistakes))
    }
}

/// Gives a user another password, and ends all their sessions. One that is
/// made for them is shown now and never again.
#[utoipa::path(post, path = "/users/{id}/password", tag = "users",
    params(("id" = uuid::Uuid, Path)), request_body = rest::PasswordReset,
    responses((status = 200, body = rest::PasswordWasReset),
        (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn password_reset(
    State(app): State<App>,
    user: User,
    Path(id): Path<UserId>,
    Json(body): Json<rest::PasswordReset>,
) -> ApiResult<axum::Json<rest::PasswordWasReset>> {
    let row = find(&app, &user, id).await?;
    if let Some(password) = &body.password {
        let checked = password::check(password, &row.name);
        checked.map_err(|mistake| ApiError::invalid(&[mistake]))?;
    }
    let generated = body.password.is_none().then(password::generate);
    let chosen = body
        .password
        .or_else(|| generated.clone())
        .unwrap_or_default();
    let hash = password::hash(chosen).await?;
    let by = user.by(app.now());
    let set = app.store.user_password_set(&by, id, &hash, None).await;
    set.map_err(|error| failed(&error))?;
    app.known_tokens.forget();
    Ok(axum::Json(rest::PasswordWasReset {
        generated_password: generated,
    }))
}

/// Deletes a user with their sessions and tokens. What they made stays.
#[utoipa::path(delete, path = "/users/{id}", tag = "users", params(("id" = uuid::Uuid, Path)),
    responses((status = 204), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn delete(
    State(app): State<App>,
    user: User,
    Path(id): Path<UserId>,
) -> ApiResult<StatusCode> {
    find(&app, &user, id).await?;
    let deleted = app.store.user_delete(&user.by(app.now()), id).await;
    app.known_tokens.forget();
    ApiError::unless_deleted(deleted.map_err(refusal)?, "user", id)
}
