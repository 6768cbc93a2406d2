//! The way into the database.

use std::sync::Arc;

use sea_orm::{DatabaseConnection, DbBackend};
use tokio::sync::{broadcast, mpsc};

use crate::error::During;
use crate::workload::insert::Waiting;
use crate::{Change, SealingKey, StoreError};

/// Which database is behind a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// A file of this process alone.
    Sqlite,
    /// A server that several control planes may share.
    Postgres,
}

/// Everything that the control plane may not forget. What is stored, and why:
///
/// | Table | Why it cannot be made again |
/// |---|---|
/// | `node` | who is in the fleet, with which key; what its seats have taken (kept in step with the seats by every transaction that moves one); until when its work is its own |
/// | `workload` | what was asked for, at which generation, where it sits. The *seen* columns could be learnt again from heartbeats; they are kept so that a restart of the control plane starts from what was known |
/// | `vm`, `vm_snapshot` | the same for VMs; what their guests are told, sealed |
/// | `vm_share` | who may use a console without an account, and until when: digests of secrets |
/// | `image` | what the files that disks are made from are |
/// | `tombstone` | that a workload or VM is gone for good, so that a node that comes back with it is told to drop it |
/// | `idempotency_key` | which request made which workload, so that a repeated request makes nothing |
/// | `artifact`, `artifact_project` | what the files named by digest are, and who may use them |
/// | `api_token`, `join_token` | who may do what: digests of secrets, never secrets |
/// | `account`, `role`, `project`, `project_member` | who people are, what was given to them, and how much their projects may have |
/// | `session`, `sign_in` | who has signed in, and who is about to: digests of secrets |
/// | `audit`, `audit_head` | what people changed, each entry sealed by the next |
/// | `access_guard` | nothing: whoever changes who may do what holds it, so that two who each leave one administrator leave one |
/// | `runner_job`, `runner_pool` | which machines were asked for and given back, and when; how often each pool was changed, so that a decision made before the last change does nothing |
/// | `operation` | how far a long change is, and who works on it |
/// | `lease` | who acts for the fleet; its number outlives every holder |
/// | `event`, `event_head` | what happened, in the order in which it became visible |
///
/// Not stored: any status. It is computed at every look.
///
/// An acknowledged change survives the death of the process and of the machine:
/// generations must never be given out twice, because a node obeys a number only
/// once. SQLite therefore runs with `synchronous=FULL` although WAL alone would
/// survive `kill -9`; changes that come at the same time share one flush.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) connections: Connections,
    pub(crate) key: SealingKey,
    pub(crate) changes: broadcast::Sender<Change>,
    pub(crate) inserts: mpsc::Sender<Waiting>,
}

/// Where statements run. SQLite has one writer, so there `write` is a single
/// connection, whose cache stays warm: waiting for it is fair and wakes at
/// once, waiting in `busy_timeout` is neither.
pub(crate) struct Connections {
    pub(crate) read: DatabaseConnection,
    pub(crate) write: DatabaseConnection,
}

impl Store {
    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.db().ping().await.during("asking whether it is there")
    }

    /// Which database is behind this store.
    pub fn backend(&self) -> Backend {
        match self.db().get_database_backend() {
            DbBackend::Postgres => Backend::Postgres,
            _ => Backend::Sqlite,
        }
    }

    /// Hints of what this process commits from now on. A receiver that falls
    /// behind loses hints, and changes of other processes give none: look at
    /// the tables on waking, and once in a while without.
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.inner.changes.subscribe()
    }

    /// For statements that change nothing.
    pub(crate) fn db(&self) -> &DatabaseConnection {
        &self.inner.connections.read
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("backend", &self.backend())
            .finish_non_exhaustive()
    }
}
