//! Who calls, and whether the route lets them in.
//!
//! A user shows a session or an API token as bearer, a node its key in `X-Slave-Token`, a
//! machine that joins a join token as bearer. Secrets are found by digest in
//! the store, never compared byte by byte here. Every route says in the table
//! what it demands; [`admit`] runs before the handler and before the body is
//! read. What a policy cannot say, whose project a thing belongs to, the
//! handler asks of its [`User`]: another project's things do not exist.

mod attempts;
mod guesses;
mod known;
pub(crate) mod password;
mod proof;
mod user;

pub(crate) use attempts::LoginAttempts;
pub(crate) use guesses::Guesses;
pub(crate) use known::KnownTokens;
pub(crate) use proof::{SESSION, rights_of, still_holds};
pub(crate) use user::User;

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use hostler_core::access::{GuessVerdict, Policy};
use hostler_store::{AuditNote, NodeRow, Secret, ShareRow};
use hostler_wire::node_api::TOKEN_HEADER;

use crate::http::error::{ApiError, ApiResult};
use crate::state::App;

/// What a route demands of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Demand {
    /// Nothing: everybody may call.
    Nothing,
    /// Any session or token that is valid.
    Anyone,
    /// A token with this policy.
    Policy(Policy),
    /// Any node's key.
    Node,
    /// A token with this policy, or any node's key.
    PolicyOrNode(Policy),
    /// A token with this policy, or a join token.
    PolicyOrJoin(Policy),
    /// A token with this policy, or a share of a console.
    PolicyOrShare(Policy),
}

/// The subprotocol of consoles, and what a secret follows in another one.
pub(crate) const CONSOLE_PROTOCOL: &str = "hostler.console";
const SHARE_PROTOCOL: &str = "hostler.share.";
const TOKEN_PROTOCOL: &str = "hostler.token.";

/// In the table of routes: nothing.
pub(crate) const fn open() -> Demand {
    Demand::Nothing
}

/// In the table of routes: a policy.
pub(crate) const fn demands(policy: Policy) -> Demand {
    Demand::Policy(policy)
}

/// Whoever was admitted.
#[derive(Clone, Debug)]
pub(crate) enum Caller {
    /// Nobody was asked for.
    Anybody,
    /// An API token.
    User(User),
    /// A node's key.
    Node(Box<NodeRow>),
    /// A join token; registering spends one of its uses, if one is left by then.
    Joiner(Secret),
    /// A share, which opens the console of its own VM and nothing else.
    Guest(Box<ShareRow>),
}

/// Runs around every route of the table.
pub(crate) async fn admit(
    State((app, demand)): State<(App, Demand)>,
    request: Request,
    next: Next,
) -> ApiResult<Response> {
    let (mut parts, body) = request.into_parts();
    let caller = caller(&app, demand, &parts).await;
    let caller = caller.map_err(|refusal| put_off(&app, demand, &parts, refusal))?;
    parts.extensions.insert(caller);
    Ok(next.run(Request::from_parts(parts, body)).await)
}

/// The address a request came from, as far as it is known.
pub(crate) fn origin(extensions: &Extensions) -> Option<IpAddr> {
    let from = extensions.get::<ConnectInfo<SocketAddr>>();
    from.map(|ConnectInfo(from)| from.ip().to_canonical())
}

/// A refusal of a wrong token becomes a request to wait when there were many.
/// A right token was admitted before, so nobody waits for what others sent.
fn put_off(app: &App, demand: Demand, request: &Parts, refusal: ApiError) -> ApiError {
    let guessed = refusal.is_unauthenticated() && shows_token(demand, &request.headers);
    let from = request.extensions.get::<ConnectInfo<SocketAddr>>();
    match from.filter(|_| guessed) {
        None => refusal,
        Some(ConnectInfo(from)) => match app.guesses.wrong(from.ip(), app.now()) {
            GuessVerdict::Wrong => refusal,
            GuessVerdict::Wait(span) => {
                ApiError::wait(span, "many wrong tokens came from this address")
            }
        },
    }
}

/// Whether it was the bearer's secret that was looked at.
fn shows_token(demand: Demand, headers: &HeaderMap) -> bool {
    let as_node = match demand {
        Demand::Nothing | Demand::Node => true,
        Demand::PolicyOrNode(_) => headers.contains_key(TOKEN_HEADER),
        Demand::Anyone | Demand::Policy(_) | Demand::PolicyOrJoin(_) | Demand::PolicyOrShare(_) => {
            false
        }
    };
    let shares = matches!(demand, Demand::PolicyOrShare(_));
    let shown = shares
        && (protocol(headers, SHARE_PROTOCOL).is_some()
            || protocol(headers, TOKEN_PROTOCOL).is_some());
    !as_node && (bearer(headers).is_some() || shown)
}

