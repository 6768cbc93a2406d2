//! Where jobs are written down, so that they outlive this process.
//!
//! A job is written before anything of it is asked of a provider. A book may be
//! read by several managers; two that write the same job at once are told
//! apart by its revision.

mod file;
mod memory;

use async_trait::async_trait;
use hostler_core::id::JobId;
use hostler_core::runner::job::Job;

pub use file::FileBook;
pub use memory::MemoryBook;

/// A book of jobs. Every method returns within some seconds.
#[async_trait]
pub trait JobBook: Send + Sync + 'static {
    /// Every job in it, in no order; what cannot be read is logged and left out.
    async fn list(&self) -> Result<Vec<Job>, BookError>;

    /// Writes down a new job (`revision` 0). [`BookError::Conflict`] when there
    /// is one of this id: it stands, and nothing was written. After `Ok` it is
    /// durable.
    async fn insert(&self, job: &Job) -> Result<(), BookError>;

    /// Replaces a job by a later state of it. [`BookError::Conflict`] when the
    /// one in the book is not of `job.revision - 1`, or is not there.
    async fn replace(&self, job: &Job) -> Result<(), BookError>;

    /// Takes a job out. `Ok` when there is none.
    async fn remove(&self, id: JobId) -> Result<(), BookError>;
}

/// A book of jobs did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    /// Somebody else wrote the job in the meantime: read it again.
    #[error("the job was changed by somebody else")]
    Conflict,
    /// It may not be written, or does not fit; a person has to act.
    #[error("the book of jobs refuses: {0}")]
    Denied(String),
    /// Whether it was written is not known: read it again.
    #[error("the book of jobs could not be reached: {0}")]
    Unreachable(String),
}
