//! `/roles`. A change of a role is a gift to all who have it: it is made by
//! who has all that the role allows, before and after.

use axum::extract::State;
use axum::http::StatusCode;
use hostler_core::Name;
use hostler_core::access::{BuiltIn, Rights};
use hostler_store::RoleRow;
use hostler_wire::rest;

use super::{failed, may_give, policies_of, refusal};
use crate::http::auth::User;
use crate::http::error::{ApiError, ApiResult};
use crate::http::extract::{Json, Path};
use crate::state::App;

fn built_in(role: BuiltIn) -> rest::Role {
    rest::Role {
        name: role.name().to_owned(),
        description: role.description().to_owned(),
        policies: role.policies().iter().map(ToString::to_string).collect(),
        built_in: true,
    }
}

fn own(row: RoleRow) -> rest::Role {
    rest::Role {
        name: row.name.to_string(),
        description: row.description,
        policies: row.policies.iter().map(ToString::to_string).collect(),
        built_in: false,
    }
}

/// All roles: those of the program, then own ones.
#[utoipa::path(get, path = "/roles", tag = "users",
    responses((status = 200, body = Vec<rest::Role>), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn role_list(State(app): State<App>) -> ApiResult<axum::Json<Vec<rest::Role>>> {
    let rows = app
        .store
        .role_list()
        .await
        .map_err(|error| failed(&error))?;
    let roles = BuiltIn::ALL.into_iter().map(built_in);
    Ok(axum::Json(roles.chain(rows.into_iter().map(own)).collect()))
}

/// Makes a role, or changes what it allows to all who have it.
#[utoipa::path(put, path = "/roles/{name}", tag = "users", params(("name" = String, Path)),
    request_body = rest::RoleSet,
    responses((status = 200, body = rest::Role), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn role_set(
    State(app): State<App>,
    user: User,
    Path(name): Path<String>,
    Json(body): Json<rest::RoleSet>,
) -> ApiResult<axum::Json<rest::Role>> {
    let mut mistakes = Vec::new();
    let policies = policies_of(&body.policies, &mut mistakes);
    let name = name.parse::<Name>();
    mistakes.extend(name.as_ref().err().map(|error| format!("name: {error}")));
    let Some(name) = name.ok().filter(|_| mistakes.is_empty()) else {
        return Err(ApiError::invalid(&mistakes));
    };
    may_give(&user, &Rights::of(None, policies.clone()))?;
    may_change(&app, &user, &name).await?;
    let by = user.by(app.now());
    let row = app
        .store
        .role_set(&by, &name, body.description, policies)
        .await;
    let row = row.map_err(refusal)?;
    app.known_tokens.forget();
    Ok(axum::Json(own(row)))
}

async fn may_change(app: &App, user: &User, name: &Name) -> ApiResult<()> {
    let book = app
        .store
        .role_book()
        .await
        .map_err(|error| failed(&error))?;
    let before = book.get(name).cloned().unwrap_or_default();
    may_give(user, &Rights::of(None, before))
}

/// Deletes a role that nobody has.
#[utoipa::path(delete, path = "/roles/{name}", tag = "users", params(("name" = String, Path)),
    responses((status = 204), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn role_delete(
    State(app): State<App>,
    user: User,
    Path(name): Path<String>,
) -> ApiResult<StatusCode> {
    let parsed = name.parse::<Name>();
    let role = parsed.map_err(|_| ApiError::not_found("role", &name))?;
    let deleted = app.store.role_delete(&user.by(app.now()), &role).await;
    ApiError::unless_deleted(deleted.map_err(refusal)?, "role", name)
}
