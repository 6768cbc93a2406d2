//! What to do next for a job that adds runners. Asked again after every change;
//! each answer can be carried out twice without harm.

use super::{Job, JobEnd, JobItem, Stage, WaitFor};
use crate::Timestamp;
use crate::runner::{PoolName, Reason, ReasonCode};

/// What becomes of requests that were given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnTimeout {
    /// They stay, and may be given a machine later.
    #[default]
    Keep,
    /// They are taken back.
    Delete,
}

/// What becomes of a runner that was lost, or deleted by somebody else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnLost {
    /// It is shown as failed for a while.
    #[default]
    Report,
    /// It is asked for again under its id: on its machine, if that is still
    /// there, or on another.
    Replace,
}

/// How jobs are dealt with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobRules {
    /// What becomes of requests that were given up.
    pub on_timeout: OnTimeout,
    /// What becomes of runners that were lost.
    pub on_lost: OnLost,
}

/// One runner of a job as it is now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// The pool of its request, if there is one that is not being ended.
    pub standing_in: Option<PoolName>,
    /// Whether anything of this id is there at all.
    pub is_there: bool,
    /// A pool that may be asked instead, if its own says that it has no capacity.
    pub other_pool: Option<PoolName>,
}

/// What to do next for a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobStep {
    /// Make the requests of these runners; then write down that they are made.
    Ask(Vec<usize>),
    /// Take back the requests of these runners; then write down that they are.
    Release(Vec<usize>),
    /// Write down that these runners are asked from other pools from now on.
    Move(Vec<(usize, PoolName)>),
    /// Write down that every request is made.
    Stand,
    /// Write down that it ended so, and why.
    End(JobEnd, Option<Reason>),
    /// Nothing, until something changes or this moment comes.
    Wait(Option<Timestamp>),
}

/// The next step of an addition at `now`; `sights` are those of its items.
pub fn job_step(job: &Job, sights: &[Sight], rules: &JobRules, now: Timestamp) -> JobStep {
    match job.stage {
        Stage::Asked => asked(job),
        Stage::RollingBack => rolling_back(job, sights),
        Stage::Standing => moving(job, sights).unwrap_or_else(|| standing(job, now)),
        Stage::Ended(end) => ended(job, sights, end, *rules),
    }
}

fn indexes(job: &Job, which: impl Fn(usize, &JobItem) -> bool) -> Vec<usize> {
    let items = job.items.iter().enumerate();
    let chosen = items.filter(|(index, item)| which(*index, item));
    chosen.map(|(index, _)| index).collect()
}

fn asked(job: &Job) -> JobStep {
    let unasked = indexes(job, |_, item| item.asked_at.is_none());
    if unasked.is_empty() {
        JobStep::Stand
    } else {
        JobStep::Ask(unasked)
    }
}

/// Every request is released once, seen or not: a request whose answer was lost
/// may be seen only later. What turns up after that is released again.
fn rolling_back(job: &Job, sights: &[Sight]) -> JobStep {
    let rest = indexes(job, |index, item| {
        item.gone_at.is_none() || stands(sights, index)
    });
    if rest.is_empty() {
        JobStep::End(JobEnd::Timeout, job.reason.clone())
    } else {
        JobStep::Release(rest)
    }
}

fn stands(sights: &[Sight], index: usize) -> bool {
    let sight = sights.get(index);
    sight.is_some_and(|sight| sight.standing_in.is_some())
}

fn is_there(sights: &[Sight], index: usize) -> bool {
    sights.get(index).is_some_and(|sight| sight.is_there)
}

/// A runner on its way to another pool is first taken back, and asked for again
/// under the same id when nothing of it is left.
fn moving(job: &Job, sights: &[Sight]) -> Option<JobStep> {
    let leaving = indexes(job, |index, item| item.is_moving && stands(sights, index));
    if !leaving.is_empty() {
        return Some(JobStep::Release(leaving));
    }
    let left = indexes(job, |index, item| {
        item.is_moving && !is_there(sights, index)
    });
    if !left.is_empty() {
        return Some(JobStep::Ask(left));
    }
    let items = job.items.iter().zip(sights).enumerate();
    let moves: Vec<_> = items
        .filter(|(_, (item, _))| item.may_come() && !item.is_moving)
        .filter_map(|(index, (_, sight))| Some((index, sight.other_pool.clone()?)))
        .collect();
    (!moves.is_empty()).then_some(JobStep::Move(moves))
}

/// Judged by how its runners are, and only then by the clock: what was given a
/// machine at the last moment has one.
fn standing(job: &Job, now: Timestamp) -> JobStep {
    let is_open = |item: &JobItem| !has_arrived(job, item) && item.gone_at.is_none();
    if is_complete(job) {
        JobStep::End(JobEnd::Completed, None)
    } else if !job.items.iter().any(is_open) || now >= job.deadline {
        JobStep::End(JobEnd::Timeout, Some(why_not(job)))
    } else {
        JobStep::Wait(Some(job.deadline))
    }
}

fn has_arrived(job: &Job, item: &JobItem) -> bool {
    match job.wait_for {
        WaitFor::Scheduled => item.scheduled_at.is_some(),
        WaitFor::Ready => item.ready_at.is_some(),
    }
}

fn is_complete(job: &Job) -> bool {
    let is_removed = |item: &JobItem| {
        let code = item.reason.as_ref().map(|reason| reason.code);
        item.gone_at.is_some() && code == Some(ReasonCode::Removed)
    };
    job.items
        .iter()
        .all(|item| has_arrived(job, item) || is_removed(item))
}

/// The first thing that is wrong with those that did not arrive.
fn why_not(job: &Job) -> Reason {
    let mut late = job.items.iter().filter(|item| !has_arrived(job, item));
    let told = late.find_map(|item| item.reason.clone());
    let usual = || Reason::new(ReasonCode::DeadlinePassed, "there was no machine in time");
    told.unwrap_or_else(usual)
}

/// Why a job that waits may not come to a good end, as soon as it is known.
pub fn job_warning(job: &Job) -> Option<Reason> {
    let hopeless = |item: &&JobItem| {
        let code = item.reason.as_ref().map(|reason| reason.code);
        item.may_come() && code.is_some_and(ReasonCode::says_no_capacity)
    };
    job.items.iter().find(hopeless)?.reason.clone()
}

fn ended(job: &Job, sights: &[Sight], end: JobEnd, rules: JobRules) -> JobStep {
    let unwanted = |index: usize, item: &JobItem| {
        let given_up = end == JobEnd::Timeout && rules.on_timeout == OnTimeout::Delete;
        let taken_back = item.asked_at.is_none();
        stands(sights, index) && item.scheduled_at.is_none() && (given_up || taken_back)
    };
    let rest = indexes(job, unwanted);
    if !rest.is_empty() {
        JobStep::Release(rest)
    } else if end == JobEnd::Timeout && has_come(job) && is_complete(job) {
        JobStep::End(JobEnd::Completed, None)
    } else {
        lost(job, sights, rules)
    }
}

fn lost(job: &Job, sights: &[Sight], rules: JobRules) -> JobStep {
    let again = indexes(job, |index, item| {
        item.is_lost() && !is_there(sights, index)
    });
    if rules.on_lost == OnLost::Replace && !again.is_empty() {
        JobStep::Ask(again)
    } else {
        JobStep::Wait(None)
    }
}

/// Whether any of its runners did come: one whose requests were all taken back
/// is not completed by that.
fn has_come(job: &Job) -> bool {
    job.items.iter().any(|item| has_arrived(job, item))
}
