//! A job: one request to add or remove runners.
//!
//! ```text
//!  add:     asked ──all requests made──▶ standing ──all scheduled──▶ ended: completed
//!             │ refused                     │ deadline                    ▲ late
//!             ▼                             └──────────▶ ended: timeout ──┘
//!         rolling back ──all released──▶ ended: timeout
//!  remove:  standing ──all gone──▶ ended: completed
//! ```
//!
//! The job is written down before anything is asked of a provider, and its
//! runners' ids follow from its own id: whoever finds an *asked* job asks for
//! all of its runners again, and none is there twice.

mod observe;
mod step;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Mark, PoolName, Reason, ReasonCode, RunnerId};
use crate::Timestamp;
use crate::id::JobId;

pub use observe::{JobNews, Observation, job_observe};
pub use step::{JobRules, JobStep, OnLost, OnTimeout, Sight, job_step, job_warning};

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// Adds runners.
    Add,
    /// Removes runners.
    Remove,
}

/// What a job that adds runners waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitFor {
    /// Every runner is on a machine.
    #[default]
    Scheduled,
    /// Every runner is at work.
    Ready,
}

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Written down; its runners may or may not have been asked for.
    Asked,
    /// All of its requests are made; waiting.
    Standing,
    /// Some request was refused; all of them are being taken back.
    RollingBack,
    /// Nothing more is done for it.
    Ended(JobEnd),
}

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobEnd {
    /// As it was asked.
    Completed,
    /// Not, or not in time; its reason says more.
    Timeout,
}

/// A job's state as people read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// Its requests are being made.
    Pending,
    /// It waits for them.
    Running,
    /// It ended as it was asked.
    Completed,
    /// It ended otherwise.
    Timeout,
}

impl JobState {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Timeout => "timeout",
        }
    }
}

/// What is written down of one runner of a job. A moment is written once, and
/// stays when the runner has long gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobItem {
    /// The runner.
    pub id: RunnerId,
    /// The pool it is asked from now.
    pub pool: PoolName,
    /// Pools that had no capacity for it before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<PoolName>,
    /// Whether it is being taken back from its pool, to be asked from another.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_moving: bool,
    /// The one machine it is to be on, if it adopts one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
    /// The machine it was seen on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// When its request was last made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<Timestamp>,
    /// When it was first seen on a machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled_at: Option<Timestamp>,
    /// When it was first seen at work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_at: Option<Timestamp>,
    /// When its machine was closed to further runners, or that was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cordoned_at: Option<Timestamp>,
    /// When its work had left it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drained_at: Option<Timestamp>,
    /// When it was found gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone_at: Option<Timestamp>,
    /// Why it is as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks for a reference.
const fn is_false(value: &bool) -> bool {
    !*value
}

impl JobItem {
    /// A runner of which nothing has happened.
    pub const fn new(id: RunnerId, pool: PoolName) -> Self {
        Self {
            id,
            pool,
            tried: Vec::new(),
            is_moving: false,
            machine: None,
            node: None,
            asked_at: None,
            scheduled_at: None,
            ready_at: None,
            cordoned_at: None,
            drained_at: None,
            gone_at: None,
            reason: None,
        }
    }
}

/// Who makes a job's requests at present. Nobody else does, until then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worker {
    /// The manager's name: the same after its restart.
    pub name: String,
    /// Until when it is trusted to be at it.
    pub until: Timestamp,
}

/// A job, as it is written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// How often it was written; each write is one more than what it replaces.
    pub revision: u64,
    /// What it does.
    pub kind: JobKind,
    /// What it waits for.
    #[serde(default)]
    pub wait_for: WaitFor,
    /// How far it is.
    pub stage: Stage,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When it is given up.
    pub deadline: Timestamp,
    /// Who asked: the token's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<String>,
    /// A digest of what was asked under its idempotency key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_digest: Option<String>,
    /// Who makes its requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<Worker>,
    /// Remove only: do not wait for work to leave.
    #[serde(default, skip_serializing_if = "is_false")]
    pub force: bool,
    /// Its runners, by index.
    pub items: Vec<JobItem>,
    /// Why it is as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Whether it was completed after it had timed out.
    #[serde(default, skip_serializing_if = "is_false")]
    pub late: bool,
}

impl Job {
    /// Its state as people read it.
    pub const fn state(&self) -> JobState {
        match self.stage {
            Stage::Asked => JobState::Pending,
            Stage::Standing | Stage::RollingBack => JobState::Running,
            Stage::Ended(JobEnd::Completed) => JobState::Completed,
            Stage::Ended(JobEnd::Timeout) => JobState::Timeout,
        }
    }

    /// Whether it has ended. One that timed out may complete late.
    pub const fn has_ended(&self) -> bool {
        matches!(self.stage, Stage::Ended(_))
    }

    /// Whether its requests were taken back, or are being: it did nothing.
    pub fn is_rolled_back(&self) -> bool {
        let unasked = self.items.iter().all(|item| item.asked_at.is_none());
        let ended = matches!(self.stage, Stage::Ended(_)) && self.kind == JobKind::Add;
        self.stage == Stage::RollingBack || (ended && unasked)
    }

    /// Whether its runners are looked after: an addition's for as long as there
    /// are any, so that none is lost unseen.
    pub fn is_watched(&self) -> bool {
        let rest = self.items.iter().any(|item| item.gone_at.is_none());
        !self.has_ended() || (self.kind == JobKind::Add && rest)
    }

    /// When the last thing happened to it, if nothing more can.
    pub fn settled_at(&self) -> Option<Timestamp> {
        let gone = self.items.iter().filter_map(|item| item.gone_at).max();
        let last = self.ended_at.max(gone);
        last.filter(|_| !self.is_watched())
    }

    /// What the request of the runner at `index` is labelled with.
    pub const fn mark(&self, index: u32) -> Mark {
        Mark {
            job: self.id,
            index,
            requested_at: self.requested_at,
            deadline: self.deadline,
        }
    }

    /// The id of the runner at `index` of the job with this id: always the
    /// same, so that asking again asks for the same runner.
    pub fn runner_id(job: JobId, index: u32) -> RunnerId {
        let uuid = Uuid::new_v5(&job.uuid(), index.to_string().as_bytes());
        RunnerId::of_uuid(uuid)
    }
}

impl JobItem {
    /// Whether it was on a machine and is gone, without anybody having asked
    /// for that through us.
    pub fn is_lost(&self) -> bool {
        let code = self.reason.as_ref().map(|reason| reason.code);
        let unasked = matches!(code, Some(ReasonCode::Deleted | ReasonCode::NodeLost));
        self.gone_at.is_some() && self.scheduled_at.is_some() && unasked
    }

    /// The same as asked for just now.
    #[must_use]
    pub fn asked(&self, now: Timestamp) -> Self {
        Self {
            tried: self.tried.clone(),
            machine: self.machine.clone(),
            asked_at: Some(now),
            ..Self::new(self.id.clone(), self.pool.clone())
        }
    }

    /// Whether it is asked for and may yet be seen on a machine.
    pub const fn may_come(&self) -> bool {
        self.asked_at.is_some() && self.scheduled_at.is_none() && self.gone_at.is_none()
    }
}

#[cfg(test)]
mod tests;
