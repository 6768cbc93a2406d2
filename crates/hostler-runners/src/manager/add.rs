//! A request to add runners: admitted, written down, and made by its keeper;
//! answered when all of its requests are made, or all are taken back.

use std::sync::Arc;
use std::time::Duration;

use hostler_core::Timestamp;
use hostler_core::id::JobId;
use hostler_core::runner::job::{Job, JobItem, JobKind, Stage, Worker};
use hostler_core::runner::{PoolName, Reason, ReasonCode, RunnerPool};
use hostler_daemon::backoff::Backoff;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{Manager, ManagerError};
use crate::jobs::BookError;

/// How long a keeper is trusted to be at making a job's requests.
const WORK: Duration = Duration::from_secs(30);
/// How much longer than its requests an answer may take.
const ANSWER: Duration = Duration::from_secs(5);
/// How often a job is withdrawn whose writing was not answered.
const WITHDRAWALS: u32 = 5;
/// The space of ids that follow from idempotency keys.
const KEYS: Uuid = Uuid::from_u128(0x6b1d_52a4_9f07_5c0e_8d3a_2f64_c1b7_e985);

/// A request to add runners.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddRequest {
    /// How many; one if absent.
    pub count: Option<i64>,
    /// From which pool; the default one if absent.
    pub pool: Option<String>,
    /// The one machine it is to be on: adoption.
    pub machine: Option<String>,
    /// The idempotency key.
    pub key: Option<String>,
    /// Who asks.
    pub by: Option<String>,
}

impl Manager {
    /// Adds runners. The job is *standing* when this returns; with a key that
    /// was used before, it is the job of then.
    pub async fn add(&self, request: AddRequest) -> Result<Arc<Job>, ManagerError> {
        let id = self.job_id(request.key.as_deref(), request.by.as_deref());
        let job = self.admit(id, &request).await?;
        self.added(&job).await
    }

    /// What [`Self::add`] would write down.
    pub fn add_planned(&self, request: &AddRequest) -> Result<Job, ManagerError> {
        self.plan(new_id(self.now()), request)
    }

    /// Who asks is part of the key: nobody meets another's job by chance.
    pub(super) fn job_id(&self, key: Option<&str>, by: Option<&str>) -> JobId {
        match key {
            Some(key) => {
                let name = format!("{}\n{key}", by.unwrap_or_default());
                JobId::from_uuid(Uuid::new_v5(&KEYS, name.as_bytes()))
            }
            None => new_id(self.now()),
        }
    }

    async fn admit(&self, id: JobId, request: &AddRequest) -> Result<Arc<Job>, ManagerError> {
        self.check_loaded()?;
        let digest = digest(&format!(
            "add {:?} {:?} {:?}",
            request.count.unwrap_or(1),
            request.pool,
            request.machine
        ));
        let _admission = self.0.admission.lock().await;
        if let Some(job) = self.0.board.get(id) {
            return same(job, &digest);
        }
        let mut job = self.plan(id, request)?;
        job.request_digest = request.key.as_ref().map(|_| digest.clone());
        match self.enter(job).await {
            Err(ManagerError::Book(BookError::Conflict)) => same(self.found(id).await?, &digest),
            other => other,
        }
    }

    /// Writes the job down and gives it a keeper; in a task of its own, because
    /// a caller that goes away must not leave a job without one.
    pub(super) async fn enter(&self, job: Job) -> Result<Arc<Job>, ManagerError> {
        let manager = self.clone();
        let entering = tokio::spawn(async move {
            let written = manager.0.parts.book.insert(&job).await;
            if let Err(error) = written {
                manager.withdraw(job.id, &error).await;
                return Err(error);
            }
            let entered = Arc::new(job.clone());
            manager.keep(job, false);
            Ok(entered)
        });
        let stopped = |_| ManagerError::Unavailable("the manager is stopping".to_owned());
        Ok(entering.await.map_err(stopped)??)
    }

