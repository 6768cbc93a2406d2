//! A book of jobs in memory: it outlives a manager, and not the process. For
//! the fake provider, whose machines end with the process too, and for tests,
//! which can make it fail.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use hostler_core::id::JobId;
use hostler_core::runner::job::Job;

use super::{BookError, JobBook};

#[derive(Debug, Default)]
struct Pages {
    jobs: BTreeMap<JobId, Job>,
    is_broken: bool,
    writes: u64,
}

/// A book in memory.
#[derive(Debug, Default)]
pub struct MemoryBook(Mutex<Pages>);

impl MemoryBook {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on it cannot be reached, or can again.
    pub fn breaks(&self, is_broken: bool) {
        self.pages().is_broken = is_broken;
    }

    /// How often it was written.
    pub fn writes(&self) -> u64 {
        self.pages().writes
    }

    fn open(&self) -> Result<MutexGuard<'_, Pages>, BookError> {
        let pages = self.pages();
        if pages.is_broken {
            return Err(BookError::Unreachable("it is broken".to_owned()));
        }
        Ok(pages)
    }
}

#[async_trait]
impl JobBook for MemoryBook {
    async fn list(&self) -> Result<Vec<Job>, BookError> {
        Ok(self.open()?.jobs.values().cloned().collect())
    }

    async fn insert(&self, job: &Job) -> Result<(), BookError> {
        let mut pages = self.open()?;
        if pages.jobs.contains_key(&job.id) {
            return Err(BookError::Conflict);
        }
        pages.writes += 1;
        pages.jobs.insert(job.id, job.clone());
        Ok(())
    }

    async fn replace(&self, job: &Job) -> Result<(), BookError> {
        let mut pages = self.open()?;
        let kept = pages.jobs.get(&job.id).map(|kept| kept.revision + 1);
        if kept != Some(job.revision) {
            return Err(BookError::Conflict);
        }
        pages.writes += 1;
        pages.jobs.insert(job.id, job.clone());
        Ok(())
    }

    async fn remove(&self, id: JobId) -> Result<(), BookError> {
        self.open()?.jobs.remove(&id);
        Ok(())
    }
}
