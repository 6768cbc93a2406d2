//! Making workloads. Inserts that come at the same time share a transaction
//! and its flush to disk: a caller puts its row into a queue, and a task
//! writes what has gathered there while the group before was being written.
//! Nobody waits for company: a lone row is written at once.
//!
//! A row that the database refuses outright (a text it cannot keep) would take
//! its whole group along, so a failed group is written again row by row.

mod batch;
mod key;

use std::sync::{Arc, Weak};

use hostler_core::id::WorkloadId;
use hostler_core::{Generation, Timestamp};
use tokio::sync::{Mutex, mpsc, oneshot};

use super::row::Model;
use super::{IdempotencyKey, InsertError, Inserted, NewWorkload};
use crate::column::{json, moment, signed};
use crate::store::Inner;
use crate::word::Word;
use crate::{By, Store, StoreError};

/// How many rows may wait; further callers wait for a place.
pub(crate) const QUEUE: usize = 1_024;

/// The most rows in one transaction.
const GROUP: usize = 256;

type Outcome = Result<Inserted, InsertError>;

/// A row that waits to be written, and who waits for the answer.
pub(crate) struct Waiting {
    draft: Draft,
    answer: oneshot::Sender<Outcome>,
}

/// A row ready to be written.
struct Draft {
    row: Model,
    key: Option<IdempotencyKey>,
    actor: String,
    now: Timestamp,
    origin: Option<String>,
}

impl Draft {
    fn by(&self) -> By<'_> {
        By {
            actor: &self.actor,
            now: self.now,
            origin: self.origin.as_deref(),
        }
    }
}

impl Store {
    /// Makes a workload, once per idempotency key, with a name that no other
    /// workload of its project has, of an artifact that its project holds.
    /// When the caller goes away before the answer, it is made all the same.
    pub async fn workload_insert(
        &self,
        by: &By<'_>,
        new: NewWorkload,
        idempotency: Option<IdempotencyKey>,
    ) -> Result<Inserted, InsertError> {
        let draft = Draft {
            row: self.workload_draft(by.now, new)?,
            key: idempotency,
            actor: by.actor.to_owned(),
            now: by.now,
            origin: by.origin.map(str::to_owned),
        };
        let (answer, outcome) = oneshot::channel();
        let waiting = Waiting { draft, answer };
        self.inner
            .inserts
            .send(waiting)
            .await
            .map_err(|_| StoreError::Closed)?;
        outcome.await.map_err(|_| StoreError::Closed)?
    }

    /// The row as it is at first: wanted or not, without a seat, unseen.
    fn workload_draft(&self, now: Timestamp, new: NewWorkload) -> Result<Model, StoreError> {
        let unix_ms = now.ms().max(0).unsigned_abs();
        let id = WorkloadId::from_parts(unix_ms, rand::random());
        let NewWorkload {
            spec,
            environment,
            goal,
        } = new;
        Ok(Model {
            id: id.uuid(),
            project: spec.project.into(),
            name: spec.name.into(),
            kind: spec.kind.word().to_owned(),
            artifact: spec.artifact,
            argv: json(&spec.argv),
            triggers: json(&spec.triggers),
            essential: spec.essential,
            cpu: signed(spec.resources.cpu.as_millis()),
            memory: signed(spec.resources.memory.get()),
            pids: spec.pids.into(),
            labels: json(&spec.labels),
            rules: spec.rules,
            on_node_loss: spec.on_node_loss.word().to_owned(),
            description: spec.description,
            environment: self.seal_environment(id, &environment)?,
            environment_names: json(&environment.keys().collect::<Vec<_>>()),
            goal: goal.word().to_owned(),
            generation: signed(Generation::FIRST.number()),
            seat: None,
            seen_generation: None,
            seen_state: None,
            seen_slot: None,
            seen_restarts: 0,
            seen_problem: None,
            seen_at: None,
            reason: None,
            created_at: moment(now),
        })
    }
}

/// Writes group after group until the last [`Store`] is gone. Several of these
/// may share a queue: while one waits for the database, another gathers.
pub(crate) async fn write_groups(store: Weak<Inner>, queue: Arc<Mutex<mpsc::Receiver<Waiting>>>) {
    loop {
        let mut group = Vec::new();
        if queue.lock().await.recv_many(&mut group, GROUP).await == 0 {
            return;
        }
        let Some(inner) = store.upgrade() else { return };
        let (drafts, answers): (Vec<_>, Vec<_>) = group
            .into_iter()
            .map(|waiting| (waiting.draft, waiting.answer))
            .unzip();
        let outcomes = write_group(&Store { inner }, &drafts).await;
        for (answer, outcome) in answers.into_iter().zip(outcomes) {
            // A caller that went away wants no answer.
            let _ = answer.send(outcome);
        }
    }
}

async fn write_group(store: &Store, drafts: &[Draft]) -> Vec<Outcome> {
    match batch::write(store, drafts).await {
        Ok(outcomes) => outcomes,
        Err(error) if drafts.len() == 1 => vec![Err(error.into())],
        Err(error) => {
            refused(&error, drafts.len());
            write_singly(store, drafts).await
        }
    }
}

fn refused(error: &(dyn std::error::Error + 'static), rows: usize) {
    tracing::warn!(
        error,
        rows,
        "a group of workloads was refused; writing each alone"
    );
}

async fn write_singly(store: &Store, drafts: &[Draft]) -> Vec<Outcome> {
    let mut outcomes = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let alone = batch::write(store, std::slice::from_ref(draft)).await;
        let outcome = alone.map(|mut outcomes| outcomes.pop());
        outcomes.push(match outcome {
            Ok(outcome) => outcome.unwrap_or(Err(StoreError::Closed.into())),
            Err(error) => Err(error.into()),
        });
    }
    outcomes
}
