//! Signing in with a password, and out.
//!
//! In this order: the attempt is counted, or put off; the user is looked up; a
//! hash is compared, also where there is none; and only then it is told. So a
//! name that nobody has is answered like a wrong password, and as late.

use std::net::{IpAddr, Ipv4Addr};

use axum::extract::State;
use axum::http::{Extensions, StatusCode};
use hostler_core::access::UserName;
use hostler_store::{AuditNote, By, Secret, StoreError, UserRow};
use hostler_wire::rest;

use super::{begin, person};
use crate::http::auth::{User, origin, password};
use crate::http::error::{ApiError, ApiResult, Code};
use crate::http::extract::Json;
use crate::state::App;

/// Begins a session.
#[utoipa::path(post, path = "/auth/login", tag = "auth", request_body = rest::Login,
    responses((status = 200, body = rest::LoggedIn), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn login(
    State(app): State<App>,
    extensions: Extensions,
    Json(body): Json<rest::Login>,
) -> ApiResult<axum::Json<rest::LoggedIn>> {
    let from = origin(&extensions).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let counted = app.attempts.begin(from, &body.username, app.now());
    counted.map_err(|wait| ApiError::wait(wait, "there were many attempts to sign in"))?;
    let found = find(&app, &body.username)
        .await
        .map_err(|error| failed(&error))?;
    let (user, hash) = found.unzip();
    let hash = hash.flatten().map(|hash| hash.expose().to_owned());
    let right = password::verify(body.password, hash).await?;
    let Some(user) = user.filter(|user| right && !user.disabled) else {
        let noted = refused(&app, &body.username, from).await;
        noted.map_err(|error| failed(&error))?;
        return Err(password::wrong());
    };
    app.attempts.right(from, user.name.as_str(), app.now());
    begin(&app, &user, &from.to_string(), "password").await
}

/// A text that is no user's name is nobody's.
async fn find(app: &App, username: &str) -> Result<Option<(UserRow, Option<Secret>)>, StoreError> {
    match username.parse::<UserName>() {
        Ok(name) => app.store.user_by_name(&name).await,
        Err(_) => Ok(None),
    }
}

/// What was typed in vain may be a password in the wrong field: what cannot
/// be a name is not written down.
async fn refused(app: &App, username: &str, from: IpAddr) -> Result<(), StoreError> {
    let name = username.parse::<UserName>();
    let actor = name.map_or_else(|_| "?".to_owned(), |name| name.to_string());
    let origin = from.to_string();
    let note = AuditNote {
        action: "session.begun".to_owned(),
        subject: None,
        outcome: "refused",
        detail: serde_json::json!({"method": "password"}),
    };
    let by = By::new(&actor, app.now()).asked_from(&origin);
    app.store.audit_note(&by, note).await
}

fn failed(error: &StoreError) -> ApiError {
    ApiError::internal("signing in", error)
}

/// Ends the session that asks.
#[utoipa::path(post, path = "/auth/logout", tag = "auth",
    responses((status = 204), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn logout(State(app): State<App>, user: User) -> ApiResult<StatusCode> {
    let session = user.session.ok_or_else(|| {
        ApiError::new(Code::Conflict, "this is a token, and no session")
            .hint("take a token back with DELETE /tokens/{id}")
    })?;
    let by = user.by(app.now());
    let ended = app.store.session_delete(&by, person(&user)?, session).await;
    ended.map_err(|error| ApiError::internal("ending a session", &error))?;
    app.known_tokens.forget();
    Ok(StatusCode::NO_CONTENT)
}
