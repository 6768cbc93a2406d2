//! Bodies of the runner routes. The members that the first service of this
//! kind had keep their names and shapes; everything else is additional.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use hostler_core::id::JobId;
use hostler_core::runner::job::{JobKind, JobState};
use hostler_core::runner::{PoolName, RunnerId, RunnerStatus};
use serde::{Deserialize, Serialize};

pub use hostler_core::runner::Reason;

/// `GET /` of a runner manager.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunnerService {
    /// What answers here.
    pub service: String,
    /// Its version.
    pub version: String,
    /// What gives the machines: `kubernetes`, `aws`, `local`.
    pub provider: String,
}

/// `POST /runners/add`. No body at all asks for one runner. With an
/// `Idempotency-Key` header, the same request sent again answers the same job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunnersAdd {
    /// How many; one if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instances: Option<i64>,
    /// From which pool; the one called `default` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// Say what would be done, and do nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// What `POST /runners/add` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunnersAdded {
    /// The job to ask about; absent in a dry run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<uuid::Uuid>))]
    pub job_id: Option<JobId>,
    /// The new runners' ids.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub pod_names: Vec<RunnerId>,
    /// What is happening, for people.
    pub message: String,
    /// How many.
    pub instances: usize,
    /// What gives the machines.
    pub provider: String,
}

/// `POST /runners/remove`. No body at all asks to remove one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunnersRemove {
    /// How many; one if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instances: Option<i64>,
    /// Which; the manager chooses if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner_ids: Option<Vec<String>>,
    /// From which pool the manager chooses; any if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// Do not wait for work to leave.
    #[serde(default)]
    pub force: bool,
    /// Seconds that work has to leave; ten minutes if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drain_timeout_s: Option<u64>,
    /// Say what would be done, and do nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// What `POST /runners/remove` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunnersRemoved {
    /// What is happening, for people.
    pub message: String,
    /// How many.
    pub instances: usize,
    /// What gives the machines.
    pub provider: String,
    /// The job to ask about; absent in a dry run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<uuid::Uuid>))]
    pub job_id: Option<JobId>,
    /// The runners' ids.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub pod_names: Vec<RunnerId>,
}

/// A runner: a machine that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Runner {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: RunnerId,
    /// `pending`, `provisioning`, `ready`, `failed`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub status: RunnerStatus,
    /// `node_name`, `node_internal_ip`, `placeholder_pod`, `runner_pod` and
    /// others, each once it is known.
    pub metadata: BTreeMap<String, String>,
    /// The pool it is from.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub pool: PoolName,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// The job that asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<uuid::Uuid>))]
    pub job_id: Option<JobId>,
    /// Why it is not ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub reason: Option<Reason>,
    /// What else is said about it, the latest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Object>))]
    pub reasons: Vec<Reason>,
}

/// Filters and paging of `GET /runners`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
pub struct RunnerQuery {
    /// Only those with this status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(value_type = Option<String>))]
    pub status: Option<RunnerStatus>,
    /// Only those from this pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// At most so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Only those after the one with this id.
    #[serde(default, rename = "continue", skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// A job: one request to add or remove runners.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunnerJob {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub job_id: JobId,
    /// `add` or `remove`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub kind: JobKind,
    /// `pending`, `running`, `completed`, `timeout`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub status: JobState,
    /// How many runners it is about.
    pub instances: usize,
    /// How many of them were given a machine.
    pub scheduled_count: usize,
    /// How many of them have been at work.
    pub ready_count: usize,
    /// How many of them are gone.
    pub gone_count: usize,
    /// Its runners.
    pub runners: Vec<RunnerJobItem>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it is given up.
    pub deadline: DateTime<Utc>,
    /// When the last of its runners was first at work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
    /// Whether it was completed after it had timed out.
    pub late: bool,
    /// Why it is as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub reason: Option<Reason>,
    /// The name of the token that asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<String>,
}

/// One runner of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunnerJobItem {
    /// The runner.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: RunnerId,
    /// `pending`, `provisioning`, `ready`, `failed` or `gone`.
    pub status: String,
    /// The pool it is asked from.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub pool: PoolName,
    /// The machine it was seen on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_name: Option<String>,
    /// When it was first seen on a machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled_at: Option<DateTime<Utc>>,
    /// When it was first seen at work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_at: Option<DateTime<Utc>>,
    /// When it was found gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone_at: Option<DateTime<Utc>>,
    /// Why it is as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub reason: Option<Reason>,
}

/// A machine that suits a pool, managed or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunnerHost {
    /// What the provider calls it.
    pub name: String,
    /// Its internal addresses, the primary one first.
    pub internal_ips: Vec<String>,
    /// Whether it works; absent when the provider may not look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready: Option<bool>,
    /// Whether it is closed to further runners.
    pub cordoned: bool,
    /// Whether a runner holds it.
    pub managed: bool,
    /// The runners on it; more than one is a mistake.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub runners: Vec<RunnerId>,
    /// The runner program on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner_pod: Option<String>,
}

/// A pool: a kind of machine, how many there may be, and how many there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunnerPoolInfo {
    /// Its name.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub name: PoolName,
    /// What its machines are labelled with.
    pub selector: BTreeMap<String, String>,
    /// What its machines are tainted with, as `key=value:effect`.
    pub taints: Vec<String>,
    /// Instance types; empty: any.
    pub instance_types: Vec<String>,
    /// Zones; empty: any.
    pub zones: Vec<String>,
    /// The processor family; absent: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arch: Option<String>,
    /// Whether its machines may be taken away at short notice.
    pub spot: bool,
    /// The fewest runners now.
    pub min: u32,
    /// The most runners now.
    pub max: u32,
    /// The idle runners above what is used, now.
    pub warm: u32,
    /// What one costs an hour, in millionths.
    pub hourly_price_micros: u64,
    /// Pools that are asked when this one has no capacity.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub fallback: Vec<PoolName>,
    /// How many runners it has, by status.
    pub runners: BTreeMap<String, usize>,
    /// Until when it is not asked again after a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resting_until: Option<DateTime<Utc>>,
    /// Why it has no capacity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub reason: Option<Reason>,
}
