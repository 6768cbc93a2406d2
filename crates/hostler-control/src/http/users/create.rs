//! Making users.

use axum::extract::State;
use axum::http::StatusCode;
use hostler_core::access::{Grants, UserName};
use hostler_store::NewUser;
use hostler_wire::rest;

use super::{failed, may_give, policies_of, refusal, rights, roles_of, show};
use crate::http::auth::{User, password};
use crate::http::error::{ApiError, ApiResult};
use crate::http::extract::Json;
use crate::state::App;

/// Makes a user. A password that is made for them is shown now and never again.
#[utoipa::path(post, path = "/users", tag = "users", request_body = rest::UserCreate,
    responses((status = 201, body = rest::UserCreated), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn create(
    State(app): State<App>,
    user: User,
    Json(body): Json<rest::UserCreate>,
) -> ApiResult<(StatusCode, axum::Json<rest::UserCreated>)> {
    let asked = Asked::read(body)?;
    may_give(&user, &rights(&app, &asked.grants).await?)?;
    let generated = asked.password.is_none().then(password::generate);
    let chosen = asked
        .password
        .or_else(|| generated.clone())
        .unwrap_or_default();
    let new = NewUser {
        name: asked.name,
        password: Some(password::hash(chosen).await?),
        grants: asked.grants,
        identity: None,
    };
    let row = app
        .store
        .user_insert(&user.by(app.now()), new)
        .await
        .map_err(refusal)?;
    let own = app
        .store
        .role_book()
        .await
        .map_err(|error| failed(&error))?;
    let answer = rest::UserCreated {
        user: show(&row, &own),
        generated_password: generated,
    };
    Ok((StatusCode::CREATED, axum::Json(answer)))
}

/// A request for a user, checked.
struct Asked {
    name: UserName,
    password: Option<String>,
    grants: Grants,
}

impl Asked {
    fn read(body: rest::UserCreate) -> ApiResult<Self> {
        let mut mistakes = Vec::new();
        let grants = Grants {
            policies: policies_of(&body.policies, &mut mistakes),
            roles: roles_of(&body.roles, &mut mistakes),
            memberships: Vec::new(),
        };
        let name = body.user.parse::<UserName>();
        match (&name, &body.password) {
            (Err(error), _) => mistakes.push(format!("user: {error}")),
            (Ok(name), Some(password)) => mistakes.extend(password::check(password, name).err()),
            (Ok(_), None) => {}
        }
        match name {
            Ok(name) if mistakes.is_empty() => Ok(Self {
                name,
                password: body.password,
                grants,
            }),
            _ => Err(ApiError::invalid(&mistakes)
                .hint("GET /policies and GET /roles list what there is")),
        }
    }
}
