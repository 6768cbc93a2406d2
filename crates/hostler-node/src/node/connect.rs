//! The connection to the control NATS. The server may be away when the node
//! starts, and whenever it likes later: the connection is made again by
//! itself, with all its subscriptions.

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_nats::{Client, ConnectOptions, Event};
use hostler_wire::nats::nkey::{KeyError, signing_key};
use tracing::instrument::WithSubscriber as _;
use tracing::subscriber::NoSubscriber;

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
    options
        .connection()?
        .name(format!("hostler node {name}"))
        .retry_on_initial_connect()
        .event_callback(|event| async move { note(&event) })
        .connect(options.servers())
        .await
        .map_err(|source| ConnectError::Connect {
            url: options.url.clone(),
            source,
        })
}

/// Waits until the server lets this node in, but no longer than `patience`:
/// it hears of a new key by way of a file. Refusals are no news, and stay out
/// of the log.
pub(super) async fn let_in(options: &NatsOptions, patience: Duration) -> Result<(), ConnectError> {
    let attempts = async {
        loop {
            let connecting = options.connection()?.connect(options.servers());
            let quietly = connecting.with_subscriber(NoSubscriber::default());
            if quietly.await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(TRY_AGAIN).await;
        }
    };
    tokio::time::timeout(patience, attempts)
        .await
        .unwrap_or(Ok(()))
}

const TRY_AGAIN: Duration = Duration::from_millis(50);

impl NatsOptions {
    /// How a connection is made with these settings.
    pub fn connection(&self) -> Result<ConnectOptions, ConnectError> {
        let mut options = self.login.connection()?;
        if let Some(ca) = &self.tls.ca {
            options = options.add_root_certificates(ca.clone());
        }
        if let Some((certificate, key)) = &self.tls.client {
            options = options.add_client_certificate(certificate.clone(), key.clone());
        }
        Ok(if self.tls.first {
            options.tls_first()
        } else {
            options
        })
    }

    /// The addresses, each by itself.
    pub fn servers(&self) -> Vec<String> {
        let urls = self.url.split(',');
        urls.map(|url| url.trim().to_owned()).collect()
    }
}

impl NatsLogin {
    fn connection(&self) -> Result<ConnectOptions, ConnectError> {
        Ok(match self {
            // Whoever starts the node has asked the fleet before: see `fleet_nats`.
            Self::None | Self::OfFleet => ConnectOptions::new(),
            Self::User { user, password } => {
                ConnectOptions::with_user_and_password(user.clone(), password.clone())
            }
            Self::Token(token) => ConnectOptions::with_token(token.clone()),
            Self::NkeyFile(path) => {
                let seed = read(path)?.trim().to_owned();
                signing_key(&seed).map_err(|source| ConnectError::Seed {
                    path: path.clone(),
                    source,
                })?;
                ConnectOptions::with_nkey(seed)
            }
            Self::CredsFile(path) => {
                let path = path.clone();
                ConnectOptions::with_credentials(&read(&path)?)
                    .map_err(|source| ConnectError::File { path, source })?
            }
        })
    }
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
