//! What passes between a node and the process that has its driver.
//!
//! The process speaks first, once, and says hello. Then the node asks, as much at
//! once as it likes, and each question is answered once, in any order. A question
//! whose asker has gone is answered all the same, to nobody.

use std::path::PathBuf;

use hostler_core::id::VmId;
use serde::{Deserialize, Serialize};

use crate::hypervisor::machines::{
    About, Channel, MachineError, MachineSpec, PowerAct, Sight, SnapshotAct,
};

/// Grows with every change of what is here: both ends are of one build.
pub(super) const SPEECH: u32 = 1;

/// The first word of the process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hello {
    /// [`SPEECH`] of the process.
    pub(super) speech: u32,
    /// What its driver is.
    pub(super) about: About,
    /// Why whoever it drives does not answer now, if so.
    pub(super) away: Option<String>,
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Asked {
    pub(super) id: u64,
    pub(super) call: Call,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Answered {
    pub(super) id: u64,
    pub(super) result: Result<Value, Problem>,
}

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Call {
    Look,
    Define(Box<MachineSpec>),
    Power { vm: VmId, act: PowerAct },
    Snapshot { vm: VmId, act: SnapshotAct },
    Grow { vm: VmId, disk: String, bytes: u64 },
    Remove { vm: VmId },
    Socket { vm: VmId, channel: Channel },
    Screenshot { vm: VmId },
}

/// What is answered when all went well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Value {
    /// To whatever changes something.
    Done,
    Machines(Vec<Sight>),
    Socket(PathBuf),
    /// PNG, in base 64.
    Picture(String),
}

/// [`MachineError`] on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Problem {
    Refused(String),
    Failed(String),
    Away(String),
}

impl From<MachineError> for Problem {
    fn from(error: MachineError) -> Self {
        let text = error.to_string();
        match error {
            MachineError::Refused(_) => Self::Refused(text),
            MachineError::Failed(_) | MachineError::Late(..) => Self::Failed(text),
            MachineError::Away(_) => Self::Away(text),
        }
    }
}

impl From<Problem> for MachineError {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Refused(text) => Self::Refused(text),
            Problem::Failed(text) => Self::Failed(text),
            Problem::Away(text) => Self::Away(text),
        }
    }
}
