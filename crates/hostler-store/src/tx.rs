//! How a change is written: in one transaction with its events, announced only
//! after the commit.
//!
//! Rules of every transaction, so that none waits for another in a circle:
//! lease, then who may do what (`guard`), then projects by name, then runners, then nodes by
//! id, then workloads by id, then VMs by id, the head of the audit log, and the head of the
//! event log last. Dropping a transaction rolls it back.

use sea_orm::{
    DatabaseTransaction, DbBackend, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use serde_json::Value;

use crate::audit::head as audit;
use crate::error::During;
use crate::event::head;
use crate::{By, NewEvent, Store, StoreError};

/// A write transaction.
pub(crate) struct Tx<'a> {
    inner: DatabaseTransaction,
    store: &'a Store,
    by: By<'a>,
    events: Vec<head::Authored>,
}

impl Store {
    /// Begins a write transaction. On SQLite it takes the write lock at once:
    /// a lock asked for later fails as soon as two transactions have read.
    pub(crate) async fn begin<'a>(&'a self, by: &By<'a>) -> Result<Tx<'a>, StoreError> {
        let sqlite = self.db().get_database_backend() == DbBackend::Sqlite;
        let options = TransactionOptions {
            sqlite_transaction_mode: sqlite.then_some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        let inner = self
            .inner
            .connections
            .write
            .begin_with_options(options)
            .await
            .during("beginning a change")?;
        Ok(Tx {
            inner,
            store: self,
            by: *by,
            events: Vec::new(),
        })
    }
}

impl Tx<'_> {
    /// What statements of this transaction run on.
    pub(crate) fn db(&self) -> &DatabaseTransaction {
        &self.inner
    }

    /// An event of this transaction's author.
    pub(crate) fn note(&mut self, event: NewEvent) {
        self.note_by(self.by, event);
    }

    /// An event of another author, for transactions that carry several.
    pub(crate) fn note_by(&mut self, by: By<'_>, event: NewEvent) {
        self.events.push(head::Authored {
            actor: by.actor.to_owned(),
            at: by.now,
            origin: by.origin.map(str::to_owned),
            event,
        });
    }

    /// Writes the events and what of them is audited, commits, and tells whoever listens.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        let audited = self.events.iter().filter_map(head::Authored::audited);
        audit::append(&self.inner, audited.collect()).await?;
        let changes = head::append(&self.inner, self.events).await?;
        self.inner.commit().await.during("committing a change")?;
        for change in changes {
            // Nobody listening is nobody to tell.
            let _ = self.store.inner.changes.send(change);
        }
        Ok(())
    }
}

/// An event without particulars.
pub(crate) fn event(kind: &str, subject: &impl ToString, text: String) -> NewEvent {
    NewEvent {
        kind: kind.to_owned(),
        project: None,
        subject: Some(subject.to_string()),
        text,
        data: Value::Object(serde_json::Map::new()),
    }
}
