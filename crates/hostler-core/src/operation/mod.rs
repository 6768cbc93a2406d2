//! Operations: durable, long, cancellable changes, as step machines.
//!
//! A worker asks [`next_step`] with what is written down of the operation and
//! what is true of its subject, does the one thing it says, writes the
//! action's word into `steps_done`, and asks again. It may die at any point
//! and another goes on: every action done twice ends the same.
//!
//! ```text
//!  waiting ──claim──▶ running ──all steps──▶ done
//!     ▲                 │  │
//!     └── lease ended ──┘  ├──cancel, all put back──▶ undone
//!                          └──deadline, or a person is needed──▶ stuck
//! ```
//!
//! What must never happen: two workers writing (each write carries the number
//! of its claim), or a node unregistered while something is seated there.

mod action;
mod facts;
mod node;

pub use action::Action;
pub use facts::{NodeWorld, OperationFacts, OperationKind, OperationKindError, WorkLease};
pub use facts::{may_work, state};
pub use node::{next_step, progress};

use serde::{Deserialize, Serialize};

/// Where an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OperationState {
    /// Nobody works on it.
    Waiting,
    /// A worker holds its lease.
    Running,
    /// Done.
    Done,
    /// Called off, its effects taken back.
    Undone,
    /// Cannot go on without a person.
    Stuck,
}

/// The one next thing to do for an operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum OperationStep {
    /// Carry this out, then write its word into `steps_done`.
    Do(Action),
    /// Only time will tell; ask again later.
    Wait,
    /// Carry this out to take an effect back, then write its word.
    Undo(Action),
    /// It has ended so: done or undone.
    Finish(OperationState),
    /// It cannot go on without a person; why, in words.
    Stuck(String),
}