    /// A job whose writing was not answered may be in the book: the next life
    /// would carry it out, though its caller was told otherwise.
    async fn withdraw(&self, id: JobId, error: &BookError) {
        let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(1));
        for _ in 0..WITHDRAWALS {
            let is_known = !matches!(error, BookError::Unreachable(_));
            if is_known || self.0.parts.book.remove(id).await.is_ok() {
                return;
            }
            tokio::time::sleep(backoff.pause()).await;
        }
        tracing::error!(job = %id, "may be in the book of jobs, and be carried out later");
    }

    /// A job of this id, written by another manager.
    pub(super) async fn found(&self, id: JobId) -> Result<Arc<Job>, ManagerError> {
        let jobs = self.0.parts.book.list().await?;
        let found = jobs.into_iter().find(|job| job.id == id);
        let job = Arc::new(found.ok_or(BookError::Conflict)?);
        self.0.board.show(&job);
        Ok(job)
    }

    pub(super) fn check_loaded(&self) -> Result<(), ManagerError> {
        if *self.0.is_loaded.borrow() {
            return Ok(());
        }
        let text = "the manager is starting: it has not read its jobs yet";
        Err(ManagerError::Unavailable(text.to_owned()))
    }

    fn plan(&self, id: JobId, request: &AddRequest) -> Result<Job, ManagerError> {
        let count = self.count(request.count)?;
        let pool = self.pool_for(request.pool.as_deref(), count)?;
        let items = (0..count).map(|index| JobItem {
            machine: request.machine.clone(),
            ..JobItem::new(Job::runner_id(id, index), pool.clone())
        });
        let now = self.now();
        let mut job = self.job(id, JobKind::Add, now + self.rules().wait, items.collect());
        job.asked_by.clone_from(&request.by);
        job.stage = Stage::Asked;
        Ok(job)
    }

    /// A job without anything that is special to its kind.
    pub(super) fn job(
        &self,
        id: JobId,
        kind: JobKind,
        deadline: Timestamp,
        items: Vec<JobItem>,
    ) -> Job {
        let now = self.now();
        let name = self.rules().name.clone();
        Job {
            id,
            revision: 0,
            kind,
            wait_for: self.rules().wait_for,
            stage: Stage::Standing,
            requested_at: now,
            deadline,
            asked_by: None,
            request_digest: None,
            worker: Some(Worker {
                name,
                until: now + WORK,
            }),
            force: false,
            items,
            reason: None,
            ended_at: None,
            late: false,
        }
    }

    fn count(&self, count: Option<i64>) -> Result<u32, ManagerError> {
        let most = self.rules().max_add;
        let count = u32::try_from(count.unwrap_or(1)).ok();
        count
            .filter(|count| (1..=most).contains(count))
            .ok_or_else(|| {
                ManagerError::Invalid(format!("instances must be a whole number from 1 to {most}"))
            })
    }

    /// The pool that is asked: the one named, or when that rests or is full,
    /// the first of its fallbacks that does not and is not.
    fn pool_for(&self, name: Option<&str>, count: u32) -> Result<PoolName, ManagerError> {
        let name = name.unwrap_or(PoolName::DEFAULT);
        let pools = &self.0.parts.pools;
        let found = pools.iter().find(|pool| pool.name.as_str() == name);
        let pool =
            found.ok_or_else(|| ManagerError::Invalid(format!("there is no pool '{name}'")))?;
        let now = self.now();
        let others = pool.fallback.iter().filter_map(|name| self.pool(name));
        let fits: Vec<_> = std::iter::once(pool)
            .chain(others)
            .filter(|pool| self.fits(pool, count))
            .collect();
        let awake = fits
            .iter()
            .find(|pool| self.0.rests.of(&pool.name, now).is_none());
        match awake.or(fits.first()) {
            Some(pool) => Ok(pool.name.clone()),
            None => Err(ManagerError::Bounds(format!(
                "pool '{name}' may have {} runners, and {count} more would be too many",
                pool.bounds_at(now).max
            ))),
        }
    }

    fn fits(&self, pool: &RunnerPool, count: u32) -> bool {
        let there = u32::try_from(self.pool_size(&pool.name)).unwrap_or(u32::MAX);
        there.saturating_add(count) <= pool.bounds_at(self.now()).max
    }

    /// Waits until all requests are made, or taken back.
    async fn added(&self, job: &Job) -> Result<Arc<Job>, ManagerError> {
        let gone = || ManagerError::Unavailable("the manager is stopping".to_owned());
        let mut seen = self.0.board.follow(job.id).ok_or_else(gone)?;
        let settled = seen.wait_for(|job| !matches!(job.stage, Stage::Asked | Stage::RollingBack));
        let patience = self.rules().ask_patience + ANSWER;
        let settled = tokio::time::timeout(patience, settled).await;
        let job = match settled {
            Ok(Ok(job)) => job.clone(),
            Ok(Err(_)) => return Err(gone()),
            Err(_) => self.0.board.get(job.id).ok_or_else(gone)?,
        };
        match job.stage {
            Stage::Asked => Err(refusal(unanswered())),
            _ if job.is_rolled_back() => {
                Err(refusal(job.reason.clone().unwrap_or_else(unanswered)))
            }
            _ => Ok(job),
        }
    }
}

fn unanswered() -> Reason {
    let text = "the provider has not answered in time; the job goes on";
    Reason::new(ReasonCode::ProviderUnreachable, text)
}

fn refusal(reason: Reason) -> ManagerError {
    let retry_after = match reason.code {
        ReasonCode::Throttled | ReasonCode::ProviderUnreachable => Some(Duration::from_secs(10)),
        ReasonCode::QuotaExceeded | ReasonCode::NoCapacity => Some(Duration::from_mins(1)),
        _ => None,
    };
    ManagerError::Refused {
        reason,
        retry_after,
    }
}

/// The job of an earlier request with this key, if that asked for the same.
pub(super) fn same(job: Arc<Job>, digest: &str) -> Result<Arc<Job>, ManagerError> {
    if job.request_digest.as_deref() == Some(digest) {
        Ok(job)
    } else {
        Err(ManagerError::KeyReused)
    }
}

pub(super) fn digest(text: &str) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(text)[..16])
}

fn new_id(now: Timestamp) -> JobId {
    JobId::from_parts(now.ms().unsigned_abs(), rand::random())
}
