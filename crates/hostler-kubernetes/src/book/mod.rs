//! A book of jobs in `ConfigMaps`, one each; several managers read and write it.
//!
//! The revision in a job and the resource version of its `ConfigMap` together
//! make a write safe: read, compare the revision, write with the version read.
//!
//! Where `ConfigMaps` are forbidden (the seed's own Role), jobs are kept in
//! memory, and after a restart made out again from the labels of their pods.

mod pages;
mod rebuilt;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use hostler_core::id::JobId;
use hostler_core::runner::job::Job;
use hostler_runners::jobs::{BookError, JobBook, MemoryBook};
use kube::Client;

use crate::api::Failure;
use crate::settings::Settings;
use crate::watch::Hub;
use pages::Pages;

/// What a manager without the right to `ConfigMaps` goes without.
const MAPS: &str = "configmaps: get, list, create, update, delete: jobs are kept in memory, and \
    after a restart made out from their pods";

/// A book of jobs in the cluster.
pub(crate) struct Book {
    pages: Pages,
    hub: Arc<Hub>,
    manager: String,
    namespace: String,
    /// Where jobs are while they may not be written.
    memory: MemoryBook,
    is_denied: AtomicBool,
}

impl Book {
    pub(crate) fn new(client: &Client, settings: &Settings, hub: Arc<Hub>) -> Self {
        Self {
            pages: Pages::new(client, settings),
            hub,
            manager: settings.manager.clone(),
            namespace: settings.namespace.clone(),
            memory: MemoryBook::default(),
            is_denied: AtomicBool::new(false),
        }
    }

    /// Whether this failure means that jobs are to be kept in memory.
    fn denies(&self, failure: &Failure) -> bool {
        let is_denied = failure.is_denied();
        if is_denied {
            self.is_denied.store(true, Ordering::Relaxed);
            self.hub.lacks(MAPS, true);
        }
        is_denied
    }

    fn is_denied(&self) -> bool {
        self.is_denied.load(Ordering::Relaxed)
    }

    /// Jobs in memory, and those that only their pods tell of.
    async fn remembered(&self) -> Result<Vec<Job>, BookError> {
        let jobs = self.memory.list().await?;
        self.with_orphans(jobs).await
    }

    /// Adds the jobs of pods whose job is not there, and writes them down.
    async fn with_orphans(&self, mut jobs: Vec<Job>) -> Result<Vec<Job>, BookError> {
        let is_listed = self.hub.look(|world| world.placeholders.is_listed);
        if !is_listed {
            let text = "the placeholders have not been listed yet";
            return Err(BookError::Unreachable(text.to_owned()));
        }
        let found = self
            .hub
            .look(|world| rebuilt::jobs(world, &self.namespace, &self.manager));
        for job in found {
            if !jobs.iter().any(|known| known.id == job.id) {
                tracing::warn!("job {} was made out again from its pods", job.id);
                match self.insert(&job).await {
                    Ok(()) => jobs.push(job),
                    // Somebody else was at it: found by the next look.
                    Err(BookError::Conflict) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(jobs)
    }
}

#[async_trait]
impl JobBook for Book {
    async fn list(&self) -> Result<Vec<Job>, BookError> {
        if self.is_denied() {
            return self.remembered().await;
        }
        match self.pages.list().await {
            Ok(jobs) => self.with_orphans(jobs).await,
            Err(failure) if self.denies(&failure) => self.remembered().await,
            Err(failure) => Err(failure.book()),
        }
    }

    async fn insert(&self, job: &Job) -> Result<(), BookError> {
        if self.is_denied() {
            return self.memory.insert(job).await;
        }
        match self.pages.insert(job).await {
            Err(failure) if self.denies(&failure) => self.memory.insert(job).await,
            other => other.map_err(|failure| failure.book()),
        }
    }

    async fn replace(&self, job: &Job) -> Result<(), BookError> {
        if self.is_denied() {
            return self.memory.replace(job).await;
        }
        self.pages.replace(job).await
    }

    async fn remove(&self, id: JobId) -> Result<(), BookError> {
        if self.is_denied() {
            return self.memory.remove(id).await;
        }
        self.pages
            .remove(id)
            .await
            .map_err(|failure| failure.book())
    }
}
