//! Signing in at an identity provider. Whoever begins keeps a verifier; the
//! browser is sent to the provider and back here, and from here on with a code
//! to where it was begun; code and verifier together are a session. So a
//! browser that was talked into signing in signs nobody else in: the verifier
//! is elsewhere, and the code goes to its own machine or to our own page.

use axum::extract::State;
use axum::http::{Extensions, StatusCode, header};
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use hostler_core::access::Grants;
use hostler_daemon::secret::random_secret;
use hostler_oidc::{OidcError, Proven};
use hostler_store::{
    By, Identity, NewSignIn, NewUser, SignInOutcome, SignInRow, StoreError, UserRow,
};
use hostler_wire::rest;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use std::time::Duration;

use super::begin;
use crate::http::auth::{origin, rights_of};
use crate::http::error::{ApiError, ApiResult, Code};
use crate::http::extract::{Json, Query};
use crate::http::users::refusal;
use crate::oidc::{Oidc, is_ours};
use crate::state::App;

/// How long a person may take at the provider.
const PATIENCE: Duration = Duration::from_mins(10);

fn configured(app: &App) -> ApiResult<&Oidc> {
    app.oidc.as_deref().ok_or_else(|| {
        ApiError::new(
            Code::Unavailable,
            "this control plane knows no identity provider",
        )
        .hint("sign in with name and password: POST /auth/login")
    })
}

