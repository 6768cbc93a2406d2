//! `/tokens` and `/policies`: who may do what. Nobody grants what they lack,
//! and a token made by a user is theirs: it never does more than they may.
//! Who acts in some projects sees, makes and deletes tokens of those only.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use hostler_core::Name;
use hostler_core::access::{Policy, PolicySet, Reach, Rights};
use hostler_core::id::TokenId;
use hostler_daemon::secret::random_secret;
use hostler_store::{NewToken, Secret, TokenRow};
use hostler_wire::rest;

use super::auth::User;
use super::error::{ApiError, ApiResult};
use super::extract::{Json, Path};
use super::users::{may_give, policies_of, refusal};
use crate::state::App;
use hostler_wire::convert::datetime;

const LONGEST_NAME: usize = 100;

/// Makes a token. Its secret is shown now and never again.
#[utoipa::path(post, path = "/tokens", tag = "access", request_body = rest::TokenCreate,
    responses((status = 201, body = rest::TokenCreated),
        (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn create(
    State(app): State<App>,
    user: User,
    Json(body): Json<rest::TokenCreate>,
) -> ApiResult<(StatusCode, axum::Json<rest::TokenCreated>)> {
    let asked = Asked::read(body)?;
    // A token bound to a project makes tokens of that project unless told otherwise.
    let project = asked.project.or_else(|| user.project());
    may_give(&user, &Rights::of(project.clone(), asked.policies.clone()))?;
    let secret = format!("ht_{}", random_secret());
    let now = app.now();
    let new = NewToken {
        name: asked.name,
        project,
        policies: asked.policies.iter().map(ToString::to_string).collect(),
        secret: Secret::new(secret.clone()),
        expires_at: asked.ttl.map(|ttl| now + ttl),
        owner: user.id,
    };
    let row = app.store.token_insert(&user.by(now), new).await;
    let row = row.map_err(|error| ApiError::internal("making a token", &error))?;
    let answer = rest::TokenCreated {
        token: show(row),
        secret,
    };
    Ok((StatusCode::CREATED, axum::Json(answer)))
}

/// A request for a token, checked.
struct Asked {
    name: String,
    project: Option<Name>,
    policies: PolicySet,
    ttl: Option<Duration>,
}

impl Asked {
    fn read(body: rest::TokenCreate) -> ApiResult<Self> {
        let mut mistakes = Vec::new();
        if body.name.trim().is_empty() || body.name.len() > LONGEST_NAME {
            mistakes.push(format!("name: must have 1 to {LONGEST_NAME} characters"));
        }
        if body.ttl_s == Some(0) {
            mistakes.push("ttl_s: is zero".to_owned());
        }
        let policies = policies_of(&body.policies, &mut mistakes);
        let project = body
            .project
            .map(|project| project.parse::<Name>())
            .transpose();
        if let Err(error) = &project {
            mistakes.push(format!("project: {error}"));
        }
        match project {
            Ok(project) if mistakes.is_empty() => Ok(Self {
                name: body.name,
                project,
                policies,
                ttl: body.ttl_s.map(Duration::from_secs),
            }),
            _ => Err(ApiError::invalid(&mistakes).hint("GET /policies lists the policies")),
        }
    }
}

fn show(row: TokenRow) -> rest::Token {
    rest::Token {
        id: row.id,
        name: row.name,
        project: row.project.map(String::from),
        policies: row.policies,
        created_at: datetime(row.created_at),
        expires_at: row.expires_at.map(datetime),
        owner: row.owner,
    }
}

/// Whether a token is the caller's to know: their own, one of a project where
/// they may, or any when they may everywhere.
fn is_known(user: &User, row: &TokenRow) -> bool {
    let own = row.owner.is_some() && row.owner == user.id;
    own || match &row.project {
        Some(project) => user.sees(project),
        None => user.reach() == Reach::Everywhere,
    }
}

/// The tokens the caller may see, without their secrets.
#[utoipa::path(get, path = "/tokens", tag = "access",
    responses((status = 200, body = Vec<rest::Token>), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn list(
    State(app): State<App>,
    user: User,
) -> ApiResult<axum::Json<Vec<rest::Token>>> {
    let rows = app.store.token_list(None).await;
    let rows = rows.map_err(|error| ApiError::internal("listing tokens", &error))?;
    let seen = rows.into_iter().filter(|row| is_known(&user, row));
    Ok(axum::Json(seen.map(show).collect()))
}

/// Deletes a token: from now on it opens nothing.
#[utoipa::path(delete, path = "/tokens/{id}", tag = "access",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 204), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn delete(
    State(app): State<App>,
    user: User,
    Path(id): Path<TokenId>,
) -> ApiResult<StatusCode> {
    let row = app.store.token_get(id).await;
    let row = row.map_err(|error| ApiError::internal("deleting a token", &error))?;
    let known = row.is_some_and(|row| is_known(&user, &row));
    let by = user.by(app.now());
    let deleted = known && app.store.token_delete(&by, id).await.map_err(refusal)?;
    app.known_tokens.forget();
    ApiError::unless_deleted(deleted, "token", id)
}

/// The policies there are, with what each allows.
#[utoipa::path(get, path = "/policies", tag = "access",
    responses((status = 200, body = Vec<rest::PolicyInfo>),
        (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn policies() -> axum::Json<Vec<rest::PolicyInfo>> {
    let info = |policy: &Policy| rest::PolicyInfo {
        policy: policy.to_string(),
        description: policy.description().to_owned(),
    };
    axum::Json(Policy::all().iter().map(info).collect())
}
