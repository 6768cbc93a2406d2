//! Workloads: what was asked for, the seat each was given, and what the node
//! there said last.
//!
//! One writer per column: owners write the goal, the scheduler writes the
//! seat, nodes write what is seen. Each change of goal or seat raises the
//! generation in the same statement, and is refused when the caller decided
//! on an older one. A row leaves the table only by [`Store::workload_erase`],
//! which puts a tombstone in its place.
//!
//! [`Store::workload_erase`]: crate::Store::workload_erase

mod erase;
mod goal;
pub(crate) mod insert;
mod list;
mod raise;
pub(crate) mod row;
mod seat;
pub(crate) mod seen;
mod unseat;

pub use unseat::UnseatIf;

use std::collections::BTreeMap;

use hostler_core::id::{BootId, NodeId, WorkloadId};
use hostler_core::workload::{Goal, Kind, OnNodeLoss, SeenState, WorkloadFacts};
use hostler_core::{Generation, Labels, Name, Resources, Timestamp};
use serde_json::Value;

use crate::{QuotaExceeded, StoreError};

/// What never changes of a workload.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkloadSpec {
    /// Its project.
    pub project: Name,
    /// Its name, unique in its project.
    pub name: Name,
    /// What kind of artifact it is.
    pub kind: Kind,
    /// SHA-256 of its artifact, in lower-case hex.
    pub artifact: String,
    /// Arguments after the program's name.
    pub argv: Vec<String>,
    /// Subjects that trigger it.
    pub triggers: Vec<String>,
    /// Whether it is started again when it fails.
    pub essential: bool,
    /// What it needs.
    pub resources: Resources,
    /// How many processes it may have.
    pub pids: u32,
    /// Keys and values for others to select by.
    pub labels: Labels,
    /// Where it may run, as its owner wrote it.
    pub rules: Value,
    /// What to do when its node is lost.
    pub on_node_loss: OnNodeLoss,
    /// Text for people.
    pub description: String,
}

/// A workload to be made.
#[derive(Clone)]
pub struct NewWorkload {
    /// What it is.
    pub spec: WorkloadSpec,
    /// Its whole environment; sealed, and never part of a [`WorkloadRow`].
    pub environment: BTreeMap<String, String>,
    /// What its owner wants at first.
    pub goal: Goal,
}

impl std::fmt::Debug for NewWorkload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewWorkload")
            .field("spec", &self.spec)
            .field("environment", &self.environment.keys())
            .field("goal", &self.goal)
            .finish()
    }
}

/// A workload, as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkloadRow {
    /// What decisions are made of.
    pub facts: WorkloadFacts,
    /// What it is.
    pub spec: WorkloadSpec,
    /// Names of the variables in its environment.
    pub environment_names: Vec<String>,
    /// What its node last said, in full.
    pub seen: Option<SeenReport>,
    /// Why it waits for a seat, in words.
    pub reason: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A node's last word about a workload, with the particulars.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenReport {
    /// The generation it speaks of.
    pub generation: Generation,
    /// What it says.
    pub state: SeenState,
    /// The slot it runs in.
    pub slot: Option<String>,
    /// How often it was started again in a row.
    pub restarts: u32,
    /// What is wrong with it.
    pub problem: Option<String>,
    /// When the node said so.
    pub at: Timestamp,
}

/// One entry of what a node says it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenEntry {
    /// The workload.
    pub id: WorkloadId,
    /// The generation it speaks of.
    pub generation: Generation,
    /// What it says.
    pub state: SeenState,
    /// The slot it runs in.
    pub slot: Option<String>,
    /// How often it was started again in a row.
    pub restarts: u32,
    /// What is wrong with it.
    pub problem: Option<String>,
}

/// Which heartbeat a report came with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeartbeatOrder {
    /// The start of the node's daemon.
    pub boot: BootId,
    /// The heartbeat's number within it.
    pub sequence: u64,
}

/// The promise that a request sent again makes nothing new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The key the caller chose.
    pub key: String,
    /// A digest of the request, to tell a repetition from another request.
    pub request_hash: [u8; 32],
    /// Whose key it is: keys of different actors never meet.
    pub actor: String,
}

/// What came of an insert.
#[derive(Clone, Debug, PartialEq)]
pub enum Inserted {
    /// It was made now.
    New(WorkloadRow),
    /// The same request made it before.
    Replayed(WorkloadRow),
}

impl Inserted {
    /// The workload, whenever it was made.
    pub fn row(&self) -> &WorkloadRow {
        match self {
            Self::New(row) | Self::Replayed(row) => row,
        }
    }
}

/// Why a workload was not made.
#[derive(Debug, thiserror::Error)]
pub enum InsertError {
    /// Another workload of the project has this name.
    #[error("the project '{project}' has a workload named '{name}' already")]
    NameTaken {
        /// The project.
        project: Name,
        /// The name.
        name: Name,
    },
    /// The project holds no such artifact.
    #[error("the project '{project}' has no artifact {digest}")]
    ArtifactUnknown {
        /// The project.
        project: Name,
        /// The digest asked for.
        digest: String,
    },
    /// The project would have more than it may.
    #[error(transparent)]
    QuotaExceeded(#[from] QuotaExceeded),
    /// The key was used for another request.
    #[error("the idempotency key '{key}' was used for another request")]
    KeyReused {
        /// The key.
        key: String,
    },
    /// The same request was carried out, and what it made is gone since.
    #[error("this request made the workload {0}, which was deleted since")]
    Erased(WorkloadId),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Which workloads to list; what is `None` does not narrow.
#[derive(Clone, Debug, Default)]
pub struct WorkloadFilter {
    /// Only this project's.
    pub project: Option<Name>,
    /// Only those of these projects.
    pub projects: Option<Vec<Name>>,
    /// Only of this name.
    pub name: Option<Name>,
    /// Only seated on this node.
    pub node: Option<NodeId>,
    /// Only with this goal.
    pub goal: Option<Goal>,
}

/// How far a node may be filled, in hundredths of its capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Of its processors; 200 promises each core twice.
    pub cpu_percent: u32,
    /// Of its memory.
    pub memory_percent: u32,
}

impl Default for Limits {
    /// What it has, and no more.
    fn default() -> Self {
        Self {
            cpu_percent: 100,
            memory_percent: 100,
        }
    }
}

/// A seat to be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeatRequest {
    /// The workload.
    pub workload: WorkloadId,
    /// The generation the decision was made on.
    pub expected: Generation,
    /// The node chosen.
    pub node: NodeId,
    /// How far that node may be filled.
    pub limits: Limits,
}

/// What came of a seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeatOutcome {
    /// Given, with its capacity; the new generation.
    Seated(Generation),
    /// The node is gone, takes no work, or has no room: choose again.
    NoRoom,
    /// The workload is gone, seated, or of another generation: look again.
    Stale,
}

/// A seat to be taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unseat<'a> {
    /// The workload.
    pub workload: WorkloadId,
    /// The generation the decision was made on.
    pub expected: Generation,
    /// The node it sits on.
    pub node: NodeId,
    /// Why, for the event.
    pub why: &'a str,
}

/// What came of a change that was decided on a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeOutcome {
    /// Done.
    Changed,
    /// The workload is gone or has changed since the decision; nothing was done.
    Stale,
}

/// The mark a workload leaves, so that a node that still holds it can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tombstone {
    /// The workload.
    pub id: WorkloadId,
    /// The last generation it had.
    pub generation: Generation,
    /// When it was last needed: when it was erased or, if later, when a node
    /// still held the workload.
    pub at: Timestamp,
}
