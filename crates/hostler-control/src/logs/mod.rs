//! What workloads wrote, read back from a JetStream stream on the control
//! NATS. Nodes publish each line at `$NEX.logs.{project}.{node}.{name}.{slot}`
//! (protocol 4.4); the stream keeps the newest of them, bounded by size and
//! age. It is a convenience: nothing is decided by it, and losing it loses
//! only old lines.

mod history;
mod line;
mod stream;

pub(crate) use history::{LogError, LogHistory, Wanted};
pub(crate) use stream::LogStream;

use std::path::PathBuf;
use std::time::Duration;

use async_nats::ConnectOptions;

/// How the control plane proves itself to the control NATS.
#[derive(Clone, Debug, Default)]
pub enum NatsAuth {
    /// It need not.
    #[default]
    Open,
    /// By the seed of an nkey user, read from a file.
    NkeySeedFile(PathBuf),
    /// By a credentials file (user JWT and seed).
    CredentialsFile(PathBuf),
}

/// The control NATS.
#[derive(Clone, Debug)]
pub struct NatsOptions {
    /// Such as `nats://127.0.0.1:4222`.
    pub url: String,
    /// How to log in there.
    pub auth: NatsAuth,
}

impl NatsOptions {
    /// Whether the address is one, and the file with the secret is there.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.url
            .parse::<async_nats::ServerAddr>()
            .map_err(|error| format!("'{}' is no NATS address: {error}", self.url))?;
        let file = match &self.auth {
            NatsAuth::Open => return Ok(()),
            NatsAuth::NkeySeedFile(file) | NatsAuth::CredentialsFile(file) => file,
        };
        std::fs::File::open(file)
            .map(drop)
            .map_err(|error| format!("cannot read {}: {error}", file.display()))
    }

    /// A client that connects when the server is there, now or later, and
    /// again after every loss.
    pub(crate) async fn connect(&self) -> std::io::Result<async_nats::Client> {
        let options = match &self.auth {
            NatsAuth::Open => ConnectOptions::new(),
            NatsAuth::NkeySeedFile(file) => {
                let seed = tokio::fs::read_to_string(file).await?;
                ConnectOptions::with_nkey(seed.trim().to_owned())
            }
            NatsAuth::CredentialsFile(file) => ConnectOptions::with_credentials_file(file).await?,
        };
        options
            .name("hostler control")
            .retry_on_initial_connect()
            .request_timeout(Some(REQUEST_TIMEOUT))
            .connect(self.url.as_str())
            .await
            .map_err(std::io::Error::other)
    }
}

const REQUEST_TIMEOUT: Duration = Duration::from_secs(3);
