//! Operations: long, durable, cancellable changes. A worker claims one for a
//! while, does a step, and writes down that it is done; when the worker dies
//! another claims it and goes on from there. A worker whose claim was taken
//! over can write nothing more.
//!
//! Waiting and running are not stored: they follow from `due_at` and `holder`.

mod claim;
mod end;
mod list;
pub(crate) mod row;

pub(crate) use list::{ask, call_off};

use hostler_core::Timestamp;
use hostler_core::id::OperationId;
use serde_json::Value;

use crate::StoreError;

/// An operation, as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct OperationRow {
    /// Its id.
    pub id: OperationId,
    /// What it does, such as `node.drain`.
    pub kind: String,
    /// The id of what it is done to.
    pub subject: String,
    /// The project concerned.
    pub project: Option<String>,
    /// Its arguments, by kind.
    pub arguments: Value,
    /// The steps done so far, in order.
    pub steps_done: Vec<String>,
    /// Where it is, in words.
    pub progress: String,
    /// How it ended.
    pub outcome: Option<OperationOutcome>,
    /// Why it is stuck.
    pub problem: Option<String>,
    /// Whether somebody asked to call it off.
    pub cancel_asked: bool,
    /// Who works on it, or did last.
    pub holder: Option<String>,
    /// From when it may be claimed: the end of a claim, or a time to try again.
    pub due_at: Timestamp,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

impl OperationRow {
    /// Whether a worker holds it at `now`.
    pub fn is_held(&self, now: Timestamp) -> bool {
        self.outcome.is_none() && self.holder.is_some() && now < self.due_at
    }
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OperationOutcome {
    /// Every step is done.
    Done,
    /// Called off, its effects taken back.
    Undone,
    /// It cannot go on without a person.
    Stuck,
}

/// An operation to be done.
#[derive(Clone, Debug)]
pub struct NewOperation {
    /// What it does.
    pub kind: String,
    /// The id of what it is done to.
    pub subject: String,
    /// The project concerned.
    pub project: Option<String>,
    /// Its arguments, by kind.
    pub arguments: Value,
}

/// What came of asking for an operation.
#[derive(Clone, Debug, PartialEq)]
pub enum OperationInserted {
    /// It was written down.
    New(OperationRow),
    /// The same is being done to the same subject already.
    Existing(OperationRow),
}

/// Which operations to list; what is `None` does not narrow.
#[derive(Clone, Debug, Default)]
pub struct OperationFilter {
    /// Only what is done to this id.
    pub subject: Option<String>,
    /// Only of this project.
    pub project: Option<String>,
    /// Only those that have not ended.
    pub live: bool,
}

/// The right to work on an operation, until `due_at`.
#[derive(Clone, Debug, PartialEq)]
pub struct OperationClaim {
    /// The operation, as it was when claimed.
    pub row: OperationRow,
    /// The number of this claim; a later claim has a higher one.
    pub number: u64,
}

/// Why a worker could not write.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// Another worker has claimed the operation since, or it has ended.
    #[error("the operation {0} is claimed by another worker")]
    Lost(OperationId),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
