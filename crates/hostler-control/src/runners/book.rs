//! The book of jobs, as rows of the store.

use async_trait::async_trait;
use hostler_core::id::JobId;
use hostler_core::runner::job::Job;
use hostler_runners::jobs::{BookError, JobBook};
use hostler_store::{By, JobConflict, Store, StoreError};

use super::Ground;
use crate::http::error::chain;
use crate::options::Clock;

/// The book of jobs.
pub(super) struct StoreBook {
    store: Store,
    clock: Clock,
}

impl StoreBook {
    pub(super) fn new(ground: &Ground) -> Self {
        Self {
            store: ground.store.clone(),
            clock: ground.clock.clone(),
        }
    }

    fn by<'a>(&self, job: &'a Job) -> By<'a> {
        By::new(job.asked_by.as_deref().unwrap_or("hostler"), (self.clock)())
    }
}

fn unreachable(error: &StoreError) -> BookError {
    BookError::Unreachable(chain(error))
}

fn refused(error: &JobConflict) -> BookError {
    match error {
        JobConflict::Changed => BookError::Conflict,
        JobConflict::Store(error) => unreachable(error),
    }
}

#[async_trait]
impl JobBook for StoreBook {
    async fn list(&self) -> Result<Vec<Job>, BookError> {
        let jobs = self.store.runner_job_list().await;
        jobs.map_err(|error| unreachable(&error))
    }

    async fn insert(&self, job: &Job) -> Result<(), BookError> {
        let written = self.store.runner_job_insert(&self.by(job), job).await;
        written.map_err(|error| refused(&error))
    }

    async fn replace(&self, job: &Job) -> Result<(), BookError> {
        let by = By::new("hostler", (self.clock)());
        let written = self.store.runner_job_replace(&by, job).await;
        written.map_err(|error| refused(&error))
    }

    async fn remove(&self, id: JobId) -> Result<(), BookError> {
        let by = By::new("hostler", (self.clock)());
        let removed = self.store.runner_job_remove(&by, id).await;
        removed.map_err(|error| unreachable(&error))
    }
}
