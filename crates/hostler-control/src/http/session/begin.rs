//! A session begins, however its user proved who they are.

use hostler_daemon::secret::random_secret;
use hostler_store::{By, NewSession, Secret, StoreError, UserRow};
use hostler_wire::convert::datetime;
use hostler_wire::rest;

use crate::http::auth::SESSION;
use crate::http::error::{ApiError, ApiResult};
use crate::state::App;

/// Begins a session; its secret is shown now and never again.
pub(crate) async fn begin(
    app: &App,
    user: &UserRow,
    origin: &str,
    method: &'static str,
) -> ApiResult<axum::Json<rest::LoggedIn>> {
    let now = app.now();
    let secret = format!("{SESSION}{}", random_secret());
    let new = NewSession {
        user: user.id,
        secret: Secret::new(secret.clone()),
        expires_at: now + app.sessions.longest,
        method,
    };
    let by = By::new(user.name.as_str(), now).asked_from(origin);
    let row = app.store.session_insert(&by, new).await;
    let row = row.map_err(|error| failed(&error))?;
    Ok(axum::Json(rest::LoggedIn {
        access_token: secret,
        token_type: "bearer".to_owned(),
        expires_at: datetime(row.expires_at),
    }))
}

fn failed(error: &StoreError) -> ApiError {
    ApiError::internal("beginning a session", error)
}
