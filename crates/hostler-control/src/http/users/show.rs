//! Users as the API shows them.

use axum::extract::State;
use hostler_core::access::{OwnRoles, Policy};
use hostler_core::id::UserId;
use hostler_store::UserRow;
use hostler_wire::convert::datetime;
use hostler_wire::rest;

use super::failed;
use crate::http::error::{ApiError, ApiResult};
use crate::http::extract::Path;
use crate::state::App;

/// Policies with what each allows.
pub(crate) fn infos(policies: impl IntoIterator<Item = Policy>) -> Vec<rest::PolicyInfo> {
    let info = |policy: Policy| rest::PolicyInfo {
        policy: policy.to_string(),
        description: policy.description().to_owned(),
    };
    policies.into_iter().map(info).collect()
}

/// The names of a user's roles.
pub(crate) fn roles(row: &UserRow) -> Vec<String> {
    row.grants.roles.iter().map(ToString::to_string).collect()
}

/// A user's roles in projects.
pub(crate) fn memberships(row: &UserRow) -> Vec<rest::Membership> {
    let membership =
        |(project, role): &(hostler_core::Name, hostler_core::Name)| rest::Membership {
            project: project.to_string(),
            role: role.to_string(),
        };
    row.grants.memberships.iter().map(membership).collect()
}

pub(super) fn show(row: &UserRow, own: &OwnRoles) -> rest::User {
    let rights = row.grants.rights(own);
    rest::User {
        id: row.id,
        user: row.name.to_string(),
        created_at: datetime(row.created_at),
        created_by: row.created_by.clone(),
        last_activity: row.last_activity.map(datetime),
        policies: infos(row.grants.policies.iter().copied()),
        roles: roles(row),
        projects: memberships(row),
        disabled: row.disabled,
        external: row.identity.is_some(),
        is_admin: Policy::Admin.is_in(&rights.everywhere),
    }
}

/// All users, by name.
#[utoipa::path(get, path = "/users", tag = "users",
    responses((status = 200, body = Vec<rest::User>), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn list(State(app): State<App>) -> ApiResult<axum::Json<Vec<rest::User>>> {
    let rows = app
        .store
        .user_list()
        .await
        .map_err(|error| failed(&error))?;
    let own = app
        .store
        .role_book()
        .await
        .map_err(|error| failed(&error))?;
    Ok(axum::Json(rows.iter().map(|row| show(row, &own)).collect()))
}

/// One user.
#[utoipa::path(get, path = "/users/{id}", tag = "users", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = rest::User), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn get(
    State(app): State<App>,
    Path(id): Path<UserId>,
) -> ApiResult<axum::Json<rest::User>> {
    let row = app
        .store
        .user_get(id)
        .await
        .map_err(|error| failed(&error))?;
    let row = row.ok_or_else(|| ApiError::not_found("user", id))?;
    let own = app
        .store
        .role_book()
        .await
        .map_err(|error| failed(&error))?;
    Ok(axum::Json(show(&row, &own)))
}
