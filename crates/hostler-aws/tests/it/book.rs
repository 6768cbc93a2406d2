//! A book of jobs that can be made unreadable.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use hostler_core::id::JobId;
use hostler_core::runner::job::Job;
use hostler_runners::jobs::{BookError, JobBook, MemoryBook};

/// The book.
#[derive(Default)]
pub(crate) struct Book {
    inner: MemoryBook,
    is_closed: AtomicBool,
}

impl Book {
    /// Lets nobody read it, or again.
    pub(crate) fn close(&self, is_closed: bool) {
        self.is_closed.store(is_closed, Ordering::SeqCst);
    }
}

#[async_trait]
impl JobBook for Book {
    async fn list(&self) -> Result<Vec<Job>, BookError> {
        if self.is_closed.load(Ordering::SeqCst) {
            return Err(BookError::Unreachable("it is closed".to_owned()));
        }
        self.inner.list().await
    }

    async fn insert(&self, job: &Job) -> Result<(), BookError> {
        self.inner.insert(job).await
    }

    async fn replace(&self, job: &Job) -> Result<(), BookError> {
        self.inner.replace(job).await
    }

    async fn remove(&self, id: JobId) -> Result<(), BookError> {
        self.inner.remove(id).await
    }
}