async fn caller(app: &App, demand: Demand, request: &Parts) -> ApiResult<Caller> {
    let headers = &request.headers;
    match demand {
        Demand::Nothing => Ok(Caller::Anybody),
        Demand::Node => node(app, headers).await,
        Demand::PolicyOrNode(_) if headers.contains_key(TOKEN_HEADER) => node(app, headers).await,
        Demand::Anyone => known_user(app, request).await.map(Caller::User),
        Demand::Policy(policy) | Demand::PolicyOrNode(policy) => {
            let user = known_user(app, request).await?;
            let user = allowed(app, user, policy, &request.method).await?;
            Ok(Caller::User(user))
        }
        Demand::PolicyOrJoin(policy) => user_or_joiner(app, policy, request).await,
        Demand::PolicyOrShare(policy) => user_or_guest(app, policy, request).await,
    }
}

async fn known_user(app: &App, request: &Parts) -> ApiResult<User> {
    let secret = bearer(&request.headers).ok_or_else(no_token)?;
    let user = find_user(app, secret, request).await?;
    user.ok_or_else(unknown_token)
}

async fn user_or_joiner(app: &App, policy: Policy, request: &Parts) -> ApiResult<Caller> {
    let secret = bearer(&request.headers).ok_or_else(no_token)?;
    if let Some(user) = find_user(app, secret, request).await? {
        let user = allowed(app, user, policy, &request.method).await?;
        return Ok(Caller::User(user));
    }
    let found = app.store.join_token_by_secret(secret, app.now()).await;
    match found.map_err(|error| ApiError::internal("looking up a join token", &error))? {
        Some(_) => Ok(Caller::Joiner(Secret::new(secret))),
        None => Err(unknown_token()),
    }
}

/// A browser cannot set headers on a WebSocket: there a secret comes as a
/// subprotocol, which is no part of the path that logs hold.
async fn user_or_guest(app: &App, policy: Policy, request: &Parts) -> ApiResult<Caller> {
    let headers = &request.headers;
    if let Some(secret) = protocol(headers, SHARE_PROTOCOL) {
        let found = app.store.share_by_secret(secret, app.now()).await;
        let found = found.map_err(|error| ApiError::internal("looking up a share", &error))?;
        return match found {
            Some(share) => Ok(Caller::Guest(Box::new(share))),
            None => Err(ApiError::unauthenticated(
                "this share is unknown, expired or was revoked",
            )),
        };
    }
    let secret = bearer(headers).or_else(|| protocol(headers, TOKEN_PROTOCOL));
    let user = find_user(app, secret.ok_or_else(no_token)?, request).await?;
    let user = user.ok_or_else(unknown_token)?;
    let user = allowed(app, user, policy, &request.method).await?;
    Ok(Caller::User(user))
}

/// What follows this beginning of a subprotocol that is offered.
fn protocol<'a>(headers: &'a HeaderMap, start: &str) -> Option<&'a str> {
    let offered = headers.get(header::SEC_WEBSOCKET_PROTOCOL)?.to_str().ok()?;
    let mut offered = offered.split(',').map(str::trim);
    offered
        .find_map(|word| word.strip_prefix(start))
        .filter(|secret| !secret.is_empty())
}

async fn find_user(app: &App, secret: &str, request: &Parts) -> ApiResult<Option<User>> {
    let found = app.known_tokens.find(app, secret).await;
    let found = found.map_err(|error| ApiError::internal("looking up a token", &error))?;
    let from = origin(&request.extensions).map(|from| from.to_string());
    Ok(found.map(|user| user.calling_from(from.unwrap_or_default())))
}

/// The user, if they may; a change that they may not make is written down.
async fn allowed(app: &App, user: User, policy: Policy, method: &Method) -> ApiResult<User> {
    let (user, refusal) = match user.may(policy) {
        Ok(user) => return Ok(user),
        Err(refused) => refused,
    };
    if method != Method::GET {
        let note = AuditNote {
            action: policy.to_string(),
            subject: None,
            outcome: "refused",
            detail: serde_json::json!({"missing_policy": policy}),
        };
        let noted = app.store.audit_note(&user.by(app.now()), note).await;
        noted.map_err(|error| ApiError::internal("writing the audit log", &error))?;
    }
    Err(refusal)
}

async fn node(app: &App, headers: &HeaderMap) -> ApiResult<Caller> {
    let key = headers.get(TOKEN_HEADER).and_then(|key| key.to_str().ok());
    let key = key.ok_or_else(|| {
        ApiError::unauthenticated("this needs a node's key")
            .hint("nodes send theirs in the header X-Slave-Token")
    })?;
    let found = app.store.node_by_key(key).await;
    let row = found.map_err(|error| ApiError::internal("looking up a node", &error))?;
    row.map(|row| Caller::Node(Box::new(row)))
        .ok_or_else(|| ApiError::unauthenticated("no registered node has this key"))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = value.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !secret.is_empty()).then_some(secret)
}

fn no_token() -> ApiError {
    ApiError::unauthenticated("this needs a token")
        .hint("send the header authorization: Bearer <token>")
}

pub(super) fn unknown_token() -> ApiError {
    ApiError::unauthenticated("this token is unknown, expired or was deleted")
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let admitted = parts.extensions.get::<Self>().cloned();
        Ok(admitted.unwrap_or(Self::Anybody))
    }
}
