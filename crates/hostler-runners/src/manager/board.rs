//! The jobs in memory, as their keepers last left them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hostler_core::id::JobId;
use hostler_core::runner::RunnerId;
use hostler_core::runner::job::{Job, JobEnd, JobKind, Stage};
use tokio::sync::watch;

#[derive(Default)]
struct Jobs {
    by_id: BTreeMap<JobId, Entry>,
    /// Runners that somebody asked to remove, and by which job.
    leaving: HashMap<RunnerId, JobId>,
    /// Runners that were added, and by which job.
    added: HashMap<RunnerId, JobId>,
}

struct Entry {
    seen: watch::Sender<Arc<Job>>,
    has_keeper: bool,
    /// A state of it that somebody else wrote, for its keeper to take up.
    offered: Option<Job>,
}

/// The jobs in memory.
#[derive(Default)]
pub(super) struct Board(Mutex<Jobs>);

impl Board {
    fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows a job as it is now.
    pub(super) fn show(&self, job: &Arc<Job>) {
        let mut jobs = self.jobs();
        jobs.index(job);
        match jobs.by_id.get(&job.id) {
            Some(entry) => drop(entry.seen.send_replace(Arc::clone(job))),
            None => drop(jobs.by_id.insert(
                job.id,
                Entry {
                    seen: watch::Sender::new(Arc::clone(job)),
                    has_keeper: false,
                    offered: None,
                },
            )),
        }
    }

    /// Whether the caller is to be its keeper: nobody else is.
    pub(super) fn claim(&self, id: JobId) -> bool {
        let mut jobs = self.jobs();
        let entry = jobs.by_id.get_mut(&id);
        entry.is_some_and(|entry| !std::mem::replace(&mut entry.has_keeper, true))
    }

    /// The keeper is one no longer.
    pub(super) fn unclaim(&self, id: JobId) {
        if let Some(entry) = self.jobs().by_id.get_mut(&id) {
            entry.has_keeper = false;
        }
    }

    pub(super) fn has_keeper(&self, id: JobId) -> bool {
        self.jobs()
            .by_id
            .get(&id)
            .is_some_and(|entry| entry.has_keeper)
    }

    /// A job as it is in the book, for its keeper.
    pub(super) fn offer(&self, job: Job) {
        if let Some(entry) = self.jobs().by_id.get_mut(&job.id) {
            entry.offered = Some(job);
        }
    }

    /// What was offered to the keeper since it last asked.
    pub(super) fn take_offer(&self, id: JobId) -> Option<Job> {
        self.jobs().by_id.get_mut(&id)?.offered.take()
    }

    pub(super) fn get(&self, id: JobId) -> Option<Arc<Job>> {
        Some(self.jobs().by_id.get(&id)?.seen.borrow().clone())
    }

    pub(super) fn follow(&self, id: JobId) -> Option<watch::Receiver<Arc<Job>>> {
        Some(self.jobs().by_id.get(&id)?.seen.subscribe())
    }

    pub(super) fn all(&self) -> Vec<Arc<Job>> {
        let jobs = self.jobs();
        jobs.by_id
            .values()
            .map(|entry| entry.seen.borrow().clone())
            .collect()
    }

    pub(super) fn forget(&self, id: JobId) {
        let mut jobs = self.jobs();
        jobs.by_id.remove(&id);
        jobs.leaving.retain(|_, by| *by != id);
        jobs.added.retain(|_, by| *by != id);
    }

    /// Whether somebody asked to remove it.
    pub(super) fn is_leaving(&self, id: &RunnerId) -> bool {
        self.jobs().leaving.contains_key(id)
    }

    /// The job that added it.
    pub(super) fn added_by(&self, id: &RunnerId) -> Option<JobId> {
        self.jobs().added.get(id).copied()
    }
}

impl Jobs {
    /// A removal that gave up leaves its runners as they were.
    fn index(&mut self, job: &Job) {
        let ids = job.items.iter().map(|item| item.id.clone());
        if job.kind == JobKind::Add {
            if !self.by_id.contains_key(&job.id) {
                self.added.extend(ids.map(|id| (id, job.id)));
            }
        } else {
            // One that was called off is in the job no longer.
            self.leaving.retain(|_, by| *by != job.id);
            if job.stage != Stage::Ended(JobEnd::Timeout) {
                self.leaving.extend(ids.map(|id| (id, job.id)));
            }
        }
    }
}
