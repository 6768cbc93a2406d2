//! The keeper of a job: the only one that changes it.
//!
//! Look, decide, act, write down; then wait until something changes. What must
//! be known after a crash is written before it is acted upon; what can be seen
//! again is written a little later, in one go.

use std::sync::Arc;
use std::time::Duration;

use hostler_core::Timestamp;
use hostler_core::runner::job::{Job, JobEnd, JobKind, JobNews, JobStep, Stage, job_step};
use hostler_core::runner::{PoolName, Reason};
use hostler_daemon::backoff::Backoff;
use tokio::time::Instant;

use super::Manager;
use super::count;
use super::look::View;
use crate::jobs::BookError;

/// The longest that an observation is not written down.
const WRITE_AFTER: Duration = Duration::from_millis(500);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// When to look again.
pub(super) enum Next {
    /// At once.
    Now,
    /// When something changes, or at this moment.
    Change(Option<Timestamp>),
    /// When something changes, or after a pause that grows: something failed.
    Retry,
}

/// The keeper of one job.
pub(super) struct Keeper {
    pub(super) manager: Manager,
    pub(super) job: Job,
    /// The job as it is in the book.
    written: Job,
    /// Since when there is something that is not in the book.
    unwritten_since: Option<Instant>,
    /// Until when a provider that does not answer is asked again.
    pub(super) patience: Timestamp,
    backoff: Backoff,
}

impl Manager {
    /// Becomes the job's keeper, if nobody is. A job that was found in the book
    /// is asked for until its deadline; nobody waits for its answer.
    pub(super) fn keep(&self, job: Job, is_found: bool) {
        self.0.board.show(&Arc::new(job.clone()));
        if !self.0.board.claim(job.id) {
            return;
        }
        let soon = self.now() + self.rules().ask_patience;
        let patience = if is_found {
            job.deadline.max(soon)
        } else {
            soon
        };
        let keeper = Keeper {
            manager: self.clone(),
            written: job.clone(),
            job,
            unwritten_since: None,
            patience,
            backoff: Backoff::new(FIRST_PAUSE, LONGEST_PAUSE),
        };
        self.spawn(keeper.run());
    }
}

impl Keeper {
    async fn run(mut self) {
        let id = self.job.id;
        let manager = self.manager.clone();
        let _ = manager
            .0
            .stop
            .clone()
            .run_until_cancelled(self.look_after())
            .await;
        manager.0.board.unclaim(id);
    }

    async fn look_after(&mut self) {
        let mut snapshots = self.manager.0.parts.provider.snapshots();
        let mut members = self.manager.0.parts.fleet.members();
        let mut leads = self.manager.0.parts.leads.clone();
        loop {
            // Seen as changed only by what comes after this look.
            snapshots.mark_unchanged();
            members.mark_unchanged();
            let manager = self.manager.clone();
            let woken = manager.0.wake.notified();
            // On the heap, for as long as they take: a keeper mostly waits, and
            // there are as many as there are jobs.
            let next = Box::pin(self.turn()).await;
            if Box::pin(self.is_done()).await {
                return;
            }
            let pause = match next {
                Next::Now => continue,
                Next::Change(at) => self.pause_until(at),
                Next::Retry => Some(self.backoff.pause()),
            };
            tokio::select! {
                Ok(()) = snapshots.changed() => {}
                Ok(()) = members.changed() => {}
                Ok(()) = leads.changed() => {}
                () = woken => {}
                () = sleep(pause) => {}
            }
        }
    }

    async fn turn(&mut self) -> Next {
        self.take_up();
        let view = self.manager.view();
        // Requests can be made unseen; everything else begins with a look.
        if !view.snapshot.is_synced && self.job.stage != Stage::Asked {
            return Next::Change(None);
        }
        if view.snapshot.is_synced {
            let news = self.manager.observe(&mut self.job, &view);
            for (index, news) in &news {
                self.tell(*index, news, &view);
            }
        }
        let next = match self.job.kind {
            JobKind::Add => self.add_step(&view).await,
            JobKind::Remove => self.removal_turn(&view).await,
        };
        self.show();
        self.write_later().await;
        if !matches!(next, Next::Retry) {
            self.backoff.reset();
        }
        next
    }

    /// What somebody else wrote stands; what was seen in between is seen again.
    fn take_up(&mut self) {
        let offered = self.manager.0.board.take_offer(self.job.id);
        if let Some(offered) = offered.filter(|job| job.revision > self.written.revision) {
            self.wrote(offered);
        }
    }

    /// After a writing that failed: the job as it is in the book.
    pub(super) fn back_to_written(&mut self) {
        self.job = self.written.clone();
    }

    async fn add_step(&mut self, view: &View) -> Next {
        let sights = self.manager.sights(&self.job, view);
        let rules = self.manager.rules().jobs;
        match job_step(&self.job, &sights, &rules, view.now) {
            JobStep::Ask(indexes) if self.job.stage == Stage::Asked => self.ask_all(&indexes).await,
            JobStep::Ask(indexes) => self.ask_again(&indexes).await,
            JobStep::Release(indexes) => self.give_back(&indexes).await,
            JobStep::Move(moves) => self.relocate(moves).await,
            JobStep::Stand => self.stand().await,
            JobStep::End(end, reason) => self.end(end, reason).await,
            JobStep::Wait(at) => Next::Change(at),
        }
    }

    pub(super) async fn stand(&mut self) -> Next {
        self.job.stage = Stage::Standing;
        let (id, count) = (self.job.id, self.job.items.len());
        if !self.write().await {
            self.job.stage = Stage::Asked;
            return Next::Retry;
        }
        tracing::info!("Background job {id} started: waiting for {count} pods to be scheduled");
        Next::Now
    }

