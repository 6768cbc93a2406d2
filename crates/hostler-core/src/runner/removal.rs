//! Removing runners: whom, and in which steps.
//!
//! ```text
//!  mark ─▶ drain ─▶ cordon ─▶ release ─▶ (gone from the facts)
//! ```
//!
//! The machine is closed before its runner is released: released first, the
//! request of another job could be placed there at once, and the machine would
//! never go.

mod choose;
mod step;

pub use choose::{Candidate, Choice, Refusal, Wish, removal_choose};
pub use step::{Drain, RemovalSight, RemovalStep, removal_step};
