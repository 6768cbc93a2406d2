//! What a keeper sees of its job's runners.

use std::sync::Arc;
use std::time::Duration;

use hostler_core::Timestamp;
use hostler_core::runner::job::{
    Job, JobItem, JobKind, JobNews, Observation, Sight, job_observe, job_warning,
};
use hostler_core::runner::removal::{Drain, RemovalSight};
use hostler_core::runner::{Membership, PoolName, RunnerFacts, RunnerId, Verdict, runner_status};

use super::Manager;
use crate::fleet::Members;
use crate::provider::Snapshot;

/// The longest that a provider's call takes.
pub const CALL: Duration = Duration::from_secs(10);

/// All that is seen at one moment.
pub(super) struct View {
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) members: Arc<Members>,
    pub(super) now: Timestamp,
}

impl Manager {
    pub(super) fn view(&self) -> View {
        View {
            snapshot: self.snapshot(),
            members: self.0.parts.fleet.members().borrow().clone(),
            now: self.now(),
        }
    }

    /// How long after it was asked for a runner may be unseen without being
    /// gone. An addition notes when it was answered, a removal knows less: the
    /// call may still be under way.
    pub(super) fn unlisted(&self, kind: JobKind) -> Duration {
        let lag = self.info().lag;
        match kind {
            JobKind::Add => lag,
            JobKind::Remove => lag + CALL,
        }
    }

    /// The status of a runner, and why.
    pub(super) fn verdict(&self, facts: &RunnerFacts, view: &View) -> Verdict {
        let membership = view.membership(&facts.id);
        runner_status(facts, membership, &self.rules().status, view.now)
    }

    /// Looks at each runner of the job; says what is new. A removal's items say
    /// what was done to them, and nothing else.
    pub(super) fn observe(&self, job: &mut Job, view: &View) -> Vec<(usize, JobNews)> {
        let mut news = Vec::new();
        if job.kind == JobKind::Remove {
            return news;
        }
        for index in 0..job.items.len() {
            let (item, told) = self.observe_one(job, &job.items[index], view);
            job.items[index] = item;
            news.extend(told.map(|told| (index, told)));
        }
        if !job.has_ended() {
            job.reason = job_warning(job).or(job.reason.take().filter(|_| job.is_rolled_back()));
        }
        news
    }

    fn observe_one(&self, job: &Job, item: &JobItem, view: &View) -> (JobItem, Option<JobNews>) {
        let facts = view.snapshot.runners.get(&item.id);
        let seen = facts.map(|facts| (facts.as_ref(), self.verdict(facts, view)));
        let observation = Observation {
            seen: seen.as_ref().map(|(facts, verdict)| (*facts, verdict)),
            is_unwanted: self.0.board.is_leaving(&item.id),
        };
        job_observe(job, item, &observation, self.info().lag, view.now)
    }

    /// What an addition's next step is decided from.
    pub(super) fn sights(&self, job: &Job, view: &View) -> Vec<Sight> {
        let sight = |item| self.sight(item, view);
        job.items.iter().map(sight).collect()
    }

    fn sight(&self, item: &JobItem, view: &View) -> Sight {
        let facts = view.snapshot.runners.get(&item.id);
        let stands = facts.filter(|facts| !facts.is_terminating);
        // What moves stands where it was, until its request there is gone; seen
        // in its new pool, it was asked for there, and may be again.
        let has_moved = |facts: &&Arc<RunnerFacts>| !item.is_moving || facts.pool != item.pool;
        Sight {
            standing_in: stands.filter(has_moved).map(|facts| facts.pool.clone()),
            is_there: facts.as_ref().is_some_and(has_moved),
            other_pool: facts.and_then(|facts| self.other_pool(item, facts, view)),
        }
    }

    /// Where to ask instead, if the runner's own pool says it has no capacity.
    fn other_pool(&self, item: &JobItem, facts: &RunnerFacts, view: &View) -> Option<PoolName> {
        let latest = facts.reasons.first()?;
        if !latest.code.says_no_capacity() || facts.pool != item.pool {
            return None;
        }
        let pool = self.pool(&item.pool)?;
        self.0.rests.refused(pool, latest, view.now);
        self.0.rests.instead(pool, &item.tried, view.now)
    }
}

impl View {
    fn membership(&self, id: &RunnerId) -> Membership {
        match (
            self.members.are_awaited,
            self.members.nodes.contains_key(id),
        ) {
            (false, _) => Membership::NotAsked,
            (true, false) => Membership::Awaited,
            (true, true) => Membership::Registered,
        }
    }

    /// How many workloads are on a runner.
    pub(super) fn load(&self, id: &RunnerId) -> u32 {
        self.members.nodes.get(id).map_or(0, |member| member.load)
    }

    /// What a removal's next step is decided from.
    /// A removal's item was asked at the time of its job if nobody had seen its
    /// runner by then: the request for it may be on its way.
    pub(super) fn removal_sight(&self, item: &JobItem, unlisted: Duration) -> RemovalSight {
        let id = &item.id;
        let facts = self.snapshot.runners.get(id);
        let may_come = item.asked_at.is_some_and(|at| self.now < at + unlisted);
        let machine = facts.and_then(|facts| facts.machine.as_ref());
        RemovalSight {
            is_there: facts.is_some() || may_come,
            is_terminating: facts.is_some_and(|facts| facts.is_terminating),
            is_cordoned: machine.map(|machine| machine.is_cordoned),
            drain: self.drain(id),
        }
    }

    fn drain(&self, id: &RunnerId) -> Drain {
        match self.members.nodes.get(id) {
            None => Drain::NoNode,
            Some(member) if member.is_open => Drain::Open,
            Some(member) if member.load > 0 => Drain::Leaving(member.load),
            Some(_) => Drain::Empty,
        }
    }
}
