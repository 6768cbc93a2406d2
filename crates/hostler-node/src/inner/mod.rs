//! The inner `nats-server`: the child through which the node and its agents
//! speak, on loopback, on a port chosen once.
//!
//! ```text
//!  start ─▶ one of ours runs and answers? ── yes ─▶ adopted
//!                 │ no: write the configuration, start, wait for its INFO
//!                 ▼
//!            supervised: when it dies it is started again, after a pause
//! ```
//!
//! It outlives the node's daemon as the agents do, and is found again by its
//! command line, so there is no moment in which a crash loses sight of it.
//! Its death costs a reconnect only: it keeps nothing, the port stays the
//! same, and every credential stays valid because the keys do.
//!
//! What must never happen: two servers for one data folder; a key in a file
//! that others can read; an agent that can use another agent's subjects.

mod auth;
mod error;
mod greeting;
mod keeper;
mod port;
mod server;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use chrono::Utc;
use hostler_core::id::SlotId;
use hostler_wire::nats::server::Authority;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::server::Server;

pub use error::InnerError;

/// What the inner server is started with.
pub(crate) struct InnerOptions {
    /// The folder for its keys, configuration and log.
    pub(crate) folder: PathBuf,
    /// The `nats-server` program.
    pub(crate) program: PathBuf,
    /// Whether agents hold the port, so that it may not change.
    pub(crate) port_held: bool,
}

/// The running server.
pub(crate) struct Inner {
    authority: Authority,
    server: Arc<Server>,
    keeper: CancellationToken,
}

impl Inner {
    /// Adopts or starts the server and keeps it running until `stop`, which
    /// leaves it running.
    pub(crate) async fn start(
        options: InnerOptions,
        stop: &CancellationToken,
        tasks: &TaskTracker,
    ) -> Result<Self, InnerError> {
        let folder = server::folder_make(&options.folder)?;
        let authority = auth::load(&folder)?;
        let held = options.port_held || server::find(&folder).is_some();
        let port = port::load(&folder, held)?;
        let server = Arc::new(Server::new(options.program, folder, port));
        let id = server.adopt_or_start(&authority).await?;
        let keeper = stop.child_token();
        tasks.spawn(keeper::keep(
            Arc::clone(&server),
            authority.clone(),
            id,
            keeper.clone(),
        ));
        Ok(Self {
            authority,
            server,
            keeper,
        })
    }

    /// Its port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.server.port()
    }

    /// Credentials for the node, in the form of a `.creds` file: every subject.
    pub(crate) fn node_credentials(&self) -> Result<String, InnerError> {
        Ok(self.authority.node_creds(Utc::now())?)
    }

    /// Credentials for one agent: its own subjects only.
    pub(crate) fn agent_credentials(&self, slot: SlotId) -> Result<String, InnerError> {
        Ok(self.authority.agent_creds(&slot.to_string(), Utc::now())?)
    }

    /// Stops the server for good.
    pub(crate) async fn shutdown(&self) {
        self.keeper.cancel();
        self.server.stop().await;
    }
}
