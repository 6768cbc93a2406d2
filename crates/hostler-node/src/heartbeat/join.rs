//! Joining a fleet: once in the life of a data folder.
//!
//! The machine makes its key itself, and keeps it before it asks: an answer that
//! was lost is asked for again with the same key, also by the next start, and
//! the control plane knows by it that this is the node that it has registered.

use std::path::Path;
use std::time::Duration;

use hostler_core::Labels;
use hostler_wire::client::{ClientError, ControlClient};
use hostler_wire::rest::NodeRegister;

use crate::backoff::Backoff;
use crate::config::JoinToken;
use crate::identity::{ApiKey, Registration, RegistrationError};
use crate::report::report;

/// What a node says of itself when it joins.
#[derive(Clone, Debug)]
pub(crate) struct Joining {
    pub(crate) token: Option<JoinToken>,
    pub(crate) name: String,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) labels: Labels,
}

/// The node could not join.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JoinError {
    #[error("this node has not joined a fleet and was given no join token")]
    NoToken,
    #[error("could not read the join token")]
    Token(#[source] std::io::Error),
    #[error("could not join the fleet")]
    Refused(#[from] ClientError),
    #[error(transparent)]
    Store(#[from] RegistrationError),
}

/// Joins, however long it takes.
pub(crate) async fn join(control: &ControlClient, joining: &Joining, data: &Path) -> Registration {
    let mut pauses = Backoff::new(Duration::from_millis(250), Duration::from_secs(30));
    loop {
        match attempt(control, joining, data).await {
            Ok(registration) => {
                tracing::info!(node = %registration.node, "joined the fleet");
                return registration;
            }
            Err(error) => {
                tracing::warn!(error = %report(&error), "could not join the fleet; trying again");
            }
        }
        tokio::time::sleep(pauses.next()).await;
    }
}

async fn attempt(
    control: &ControlClient,
    joining: &Joining,
    data: &Path,
) -> Result<Registration, JoinError> {
    let token = match &joining.token {
        None => return Err(JoinError::NoToken),
        Some(JoinToken::Text(token)) => token.clone(),
        Some(JoinToken::File(path)) => std::fs::read_to_string(path).map_err(JoinError::Token)?,
    };
    let key = ApiKey::make(data)?;
    let asking = ControlClient::new(control.base(), token.trim())?;
    let answer = asking
        .node_register(&NodeRegister {
            name: joining.name.clone(),
            hostname: joining.host.clone(),
            port: joining.port,
            labels: joining.labels.clone(),
            api_key: Some(key.expose().to_owned()),
        })
        .await?;
    let registration = Registration {
        node: answer.node.id,
        api_key: ApiKey::new(answer.api_key),
        port: joining.port,
        heartbeat_ms: answer.heartbeat_ms,
    };
    registration.store(data)?;
    ApiKey::answered(data);
    Ok(registration)
}
