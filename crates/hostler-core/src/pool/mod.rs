//! The warm pool of a node: slots booted ahead of the work they will take.
//!
//! A [`Slot`] counts as warm only after its agent shook hands, is handed out
//! once and never used again. [`plan`] is the keeper's whole judgement: how
//! many to boot, which to give up, when to look again.

mod plan;
mod slot;

pub use plan::{PoolFacts, PoolPlan, PoolRules, plan};
pub use slot::{Slot, SlotError, SlotState};
