//! A request to remove runners: who goes is decided here, once; the job's
//! keeper then sees to it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use hostler_core::Timestamp;
use hostler_core::runner::job::{Job, JobItem, JobKind, Stage};
use hostler_core::runner::removal::{Candidate, Choice, Refusal, Wish, removal_choose};
use hostler_core::runner::{PoolName, RunnerId, RunnerStatus};

use super::add::{digest, same};
use super::look::View;
use super::{Manager, ManagerError, house};
use crate::jobs::BookError;

/// A request to remove runners.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemoveRequest {
    /// How many; one if absent.
    pub count: Option<i64>,
    /// Which; the manager chooses if absent.
    pub ids: Option<Vec<String>>,
    /// From which pool the manager chooses.
    pub pool: Option<String>,
    /// Do not wait for work to leave.
    pub force: bool,
    /// How long work has to leave.
    pub drain: Option<Duration>,
    /// The idempotency key.
    pub key: Option<String>,
    /// Who asks.
    pub by: Option<String>,
}

/// What came of a request to remove runners.
#[derive(Clone, Debug)]
pub struct Removed {
    /// The job, as it is now.
    pub job: Arc<Job>,
}

/// How long an answer waits for the runners to go.
const ANSWER: Duration = Duration::from_millis(500);

impl Manager {
    /// Removes runners. The job may have ended when this returns, or go on.
    pub async fn remove(&self, request: RemoveRequest) -> Result<Removed, ManagerError> {
        self.check_loaded()?;
        self.look_again(&request).await;
        let id = self.job_id(request.key.as_deref(), request.by.as_deref());
        let digest = digest(&format!(
            "remove {:?} {:?} {:?} {}",
            request.count.unwrap_or(1),
            request.ids,
            request.pool,
            request.force
        ));
        let job = {
            let _admission = self.0.admission.lock().await;
            match self.earlier(id, &digest, &request)? {
                Some(job) => job,
                None => self.remove_enter(id, digest, &request).await?,
            }
        };
        Ok(Removed {
            job: self.settled(job).await,
        })
    }

    /// Somebody else may have added what is named a moment ago.
    async fn look_again(&self, request: &RemoveRequest) {
        let unknown = matches!(self.choose(request), Err(ManagerError::NotFound(_)));
        if unknown
            && self.rules().book_poll.is_some()
            && let Err(error) = house::read(self).await
        {
            tracing::warn!(%error, "could not read the book of jobs");
        }
    }

    /// Who would be removed.
    pub fn remove_planned(&self, request: &RemoveRequest) -> Result<Vec<RunnerId>, ManagerError> {
        self.choose(request)
    }

    /// A job that does the same already: under the same key, or for just the
    /// same runners.
    fn earlier(
        &self,
        id: hostler_core::id::JobId,
        digest: &str,
        request: &RemoveRequest,
    ) -> Result<Option<Arc<Job>>, ManagerError> {
        if let Some(job) = self.0.board.get(id) {
            return same(job, digest).map(Some);
        }
        let Some(ids) = &request.ids else {
            return Ok(None);
        };
        let wanted: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
        let is_same = |job: &Arc<Job>| {
            let ids: BTreeSet<&str> = job.items.iter().map(|item| item.id.as_str()).collect();
            let stuck = job.has_ended() && job.items.iter().any(|item| item.gone_at.is_none());
            job.kind == JobKind::Remove && ids == wanted && !stuck
        };
        Ok(self.0.board.all().into_iter().find(is_same))
    }

    async fn remove_enter(
        &self,
        id: hostler_core::id::JobId,
        digest: String,
        request: &RemoveRequest,
    ) -> Result<Arc<Job>, ManagerError> {
        let chosen = self.choose(request)?;
        let view = self.view();
        let asked = self.asked_unseen(&view);
        let item = |id: RunnerId| match view.snapshot.runners.get(&id) {
            Some(facts) => Some(JobItem::new(id, facts.pool.clone())),
            // It may still come: its removal waits for it.
            None => asked.get(&id).map(|(_, pool)| JobItem {
                asked_at: Some(view.now),
                ..JobItem::new(id, pool.clone())
            }),
        };
        let deadline = self.now() + request.drain.unwrap_or(self.rules().drain);
        let items = chosen.into_iter().filter_map(item).collect();
        let mut job = self.job(id, JobKind::Remove, deadline, items);
        job.force = request.force;
        job.asked_by.clone_from(&request.by);
        job.request_digest = request.key.as_ref().map(|_| digest.clone());
        tracing::info!("Removal job {id} started: {} runners", job.items.len());
        match self.enter(job).await {
            Err(ManagerError::Book(BookError::Conflict)) => same(self.found(id).await?, &digest),
            other => other,
        }
    }

