//! Runners: jobs that ask for machines or give them back, and what is kept of
//! each pool.
//!
//! Whoever writes here holds the whole book until its transaction ends: what a
//! decision was made from, whether a machine may still register, and whether
//! a removal may still be called off are looked at and changed as one.
//!
//! ```text
//!  removal: begun ──drained_at──▶ final       begun ──kept──▶ taken out of its job, node open
//! ```
//!
//! What must never happen: two decisions on one state of a pool both carried
//! out; a node of a runner that no open job answers for; a removal called off
//! after `drained_at`, or one that was called off carried on with.

mod book;
mod drain;
mod job;
mod link;
mod pool;
mod row;
mod scale;

use hostler_core::Timestamp;
use hostler_core::runner::PoolName;
use hostler_core::runner::demand::Failures;
use hostler_core::runner::job::Job;

use crate::{FencedError, NewEvent, StoreError};

pub(crate) use book::Book;

/// What is kept of a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolRow {
    /// Its name.
    pub name: PoolName,
    /// How often it was changed: a decision made before the last change is void.
    pub turn: u64,
    /// How it has been failing.
    pub failures: Failures,
    /// When the loop last made it larger or smaller.
    pub scaled_at: Option<Timestamp>,
}

/// A change of a pool, decided when it was at `turn`.
#[derive(Clone, Debug)]
pub struct Scaling {
    /// The pool.
    pub pool: PoolName,
    /// The turn that the decision was made from.
    pub turn: u64,
    /// How the pool has been failing from now on.
    pub failures: Failures,
    /// Whether machines come or go because of need, which starts the pause.
    pub moves: bool,
    /// The jobs that carry it out.
    pub jobs: Vec<Job>,
    /// What was decided, and why.
    pub events: Vec<NewEvent>,
}

/// What came of a change of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scaled {
    /// It is written.
    Written,
    /// The pool was changed since it was looked at; nothing was written.
    Outdated,
}

/// A job was not written.
#[derive(Debug, thiserror::Error)]
pub enum JobConflict {
    /// There is one of this id already, or it was written by somebody else.
    #[error("the job was changed by somebody else")]
    Changed,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<JobConflict> for FencedError {
    fn from(error: JobConflict) -> Self {
        let impossible = || crate::error::corrupt("job", &"one of this turn");
        match error {
            JobConflict::Store(error) => Self::Store(error),
            JobConflict::Changed => Self::Store(impossible()),
        }
    }
}
