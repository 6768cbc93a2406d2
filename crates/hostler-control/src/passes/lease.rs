//! The right of one process to run a pass, for a while. It is renewed when
//! half of it is over, so that most runs of a pass write nothing for it.

use std::time::Duration;

use hostler_core::Timestamp;
use hostler_store::{Backend, Fence, StoreError};

use crate::http::error::chain;
use crate::state::App;

/// How long a lease is; a process that dies is succeeded after this.
const TERM: Duration = Duration::from_secs(10);

/// A lease that this process may hold.
pub(crate) struct PassLease {
    name: &'static str,
    held: Option<(Fence, Timestamp)>,
}

impl PassLease {
    /// Nothing is taken yet.
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name, held: None }
    }

    /// The proof that this process may act now, or `None` when another does.
    pub(crate) async fn take(&mut self, app: &App) -> Result<Option<Fence>, StoreError> {
        let now = app.now();
        if let Some((fence, taken)) = &self.held
            && now.since(*taken) < TERM / 2
        {
            return Ok(Some(fence.clone()));
        }
        let fence = app
            .store
            .lease_take(self.name, &app.holder, now, TERM)
            .await?;
        self.held = fence.clone().map(|fence| (fence, now));
        Ok(fence)
    }

    /// Notes that somebody else has it, when a write under it was refused.
    pub(crate) fn lose(&mut self) {
        self.held = None;
    }

    /// Gives it back at the end, so that a successor need not wait.
    pub(crate) async fn give_back(&mut self, app: &App) {
        let Some((fence, _)) = self.held.take() else {
            return;
        };
        if let Err(error) = app.store.lease_release(&fence, app.now()).await {
            let error = chain(&error);
            tracing::warn!(lease = self.name, %error, "a lease could not be given back");
        }
    }
}

/// What this process calls itself. SQLite belongs to one process at a time, so
/// the next life of it takes over at once; on PostgreSQL each has its own name.
pub(crate) fn holder_name(backend: Backend) -> String {
    match backend {
        Backend::Sqlite => "the one control plane".to_owned(),
        Backend::Postgres => format!("control-{}", uuid::Uuid::now_v7()),
    }
}