/// Begins to sign in at the identity provider.
#[utoipa::path(post, path = "/auth/oidc/begin", tag = "auth", request_body = rest::SignInBegin,
    responses((status = 200, body = rest::SignInBegun), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn oidc_begin(
    State(app): State<App>,
    Json(body): Json<rest::SignInBegin>,
) -> ApiResult<axum::Json<rest::SignInBegun>> {
    let oidc = configured(&app)?;
    if !is_ours(&body.return_to, app.public_url.as_deref()) {
        let text = "return_to: must be on the browser's own machine (http://127.0.0.1:PORT/…) \
                    or a page of this control plane";
        return Err(ApiError::invalid(&[text.to_owned()]));
    }
    let is_digest = HEXLOWER
        .decode(body.challenge.as_bytes())
        .is_ok_and(|bytes| bytes.len() == 32);
    if !is_digest {
        let text = "challenge: must be a SHA-256 in lower-case hex".to_owned();
        return Err(ApiError::invalid(&[text]));
    }
    let begun = oidc.provider.begin().await.map_err(|error| away(&error))?;
    let new = NewSignIn {
        state: begun.state,
        nonce: begun.nonce,
        verifier: begun.verifier,
        challenge: body.challenge,
        return_to: body.return_to,
        expires_at: app.now() + PATIENCE,
    };
    let by = By::new("hostler", app.now());
    let kept = app.store.sign_in_begin(&by, new).await;
    kept.map_err(|error| failed(&error))?;
    Ok(axum::Json(rest::SignInBegun { url: begun.url }))
}

/// What the provider sends a browser back with.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
pub(crate) struct Answered {
    /// Which sign-in it answers.
    state: String,
    /// What proves who it is.
    code: Option<String>,
    /// Why it does not.
    error: Option<String>,
}

/// Where the identity provider sends browsers back to.
#[utoipa::path(get, path = "/auth/oidc/callback", tag = "auth", params(Answered),
    responses((status = 303), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn oidc_callback(
    State(app): State<App>,
    extensions: Extensions,
    Query(answer): Query<Answered>,
) -> ApiResult<Response> {
    let oidc = configured(&app)?;
    let (by, code) = (By::new("hostler", app.now()), random_secret());
    let row = app.store.sign_in_answered(&by, &answer.state, &code).await;
    let row = row.map_err(|error| failed(&error))?.ok_or_else(unknown)?;
    let proof = answer.code.ok_or_else(|| {
        let why = answer.error.unwrap_or_default();
        ApiError::new(
            Code::Unauthenticated,
            format!("the identity provider refused: {why}"),
        )
    })?;
    let proven = oidc
        .provider
        .finish(&proof, &row.verifier, &row.nonce)
        .await;
    let proven = proven.map_err(|error| away(&error))?;
    let from = origin(&extensions)
        .map(|from| from.to_string())
        .unwrap_or_default();
    let user = vouched(&app, oidc, proven, &from).await?;
    let ended = app.store.sign_in_proven(&by, &answer.state, user.id).await;
    ended.map_err(|error| failed(&error))?;
    Ok(sent_on(&row, &code))
}

fn sent_on(row: &SignInRow, code: &str) -> Response {
    let mark = if row.return_to.contains('?') {
        '&'
    } else {
        '?'
    };
    let place = format!("{}{mark}code={code}", row.return_to);
    (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response()
}

/// The user for whom the provider vouches, with what their groups give them.
async fn vouched(app: &App, oidc: &Oidc, proven: Proven, from: &str) -> ApiResult<UserRow> {
    let grants = oidc.grants(&proven.groups);
    let empty = grants == Grants::default();
    let name = proven.names.iter().find_map(|name| name.parse().ok());
    let name = name.ok_or_else(|| {
        let text = "the identity provider tells no name that can be a user's";
        ApiError::new(Code::Unauthenticated, text)
    })?;
    let new = NewUser {
        name,
        password: None,
        grants,
        identity: Some(Identity {
            issuer: oidc.provider.issuer().to_owned(),
            subject: proven.subject,
        }),
    };
    let author = new.name.to_string();
    let by = By::new(&author, app.now()).asked_from(from);
    let outcome = app.store.user_vouched(&by, new).await.map_err(refusal)?;
    app.known_tokens.forget();
    match outcome {
        SignInOutcome::User(user) if !empty => Ok(user),
        SignInOutcome::User(_) | SignInOutcome::Stranger => {
            let text = "none of your groups has a role here";
            Err(ApiError::new(Code::Unauthenticated, text).hint("ask an administrator"))
        }
        SignInOutcome::LastAdmin(user) => {
            tracing::warn!(user = %user.name, "the last administrator keeps roles that no group gives");
            Ok(user)
        }
        SignInOutcome::Disabled => Err(unknown()),
        SignInOutcome::NameTaken => {
            let text = format!("another user is named '{author}' here");
            Err(ApiError::new(Code::Conflict, text).hint("ask an administrator to rename that one"))
        }
    }
}

/// Ends signing in: a session, once.
#[utoipa::path(post, path = "/auth/oidc/redeem", tag = "auth", request_body = rest::SignInRedeem,
    responses((status = 200, body = rest::LoggedIn), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn oidc_redeem(
    State(app): State<App>,
    extensions: Extensions,
    Json(body): Json<rest::SignInRedeem>,
) -> ApiResult<axum::Json<rest::LoggedIn>> {
    let challenge = HEXLOWER.encode(&Sha256::digest(&body.verifier));
    let by = By::new("hostler", app.now());
    let user = app.store.sign_in_redeem(&by, &body.code, &challenge).await;
    let user = user.map_err(|error| failed(&error))?.ok_or_else(unknown)?;
    let found = rights_of(&app, user)
        .await
        .map_err(|error| failed(&error))?;
    let (user, _) = found.ok_or_else(unknown)?;
    let from = origin(&extensions)
        .map(|from| from.to_string())
        .unwrap_or_default();
    begin(&app, &user, &from, "oidc").await
}

fn unknown() -> ApiError {
    ApiError::new(
        Code::Unauthenticated,
        "this sign-in is unknown, over, or was used",
    )
    .hint("begin again")
}

fn away(error: &OidcError) -> ApiError {
    tracing::warn!(%error, "somebody could not be signed in at the identity provider");
    match error {
        OidcError::Address(_) | OidcError::Away(_) => ApiError::new(
            Code::Unavailable,
            "the identity provider cannot be asked now",
        ),
        OidcError::Refused(_) | OidcError::Unproven(_) => ApiError::new(
            Code::Unauthenticated,
            "the identity provider's answer proves nothing",
        ),
    }
}

fn failed(error: &StoreError) -> ApiError {
    ApiError::internal("signing in at an identity provider", error)
}