    fn choose(&self, request: &RemoveRequest) -> Result<Vec<RunnerId>, ManagerError> {
        let wish = self.wish(request)?;
        let choice = removal_choose(&self.candidates(request)?, &wish);
        refusals(&choice)?;
        if choice.chosen.is_empty() {
            let why = if choice.floor_reached {
                format!("no runner can be removed: {} have to stay", wish.floor)
            } else {
                "there is no runner that can be removed".to_owned()
            };
            return Err(ManagerError::Bounds(why));
        }
        Ok(choice.chosen)
    }

    fn wish(&self, request: &RemoveRequest) -> Result<Wish, ManagerError> {
        let texts = request.ids.as_deref().unwrap_or_default();
        let unknown =
            |text: &String| ManagerError::NotFound(format!("there is no runner '{text}'"));
        let read = |text: &String| text.parse().map_err(|_| unknown(text));
        let ids = texts.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let count = usize::try_from(request.count.unwrap_or(1)).ok();
        let Some(count) = count.filter(|count| *count > 0) else {
            let text = "instances must be a whole number from 1";
            return Err(ManagerError::Invalid(text.to_owned()));
        };
        Ok(Wish {
            count,
            ids,
            busy_too: true,
            floor: usize::try_from(self.rules().min_runners).unwrap_or(usize::MAX),
        })
    }

    fn candidates(&self, request: &RemoveRequest) -> Result<Vec<Candidate>, ManagerError> {
        let pool: Option<PoolName> = match &request.pool {
            None => None,
            Some(name) => Some(self.known_pool(name)?),
        };
        let view = self.view();
        let facts = view.snapshot.runners.values();
        let is_meant = |of: &PoolName| pool.as_ref().is_none_or(|pool| of == pool);
        let meant = facts.filter(|facts| is_meant(&facts.pool));
        let mut candidates: Vec<_> = meant.map(|facts| self.candidate(facts, &view)).collect();
        let asked = self.asked_unseen(&view).into_iter();
        let asked = asked.filter(|(_, (_, pool))| is_meant(pool));
        candidates.extend(asked.map(|(id, (created, _))| Candidate {
            status: RunnerStatus::Pending,
            created,
            load: view.load(&id),
            is_leaving: self.0.board.is_leaving(&id),
            id,
        }));
        Ok(candidates)
    }

    /// Runners that were asked for and that the provider does not show yet:
    /// when they were asked for, and from which pool.
    fn asked_unseen(&self, view: &View) -> BTreeMap<RunnerId, (Timestamp, PoolName)> {
        let is_open = |job: &&Arc<Job>| job.kind == JobKind::Add && !job.is_rolled_back();
        let mut asked = BTreeMap::new();
        for job in self.0.board.all().iter().filter(is_open) {
            let unseen = job.items.iter().filter(|item| {
                item.gone_at.is_none() && !view.snapshot.runners.contains_key(&item.id)
            });
            let fact = |item: &JobItem| (item.id.clone(), (job.requested_at, item.pool.clone()));
            asked.extend(unseen.map(fact));
        }
        asked
    }

    fn known_pool(&self, name: &str) -> Result<PoolName, ManagerError> {
        let pools = &self.0.parts.pools;
        let found = pools.iter().find(|pool| pool.name.as_str() == name);
        let unknown = || ManagerError::Invalid(format!("there is no pool '{name}'"));
        found.map(|pool| pool.name.clone()).ok_or_else(unknown)
    }

    fn candidate(&self, facts: &hostler_core::runner::RunnerFacts, view: &View) -> Candidate {
        Candidate {
            id: facts.id.clone(),
            status: self.verdict(facts, view).status,
            created: facts.created,
            load: view.load(&facts.id),
            is_leaving: facts.is_terminating || self.0.board.is_leaving(&facts.id),
        }
    }

    /// Most removals need no more than some calls: the answer waits for that
    /// long, and says how far it is.
    async fn settled(&self, job: Arc<Job>) -> Arc<Job> {
        let Some(mut seen) = self.0.board.follow(job.id) else {
            return job;
        };
        let ended = seen.wait_for(|job| matches!(job.stage, Stage::Ended(_)));
        let ended = tokio::time::timeout(ANSWER, ended).await;
        let now = ended.ok().and_then(|job| Some(job.ok()?.clone()));
        now.or_else(|| self.0.board.get(job.id)).unwrap_or(job)
    }
}

fn refusals(choice: &Choice) -> Result<(), ManagerError> {
    let of = |why: Refusal| {
        let refused = choice
            .refused
            .iter()
            .filter(move |(_, other)| *other == why);
        refused.map(|(id, _)| id.clone()).collect::<Vec<_>>()
    };
    if let Some(id) = of(Refusal::Unknown).first() {
        return Err(ManagerError::NotFound(format!("there is no runner '{id}'")));
    }
    let busy = of(Refusal::Busy);
    if choice.chosen.is_empty() && !busy.is_empty() {
        return Err(ManagerError::Busy(busy));
    }
    Ok(())
}
