//! From facts to the word that people read, and why.
//!
//! One question after the other, from the request to the fleet: the first that
//! is not answered well gives the status. What is being ended keeps the status
//! that its facts give, so that nothing flaps on its way out.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Machine, Program, Reason, ReasonCode, Request, RunnerFacts};
use crate::Timestamp;

/// A runner's status as people read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunnerStatus {
    /// Asked for, no machine yet.
    Pending,
    /// On a machine, not yet at work.
    Provisioning,
    /// At work.
    Ready,
    /// Could not be given a machine, or does not run on it.
    Failed,
}

impl RunnerStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Provisioning, Self::Ready, Self::Failed];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Provisioning => "provisioning",
            Self::Ready => "ready",
            Self::Failed => "failed",
        }
    }
}

/// Whether the machine is a node of the fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Membership {
    /// It is not meant to be one.
    NotAsked,
    /// It has not registered yet.
    Awaited,
    /// It has registered.
    Registered,
}

/// What it takes to have a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusRules {
    /// How long the program may fail before its runner has failed.
    pub program_grace: Duration,
    /// Whether a program that runs is enough, even one that is not ready.
    pub running_is_ready: bool,
    /// How long a request without a mark may wait.
    pub wait: Duration,
    /// How long after its request a machine may take to register.
    pub register_within: Duration,
}

impl Default for StatusRules {
    fn default() -> Self {
        Self {
            program_grace: Duration::from_mins(2),
            running_is_ready: false,
            wait: Duration::from_mins(10),
            register_within: Duration::from_mins(20),
        }
    }
}

/// A status, and why it is no better one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The status.
    pub status: RunnerStatus,
    /// Why; `None` only for what is ready, or what was asked for just now.
    pub reason: Option<Reason>,
}

/// The status that follows from the facts at `now`.
pub fn runner_status(
    facts: &RunnerFacts,
    membership: Membership,
    rules: &StatusRules,
    now: Timestamp,
) -> Verdict {
    request(facts, rules, now)
        .or_else(|| machine(facts))
        .or_else(|| program(facts, rules, now))
        .or_else(|| fleet(facts, membership, rules, now))
        .unwrap_or(Verdict {
            status: RunnerStatus::Ready,
            reason: None,
        })
}

fn verdict(status: RunnerStatus, code: ReasonCode, text: impl Into<String>) -> Verdict {
    let reason = Some(Reason::new(code, text));
    Verdict { status, reason }
}

/// What the provider said last, in its words.
fn said(facts: &RunnerFacts, otherwise: &str) -> String {
    let last = facts.reasons.first().map(ToString::to_string);
    last.unwrap_or_else(|| otherwise.to_owned())
}

fn request(facts: &RunnerFacts, rules: &StatusRules, now: Timestamp) -> Option<Verdict> {
    let deadline = facts.mark.map(|mark| mark.deadline);
    match facts.request {
        Request::Placed => None,
        Request::Failed => Some(verdict(
            RunnerStatus::Failed,
            ReasonCode::RequestFailed,
            said(facts, "the provider ended the request"),
        )),
        Request::Waiting if now >= deadline.unwrap_or(facts.created + rules.wait) => {
            let text = said(facts, "there was no machine before the deadline");
            Some(verdict(
                RunnerStatus::Failed,
                ReasonCode::DeadlinePassed,
                text,
            ))
        }
        Request::Waiting => Some(Verdict {
            status: RunnerStatus::Pending,
            reason: facts.reasons.first().cloned(),
        }),
    }
}

fn machine(facts: &RunnerFacts) -> Option<Verdict> {
    let name = |machine: &Machine| machine.name.clone();
    let named = facts.machine.as_ref().map(name).unwrap_or_default();
    if facts.is_lost() {
        let text = format!("the machine {named} is gone");
        return Some(verdict(RunnerStatus::Failed, ReasonCode::NodeLost, text));
    }
    let is_ready = facts.machine.as_ref().and_then(|machine| machine.is_ready);
    (is_ready == Some(false)).then(|| {
        let reason = facts.reasons.first().cloned();
        let text = format!("the machine {named} is not ready");
        let usual = || Reason::new(ReasonCode::NodeNotReady, text);
        Verdict {
            status: RunnerStatus::Provisioning,
            reason: Some(reason.unwrap_or_else(usual)),
        }
    })
}

fn program(facts: &RunnerFacts, rules: &StatusRules, now: Timestamp) -> Option<Verdict> {
    let Program {
        name,
        is_running,
        is_ready,
        failing_since,
    } = &facts.program;
    let starting = RunnerStatus::Provisioning;
    if name.is_none() {
        let text = "there is no runner program on the machine";
        return Some(verdict(starting, ReasonCode::ProgramMissing, text));
    }
    if let Some(since) = *failing_since {
        let is_over = now >= since + rules.program_grace;
        let status = if is_over {
            RunnerStatus::Failed
        } else {
            starting
        };
        let usual = || Reason::new(ReasonCode::CrashLoop, "the runner program keeps failing");
        let reason = facts.reasons.first().cloned().unwrap_or_else(usual);
        let reason = Some(reason);
        return Some(Verdict { status, reason });
    }
    let works = *is_running && (*is_ready || rules.running_is_ready);
    let text = "the runner program is not up yet";
    (!works).then(|| verdict(starting, ReasonCode::ProgramStarting, text))
}

fn fleet(
    facts: &RunnerFacts,
    membership: Membership,
    rules: &StatusRules,
    now: Timestamp,
) -> Option<Verdict> {
    if membership != Membership::Awaited {
        return None;
    }
    let is_late = now >= facts.created + rules.register_within;
    let status = if is_late {
        RunnerStatus::Failed
    } else {
        RunnerStatus::Provisioning
    };
    let text = "the machine has not registered with the fleet";
    Some(verdict(status, ReasonCode::NotRegistered, text))
}

#[cfg(test)]
mod tests;
