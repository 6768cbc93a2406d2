//! Members of projects. Who makes somebody a member has, in that project, all
//! that the role allows, and all that the member had there before.

use axum::extract::State;
use axum::http::StatusCode;
use hostler_core::Name;
use hostler_core::access::{Rights, UserName, role_policies};
use hostler_store::UserRow;
use hostler_wire::rest;

use super::{failed, find};
use crate::http::auth::User;
use crate::http::error::{ApiError, ApiResult};
use crate::http::extract::{Json, Path};
use crate::http::users::{may_give, refusal};
use crate::state::App;

/// The members of a project, by name.
#[utoipa::path(get, path = "/projects/{project}/members", tag = "projects",
    params(("project" = String, Path)),
    responses((status = 200, body = Vec<rest::Member>), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn members(
    State(app): State<App>,
    user: User,
    Path(project): Path<String>,
) -> ApiResult<axum::Json<Vec<rest::Member>>> {
    let row = find(&app, &user, &project).await?;
    let members = app.store.member_list(&row.name).await;
    let members = members.map_err(|error| failed(&error))?;
    let show = |member: hostler_store::Member| rest::Member {
        id: member.user,
        user: member.name.to_string(),
        role: member.role.to_string(),
    };
    Ok(axum::Json(members.into_iter().map(show).collect()))
}

/// Makes a user a member, or gives them another role.
#[utoipa::path(put, path = "/projects/{project}/members/{user}", tag = "projects",
    params(("project" = String, Path), ("user" = String, Path)), request_body = rest::MemberSet,
    responses((status = 200, body = rest::Member), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn member_set(
    State(app): State<App>,
    user: User,
    Path((project, name)): Path<(String, String)>,
    Json(body): Json<rest::MemberSet>,
) -> ApiResult<axum::Json<rest::Member>> {
    let project = find(&app, &user, &project).await?.name;
    let role = body.role.parse::<Name>();
    let role = role.map_err(|error| ApiError::invalid(&[format!("role: {error}")]))?;
    let member = named(&app, &name).await?;
    may_place(
        &app,
        &user,
        &project,
        [Some(&role), role_of(&member, &project)],
    )
    .await?;
    let by = user.by(app.now());
    let set = app.store.member_set(&by, &project, member.id, &role).await;
    if !set.map_err(refusal)? {
        return Err(ApiError::not_found("user", name));
    }
    app.known_tokens.forget();
    Ok(axum::Json(rest::Member {
        id: member.id,
        user: member.name.to_string(),
        role: role.to_string(),
    }))
}

/// Ends a membership.
#[utoipa::path(delete, path = "/projects/{project}/members/{user}", tag = "projects",
    params(("project" = String, Path), ("user" = String, Path)),
    responses((status = 204), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn member_delete(
    State(app): State<App>,
    user: User,
    Path((project, name)): Path<(String, String)>,
) -> ApiResult<StatusCode> {
    let project = find(&app, &user, &project).await?.name;
    let member = named(&app, &name).await?;
    may_place(&app, &user, &project, [None, role_of(&member, &project)]).await?;
    let by = user.by(app.now());
    let ended = app.store.member_delete(&by, &project, member.id).await;
    app.known_tokens.forget();
    ApiError::unless_deleted(ended.map_err(|error| failed(&error))?, "member", name)
}

/// The user of this name, or of this id.
async fn named(app: &App, text: &str) -> ApiResult<UserRow> {
    let absent = || ApiError::not_found("user", text);
    let found = match (text.parse(), text.parse::<UserName>()) {
        (Ok(id), _) => app.store.user_get(id).await,
        (Err(_), Ok(name)) => {
            let found = app.store.user_by_name(&name).await;
            found.map(|found| found.map(|(row, _)| row))
        }
        (Err(_), Err(_)) => return Err(absent()),
    };
    found.map_err(|error| failed(&error))?.ok_or_else(absent)
}

fn role_of<'a>(member: &'a UserRow, project: &Name) -> Option<&'a Name> {
    let mut places = member.grants.memberships.iter();
    let place = places.find(|(place, _)| place == project);
    place.map(|(_, role)| role)
}

async fn may_place(
    app: &App,
    user: &User,
    project: &Name,
    roles: [Option<&Name>; 2],
) -> ApiResult<()> {
    let book = app
        .store
        .role_book()
        .await
        .map_err(|error| failed(&error))?;
    for role in roles.into_iter().flatten() {
        let policies = role_policies(&book, role);
        may_give(user, &Rights::of(Some(project.clone()), policies))?;
    }
    Ok(())
}
