//! Making, changing and deleting projects. A quota binds what is made from
//! then on.

use axum::extract::State;
use axum::http::StatusCode;
use hostler_core::Name;
use hostler_store::{NewProject, ProjectChange};
use hostler_wire::rest;

use super::show::{quota, show};
use super::{failed, find};
use crate::http::auth::User;
use crate::http::error::{ApiError, ApiResult};
use crate::http::extract::{Json, Path};
use crate::http::users::refusal;
use crate::state::App;

const LONGEST_DESCRIPTION: usize = 1_000;

fn described(text: &str) -> ApiResult<()> {
    if text.len() <= LONGEST_DESCRIPTION {
        return Ok(());
    }
    let text = format!("description: has {LONGEST_DESCRIPTION} characters at most");
    Err(ApiError::invalid(&[text]))
}

/// Makes a project.
#[utoipa::path(post, path = "/projects", tag = "projects", request_body = rest::ProjectCreate,
    responses((status = 201, body = rest::Project), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn create(
    State(app): State<App>,
    user: User,
    Json(body): Json<rest::ProjectCreate>,
) -> ApiResult<(StatusCode, axum::Json<rest::Project>)> {
    let name = body.name.parse::<Name>();
    let name = name.map_err(|error| ApiError::invalid(&[format!("name: {error}")]))?;
    described(&body.description)?;
    let new = NewProject {
        name,
        description: body.description,
        quota: quota(&body.quota),
    };
    let row = app.store.project_insert(&user.by(app.now()), new).await;
    let row = row.map_err(refusal)?;
    Ok((StatusCode::CREATED, axum::Json(show(&app, row).await?)))
}

/// Changes a project: what is absent stays; a quota is replaced as a whole.
#[utoipa::path(patch, path = "/projects/{project}", tag = "projects",
    params(("project" = String, Path)), request_body = rest::ProjectUpdate,
    responses((status = 200, body = rest::Project), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn update(
    State(app): State<App>,
    user: User,
    Path(name): Path<String>,
    Json(body): Json<rest::ProjectUpdate>,
) -> ApiResult<axum::Json<rest::Project>> {
    let row = find(&app, &user, &name).await?;
    described(body.description.as_deref().unwrap_or_default())?;
    let change = ProjectChange {
        description: body.description,
        quota: body.quota.as_ref().map(quota),
    };
    let by = user.by(app.now());
    let changed = app.store.project_change(&by, &row.name, change).await;
    let row = changed.map_err(|error| failed(&error))?;
    let row = row.ok_or_else(|| ApiError::not_found("project", name))?;
    Ok(axum::Json(show(&app, row).await?))
}

/// Deletes a project in which there is nothing; its memberships end.
#[utoipa::path(delete, path = "/projects/{project}", tag = "projects",
    params(("project" = String, Path)),
    responses((status = 204), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn delete(
    State(app): State<App>,
    user: User,
    Path(name): Path<String>,
) -> ApiResult<StatusCode> {
    let row = find(&app, &user, &name).await?;
    let deleted = app
        .store
        .project_delete(&user.by(app.now()), &row.name)
        .await;
    app.known_tokens.forget();
    ApiError::unless_deleted(deleted.map_err(refusal)?, "project", name)
}
