//! What a look at the provider's facts changes in what is written down of an
//! addition. Moments are written once; gone is only believed when it must be true.

use std::time::Duration;

use super::{Job, JobEnd, JobItem, Stage};
use crate::Timestamp;
use crate::runner::{Reason, ReasonCode, Request, RunnerFacts, RunnerStatus, Verdict};

/// What is known of the runners of a job at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation<'a> {
    /// The facts and what follows from them; `None`: not in the snapshot.
    pub seen: Option<(&'a RunnerFacts, &'a Verdict)>,
    /// Whether somebody asked through us that it be removed.
    pub is_unwanted: bool,
}

/// What happened to one runner of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobNews {
    /// It is on this machine.
    Scheduled(String),
    /// It is at work.
    Ready,
    /// It is no longer there.
    Gone(ReasonCode),
}

/// The item after a look at it at `now`, and what is new about it. A request
/// made less than `lag` ago may be missing from the facts.
pub fn job_observe(
    job: &Job,
    item: &JobItem,
    observation: &Observation<'_>,
    lag: Duration,
    now: Timestamp,
) -> (JobItem, Option<JobNews>) {
    match observation.seen {
        Some((facts, verdict)) => present(item, facts, verdict, now),
        None => missing(job, item, observation.is_unwanted, (lag, now)),
    }
}

fn present(
    item: &JobItem,
    facts: &RunnerFacts,
    verdict: &Verdict,
    now: Timestamp,
) -> (JobItem, Option<JobNews>) {
    let mut item = item.clone();
    // It is not gone after all: listed late, or asked for again.
    item.gone_at = None;
    item.reason.clone_from(&verdict.reason);
    let on_machine = facts.request == Request::Placed && !facts.is_lost();
    if on_machine && item.scheduled_at.is_none() {
        let named = facts.machine.as_ref().map(|machine| machine.name.clone());
        item.scheduled_at = Some(now);
        item.node.clone_from(&named);
        return (item, Some(JobNews::Scheduled(named.unwrap_or_default())));
    }
    if verdict.status == RunnerStatus::Ready && item.ready_at.is_none() {
        item.ready_at = Some(now);
        return (item, Some(JobNews::Ready));
    }
    (item, None)
}

fn missing(
    job: &Job,
    item: &JobItem,
    is_unwanted: bool,
    (lag, now): (Duration, Timestamp),
) -> (JobItem, Option<JobNews>) {
    let mut item = item.clone();
    let was_asked = item.asked_at.is_some();
    let is_young = item.asked_at.is_some_and(|asked| now < asked + lag);
    let is_unseen = item.scheduled_at.is_none() && is_young;
    if item.gone_at.is_some() || item.is_moving || !was_asked || is_unseen {
        return (item, None);
    }
    let code = gone_why(job, &item, is_unwanted);
    item.gone_at = Some(now);
    item.reason = Some(Reason::new(code, text(code)));
    (item, Some(JobNews::Gone(code)))
}

fn gone_why(job: &Job, item: &JobItem, is_unwanted: bool) -> ReasonCode {
    let was = item.reason.as_ref().map(|reason| reason.code);
    match was {
        _ if is_unwanted => ReasonCode::Removed,
        Some(ReasonCode::NodeLost) => ReasonCode::NodeLost,
        _ if job.stage == Stage::Ended(JobEnd::Timeout) && item.scheduled_at.is_none() => {
            ReasonCode::DeadlinePassed
        }
        _ => ReasonCode::Deleted,
    }
}

const fn text(code: ReasonCode) -> &'static str {
    match code {
        ReasonCode::Removed => "it was removed because it was asked for",
        ReasonCode::NodeLost => "it went with its machine",
        ReasonCode::DeadlinePassed => "it was taken back after the deadline",
        _ => "somebody deleted it",
    }
}
