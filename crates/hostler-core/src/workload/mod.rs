//! A workload: something deployed, a service (ELF) or a function (wasm, v8).
//!
//! Three facts decide everything: the *goal* its owner wants, the *seat* it
//! was given, and what the node there has *seen* of it. Each change of goal or
//! seat raises the generation. Status is computed from them ([`status`]), and
//! so is the one next step of the control plane ([`next_step`]). What a node
//! makes of an order is decided in [`order_verdict`], and what becomes of a
//! process that ended in [`after_exit`].
//!
//! ```text
//!            place            ensure              seen
//!  queued ──────────▶ starting ───────▶ running ───────▶ failed
//!    ▲  lease ended      │ ▲              │  │
//!    └───────────────────┴─┼──────────────┘  │ goal stopped or gone
//!                          └─ goal running   ▼
//!                    stopped ◀──────────── stopping ──▶ (row erased)
//! ```
//!
//! What must never happen: two nodes running one workload, an order of an
//! older generation obeyed, silence read as absence.

mod claim;
mod exit;
mod forget;
mod merge;
mod order;
mod status;
mod step;

pub use claim::{Claim, claim};
pub use exit::{AfterExit, Exit, RestartPolicy, after_exit};
pub use forget::{burial_over, may_forget, wants_forgotten};
pub use merge::{Word, is_missing, seen_merge};
pub use order::{Held, NodeGoal, Verdict, order_verdict};
pub use status::{WorkloadStatus, status};
pub use step::{SeatView, Step, next_step};

use serde::{Deserialize, Serialize};

use crate::Generation;
use crate::id::{NodeId, WorkloadId};

/// What kind of artifact a workload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A service: a static Linux executable that runs until it is stopped.
    #[serde(alias = "native")]
    Elf,
    /// A function: a WASI preview 1 command, run once per trigger message.
    Wasm,
    /// A function: a JavaScript file, run once per trigger message.
    #[serde(alias = "js", alias = "javascript")]
    V8,
}

impl Kind {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Elf => "elf",
            Self::Wasm => "wasm",
            Self::V8 => "v8",
        }
    }

    /// Whether it runs once per trigger message.
    pub const fn is_function(self) -> bool {
        matches!(self, Self::Wasm | Self::V8)
    }
}

/// What the owner wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Goal {
    /// It should run.
    Running,
    /// It should not run, and stay known.
    Stopped,
    /// It should not run, and be forgotten.
    Gone,
}

/// What to do with a workload whose node is lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnNodeLoss {
    /// Start it elsewhere once the lease has ended; its node fences it before.
    #[default]
    Restart,
    /// Wait for the node; its node never fences it.
    Wait,
}

/// How a node sees a workload it was ordered to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SeenState {
    /// Not here, by an order followed or never received; said, not inferred.
    Absent,
    /// Being fetched, placed in a slot or started.
    Starting,
    /// Accepted by an agent and running.
    Running,
    /// Being stopped.
    Stopping,
    /// Ended by itself with success; will not be started again.
    Ended,
    /// Given up, with a problem text beside it.
    Failed,
    /// Stopped because the node's lease ended, or not yet started again after
    /// the node itself was: waits for a fresh order.
    Fenced,
}

/// A node's last word about a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Seen {
    /// The generation of the order it speaks of.
    pub generation: Generation,
    /// What it says.
    pub state: SeenState,
}

/// What the control plane keeps of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkloadFacts {
    /// Its id.
    pub id: WorkloadId,
    /// What its owner wants.
    pub goal: Goal,
    /// How often goal or seat have changed.
    pub generation: Generation,
    /// The node it was given, with capacity reserved there.
    pub seat: Option<NodeId>,
    /// What that node last said of it.
    pub seen: Option<Seen>,
    /// What to do when that node is lost.
    pub on_node_loss: OnNodeLoss,
}

impl WorkloadFacts {
    /// The seen state, if it speaks of the present generation.
    pub fn seen_now(&self) -> Option<SeenState> {
        self.seen
            .filter(|seen| seen.generation == self.generation)
            .map(|seen| seen.state)
    }
}
