//! The connection to the control NATS. The server may be away when the node
//! starts, and whenever it likes later: the connection is made again by
//! itself, with all its subscriptions.

use std::path::{Path, PathBuf};

use async_nats::{Client, ConnectOptions, Event};
use hostler_wire::nats::nkey::{KeyError, signing_key};

use crate::config::{NatsLogin, NatsOptions};

/// No connection can be made with these settings.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A file could not be read.
    #[error("could not read {path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file holds no seed.
    #[error("{path} holds no seed of a user")]
    Seed {
        /// Which.
        path: PathBuf,
        /// Why.
        source: KeyError,
    },
    /// The address is none.
    #[error("could not connect to the control NATS at {url}")]
    Connect {
        /// Where.
        url: String,
        /// Why.
        source: async_nats::ConnectError,
    },
}

/// Connects; returns at once, also when nobody is there yet.
pub(super) async fn connect(options: &NatsOptions, name: &str) -> Result<Client, ConnectError> {
    let connect = match &options.login {
        NatsLogin::None => ConnectOptions::new(),
        NatsLogin::NkeyFile(path) => {
            let seed = read(path)?.trim().to_owned();
            signing_key(&seed).map_err(|source| ConnectError::Seed {
                path: path.clone(),
                source,
            })?;
            ConnectOptions::with_nkey(seed)
        }
        NatsLogin::CredsFile(path) => {
            let path = path.clone();
            ConnectOptions::with_credentials(&read(&path)?)
                .map_err(|source| ConnectError::File { path, source })?
        }
    };
    connect
        .name(format!("hostler node {name}"))
        .retry_on_initial_connect()
        .event_callback(|event| async move { note(&event) })
        .connect(servers(&options.url))
        .await
        .map_err(|source| ConnectError::Connect {
            url: options.url.clone(),
            source,
        })
}

fn servers(url: &str) -> Vec<String> {
    url.split(',').map(|url| url.trim().to_owned()).collect()
}

fn read(path: &Path) -> Result<String, ConnectError> {
    std::fs::read_to_string(path).map_err(|source| ConnectError::File {
        path: path.to_owned(),
        source,
    })
}

fn note(event: &Event) {
    match event {
        Event::Connected => tracing::info!("connected to the control NATS"),
        Event::Disconnected => tracing::warn!("lost the control NATS; connecting again"),
        Event::SlowConsumer(_) | Event::ServerError(_) => {
            tracing::warn!(%event, "trouble on the control NATS");
        }
        _ => tracing::debug!(%event, "control NATS"),
    }
}