    async fn relocate(&mut self, moves: Vec<(usize, PoolName)>) -> Next {
        let before = self.job.clone();
        for (index, pool) in moves {
            let item = &mut self.job.items[index];
            tracing::warn!(
                "Pod {} is asked from pool {pool}: {} has no capacity",
                item.id,
                item.pool
            );
            item.tried.push(std::mem::replace(&mut item.pool, pool));
            item.is_moving = true;
        }
        if self.write().await {
            return Next::Now;
        }
        self.job = before;
        Next::Retry
    }

    pub(super) async fn end(&mut self, end: JobEnd, reason: Option<Reason>) -> Next {
        let before = self.job.clone();
        self.job.late = before.has_ended();
        self.job.stage = Stage::Ended(end);
        self.job.reason = reason;
        self.job.ended_at = Some(self.manager.now());
        if !self.write().await {
            self.job = before;
            return Next::Retry;
        }
        self.tell_end(end);
        count::ended(&self.job);
        Next::Now
    }

    fn tell(&self, index: usize, news: &JobNews, view: &View) {
        let item = &self.job.items[index];
        let id = &item.id;
        match news {
            JobNews::Scheduled(node) => {
                tracing::info!("Pod {id} scheduled to node {node}");
                tracing::info!("Pod {id} successfully scheduled to node");
                self.manager.0.rests.gave(&item.pool);
                count::scheduled(view.now.since(self.job.requested_at));
            }
            JobNews::Ready => {
                tracing::info!("Runner {id} is ready");
                count::ready(view.now.since(self.job.requested_at));
            }
            JobNews::Gone(why) if item.is_lost() => tracing::warn!("Runner {id} is gone: {why}"),
            JobNews::Gone(why) => tracing::info!("Runner {id} is gone: {why}"),
        }
    }

    fn tell_end(&self, end: JobEnd) {
        let job = &self.job;
        let id = job.id;
        match end {
            JobEnd::Completed => tracing::info!("Background job {id} completed successfully"),
            JobEnd::Timeout if job.is_rolled_back() => {
                let why = job
                    .reason
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default();
                tracing::warn!("Background job {id} was taken back: {why}");
            }
            JobEnd::Timeout => {
                for item in job.items.iter().filter(|item| item.scheduled_at.is_none()) {
                    tracing::warn!("Pod {} not scheduled within timeout", item.id);
                }
                tracing::warn!("Background job {id} timed out");
            }
        }
    }

    /// Shows the job as it is now to those who read.
    pub(super) fn show(&self) {
        self.manager.0.board.show(&Arc::new(self.job.clone()));
    }

    /// Writes the job down, and shows it. `false`: it is not written.
    pub(super) async fn write(&mut self) -> bool {
        let mut next = self.job.clone();
        next.revision = self.written.revision + 1;
        let book = self.manager.0.parts.book.clone();
        match book.replace(&next).await {
            Ok(()) => self.wrote(next),
            Err(BookError::Conflict) => return self.reread(next).await,
            Err(error) => {
                tracing::warn!(job = %self.job.id, %error, "could not write the job down");
                return false;
            }
        }
        true
    }

    fn wrote(&mut self, next: Job) {
        self.job = next;
        self.written = self.job.clone();
        self.unwritten_since = None;
        self.show();
    }

    /// Either an earlier try was written after all, or somebody else wrote the
    /// job: then theirs stands.
    async fn reread(&mut self, tried: Job) -> bool {
        let listed = self.manager.0.parts.book.list().await;
        let found = listed
            .ok()
            .and_then(|jobs| jobs.into_iter().find(|job| job.id == tried.id));
        match found {
            Some(found) if found == tried => {
                self.wrote(tried);
                true
            }
            Some(found) => {
                self.wrote(found);
                false
            }
            None => false,
        }
    }

    async fn write_later(&mut self) {
        let news = Job {
            revision: self.written.revision,
            ..self.job.clone()
        };
        if news == self.written {
            self.unwritten_since = None;
            return;
        }
        let since = *self.unwritten_since.get_or_insert_with(Instant::now);
        if since.elapsed() >= WRITE_AFTER {
            self.write().await;
        }
    }

    /// Whether there is nothing more to do here; what is not yet written is.
    async fn is_done(&mut self) -> bool {
        let underway = matches!(self.job.stage, Stage::Asked | Stage::RollingBack);
        let is_mine = self.manager.leads() || underway;
        let is_over = !self.job.is_watched() || !is_mine;
        is_over && (self.unwritten_since.is_none() || self.write().await)
    }

    fn pause_until(&self, at: Option<Timestamp>) -> Option<Duration> {
        let now = self.manager.now();
        let waits = at.map(|at| at.since(now).max(Duration::from_millis(1)));
        let writes = self.unwritten_since.map(|_| WRITE_AFTER);
        // A young request may be missing; look when that is no excuse any more.
        let lag = self.manager.unlisted(self.job.kind);
        let young = self.job.items.iter().filter(|item| item.gone_at.is_none());
        let ripe = young.filter_map(|item| Some((item.asked_at? + lag).since(now)));
        let ripe = ripe.filter(|wait| !wait.is_zero()).min();
        [waits, writes, ripe].into_iter().flatten().min()
    }
}

async fn sleep(pause: Option<Duration>) {
    match pause {
        Some(pause) => tokio::time::sleep(pause).await,
        None => std::future::pending().await,
    }
}
