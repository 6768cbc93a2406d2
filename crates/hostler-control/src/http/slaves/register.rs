//! Registration: by hand with a policy, or by the machine with a join token,
//! which is spent in the transaction that writes the node.

use axum::extract::State;
use axum::http::StatusCode;
use hostler_core::access::Policy;
use hostler_core::runner::RunnerId;
use hostler_core::runner::member::runner_of;
use hostler_core::{Labels, Name};
use hostler_daemon::secret::random_secret;
use hostler_store::{By, NewNode, NodeRegisterError, NodeRegistration, Secret};
use hostler_wire::rest;
use std::sync::atomic::Ordering;

use super::show::show_node;
use crate::http::auth::{Caller, unknown_token};
use crate::http::error::{ApiError, ApiResult, Code};
use crate::http::extract::Json;
use crate::runners::Runners;
use crate::state::App;

/// Registers a node and gives it its key.
#[utoipa::path(post, path = "/slaves", tag = "nodes", request_body = rest::NodeRegister,
    responses((status = 201, body = rest::NodeRegistered),
        (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn register(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<rest::NodeRegister>,
) -> ApiResult<(StatusCode, axum::Json<rest::NodeRegistered>)> {
    let (actor, join) = match &caller {
        Caller::User(user) => (user.actor().name.clone(), None),
        Caller::Joiner(secret) => (body.name.clone(), Some(secret)),
        Caller::Anybody | Caller::Node(_) | Caller::Guest(_) => {
            return Err(ApiError::missing_policy(Policy::NodesCreate));
        }
    };
    let made = || format!("hn_{}", random_secret());
    let key = body.api_key.clone().unwrap_or_else(made);
    let mut new = new_node(body, Secret::new(key.clone()))?;
    if let Some(runners) = &app.runners {
        new.runner = runner(runners, &new.labels)?;
    }
    let by = By::new(&actor, app.now());
    let registered = app.store.node_register(&by, new, join).await;
    let NodeRegistration { node, is_new } = registered.map_err(refusal)?;
    app.fleet_size
        .fetch_add(usize::from(is_new), Ordering::Relaxed);
    let answer = rest::NodeRegistered {
        node: show_node(node, app.now(), &app.timing),
        api_key: key,
        heartbeat_ms: u64::try_from(app.timing.heartbeat.as_millis()).unwrap_or(u64::MAX),
    };
    Ok((StatusCode::CREATED, axum::Json(answer)))
}

fn new_node(body: rest::NodeRegister, key: Secret) -> ApiResult<NewNode> {
    let mut mistakes = Vec::new();
    let name = body.name.parse::<Name>();
    if let Err(error) = &name {
        mistakes.push(format!("name: {error}"));
    }
    if !is_host(&body.hostname) {
        mistakes.push(format!(
            "hostname: '{}' is no address or host name",
            body.hostname
        ));
    }
    if body.port == 0 {
        mistakes.push("port: is zero".to_owned());
    }
    if !is_key(key.expose()) {
        mistakes.push("api_key: is hn_ and at least 32 letters or digits".to_owned());
    }
    match name {
        Ok(name) if mistakes.is_empty() => Ok(NewNode {
            name,
            hostname: body.hostname,
            port: body.port,
            labels: body.labels,
            runner: None,
            key,
        }),
        _ => Err(ApiError::invalid(&mistakes)),
    }
}

/// Whether nobody guesses it, as nobody guesses those made here.
fn is_key(text: &str) -> bool {
    let secret = text.strip_prefix("hn_").unwrap_or_default();
    let is_plain = secret.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (32..=128).contains(&secret.len()) && is_plain
}

/// The runner whose machine this is, as its provider told it or shows it. What
/// is not shown yet, the pass that scales finds later.
fn runner(runners: &Runners, labels: &Labels) -> ApiResult<Option<RunnerId>> {
    let snapshot = runners.options.provider.snapshots().borrow().clone();
    let shown = snapshot.runners.values().map(AsRef::as_ref);
    let mistake = |error| ApiError::invalid(&[format!("labels.runner: {error}")]);
    runner_of(labels, shown).map_err(mistake)
}

/// It becomes the host of a URL that the control plane calls with a secret,
/// so it may hold nothing that means something else there.
fn is_host(text: &str) -> bool {
    if text.parse::<std::net::IpAddr>().is_ok() {
        return true;
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    (1..=253).contains(&text.len()) && text.bytes().all(allowed) && !text.contains("..")
}

fn refusal(error: NodeRegisterError) -> ApiError {
    match error {
        NodeRegisterError::NameTaken(_) => ApiError::new(Code::Conflict, error.to_string())
            .hint("choose another name, or unregister that node first"),
        NodeRegisterError::JoinRefused => unknown_token(),
        NodeRegisterError::Unwanted(_) => ApiError::new(Code::Conflict, error.to_string())
            .hint("ask for a runner with POST /runners/add"),
        NodeRegisterError::Store(error) => ApiError::internal("registering a node", &error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_as_long_as_those_made_here() {
        assert!(is_key(&format!("hn_{}", random_secret())));
        let short = format!("hn_{}", "a".repeat(31));
        let spaced = format!("hn_{} a", "a".repeat(32));
        for bad in ["", "hn_", &short, &spaced, &"a".repeat(40)] {
            assert!(!is_key(bad), "{bad}");
        }
    }

    #[test]
    fn a_host_is_an_address_or_a_name_and_nothing_that_ends_it_early() {
        for good in ["10.0.0.7", "::1", "node-3.example.org", "localhost"] {
            assert!(is_host(good), "{good}");
        }
        for bad in ["", "a/b", "a:80", "user@a", "a b", "a..b", "a?x", "a#b"] {
            assert!(!is_host(bad), "{bad}");
        }
    }
}
