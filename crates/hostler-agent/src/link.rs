//! The agent's connection to its node's inner NATS, made again for ever: the
//! server between them may be killed and started at any time.
//!
//! A link counts its connections. Whoever must say something anew after each
//! one (the handshake) waits for the count to change.

use std::time::Duration;

use async_nats::{Client, ConnectOptions, Event};
use hostler_wire::agent::{AgentMetadata, subject};
use tokio::sync::watch;

/// The pause between attempts grows by this much, up to the longest.
const PAUSE_STEP: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// A server that is there and says nothing is given up after two of these.
const PING_EVERY: Duration = Duration::from_secs(10);

/// Messages that wait in the client for the connection. Log entries are at
/// most 32 KiB, so this bounds what a dead link can hold.
const WAITING: usize = 64;

/// Messages of one subscription that wait for us.
const BACKLOG: usize = 4_096;

/// The link could not even be prepared.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    /// The credentials file is missing or broken.
    #[error("cannot use the credentials file {path}")]
    Credentials {
        path: String,
        source: std::io::Error,
    },
    /// The address makes no sense.
    #[error("cannot connect to {url}")]
    Connect {
        url: String,
        source: async_nats::ConnectError,
    },
}

/// What is known of the connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Connection {
    /// How often it was made.
    pub(crate) count: u64,
    /// Whether it stands.
    pub(crate) up: bool,
}

/// Whether somebody listens at the other end: the node has answered the
/// handshake of the connection that stands. Before that, what is published is
/// lost, because the node itself may still be reconnecting.
pub(crate) struct Listener {
    pub(crate) connection: watch::Receiver<Connection>,
    /// The connection whose handshake was answered last.
    pub(crate) greeted: watch::Receiver<u64>,
}

impl Listener {
    /// Returns when somebody listens.
    pub(crate) async fn present(&mut self) {
        let connection = &self.connection;
        let listens = |greeted: &u64| {
            let now = *connection.borrow();
            now.up && now.count == *greeted
        };
        // Fails when the agent ends, and then it does not matter.
        let _ = self.greeted.wait_for(listens).await;
    }
}

/// The client, and what is known of its connection.
pub(crate) struct Link {
    pub(crate) client: Client,
    pub(crate) connection: watch::Receiver<Connection>,
}

/// Begins to connect; returns before there is a connection.
pub(crate) async fn open(metadata: &AgentMetadata) -> Result<Link, LinkError> {
    let (tell, connection) = watch::channel(Connection::default());
    let mut options = ConnectOptions::new();
    if let Some(path) = &metadata.creds {
        let failed = |source| LinkError::Credentials {
            path: path.clone(),
            source,
        };
        options = options.credentials_file(path).await.map_err(failed)?;
    }
    let url = metadata.url();
    let client = options
        .name(format!("hostler agent {}", metadata.slot))
        .custom_inbox_prefix(subject::inbox_prefix(&metadata.slot))
        .retry_on_initial_connect()
        .ignore_discovered_servers()
        .max_reconnects(None)
        .reconnect_delay_callback(pause)
        .ping_interval(PING_EVERY)
        .client_capacity(WAITING)
        .subscription_capacity(BACKLOG)
        .event_callback(move |event| {
            note(&event, &tell);
            async {}
        })
        .connect(&url)
        .await
        .map_err(|source| LinkError::Connect { url, source })?;
    Ok(Link { client, connection })
}

fn pause(attempts: usize) -> Duration {
    let steps = u32::try_from(attempts).unwrap_or(u32::MAX);
    PAUSE_STEP.saturating_mul(steps).min(LONGEST_PAUSE)
}

fn note(event: &Event, tell: &watch::Sender<Connection>) {
    match event {
        Event::Connected => tell.send_modify(|connection| {
            connection.count += 1;
            connection.up = true;
        }),
        Event::Disconnected => {
            tracing::warn!("lost the node's NATS server; reconnecting");
            tell.send_modify(|connection| connection.up = false);
        }
        other => tracing::debug!(event = %other, "the link to the node"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_short() {
        let check = |attempts, ms| assert_eq!(pause(attempts), Duration::from_millis(ms));
        check(0, 0);
        check(1, 10);
        check(7, 70);
        check(1_000, 250);
        check(usize::MAX, 250);
    }
}
