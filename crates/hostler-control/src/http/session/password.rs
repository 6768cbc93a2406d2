//! Changing one's own password. It ends every other session, so that whoever
//! knew the old one is out.

use std::net::{IpAddr, Ipv4Addr};

use axum::extract::State;
use axum::http::Extensions;
use hostler_store::{Secret, StoreError};
use hostler_wire::rest;

use super::person;
use crate::http::auth::{User, origin, password};
use crate::http::error::{ApiError, ApiResult, Code};
use crate::http::extract::Json;
use crate::state::App;

/// Changes one's own password.
#[utoipa::path(post, path = "/auth/change-password", tag = "auth",
    request_body = rest::PasswordChange,
    responses((status = 200, body = rest::Message), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn change_password(
    State(app): State<App>,
    user: User,
    extensions: Extensions,
    Json(body): Json<rest::PasswordChange>,
) -> ApiResult<axum::Json<rest::Message>> {
    let id = person(&user)?;
    let row = app
        .store
        .user_get(id)
        .await
        .map_err(|error| failed(&error))?;
    let row = row.ok_or_else(password::wrong)?;
    let from = origin(&extensions).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let counted = app.attempts.begin(from, row.name.as_str(), app.now());
    counted.map_err(|wait| ApiError::wait(wait, "there were many attempts to sign in"))?;
    let found = app.store.user_by_name(&row.name).await;
    let hash = found
        .map_err(|error| failed(&error))?
        .and_then(|(_, hash)| hash);
    let hash = hash.as_ref().map(Secret::expose).map(str::to_owned);
    if !password::verify(body.current_password, hash).await? {
        return Err(ApiError::new(
            Code::BadRequest,
            "the current password is wrong",
        ));
    }
    app.attempts.right(from, row.name.as_str(), app.now());
    let checked = password::check(&body.new_password, &row.name);
    checked.map_err(|mistake| ApiError::new(Code::BadRequest, mistake))?;
    let hash = password::hash(body.new_password).await?;
    let by = user.by(app.now());
    let set = app
        .store
        .user_password_set(&by, id, &hash, user.session)
        .await;
    set.map_err(|error| failed(&error))?;
    app.known_tokens.forget();
    Ok(axum::Json(rest::Message {
        message: "the password was changed; all other sessions have ended".to_owned(),
    }))
}

fn failed(error: &StoreError) -> ApiError {
    ApiError::internal("changing a password", error)
}
