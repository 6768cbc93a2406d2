//! Runners: machines that a provider was asked for, and everything decided
//! about them. Nothing here knows what a provider is made of.
//!
//! ```text
//!  pending ──on a machine──▶ provisioning ──its program runs, it registered──▶ ready
//!     │ deadline passed           ▲     │                                        │
//!     ▼                           │     └───────── a program gone ◀──────────────┘
//!  failed ──on a machine after all┘
//! ```
//!
//! - `facts`: what a provider sees of a runner; a failure to ask is no fact, so
//!   whoever could not ask keeps the facts it had
//! - `reason`: why something is as it is, for people and programs
//! - `status`: from facts to the word people read
//! - `demand`: how many machines each pool is to have more or less, and why
//! - `member`: which runner a node of the fleet is
//! - `sweep`: machines of ours that no job knows of
//! - `pool`: what kind of machines may be asked for, and how many
//! - `job`: one request to add or remove runners, from its record to its end
//! - `removal`: whom to remove, and the next step of a removal

pub mod demand;
mod facts;
mod fallback;
mod id;
pub mod job;
pub mod member;
pub mod pool;
mod reason;
pub mod removal;
mod status;
pub mod sweep;

pub use facts::{Machine, Mark, Program, Request, RunnerFacts};
pub use fallback::{Rest, Rests, pool_instead, rest_after};
pub use id::{RunnerId, RunnerIdError};
pub use pool::{Arch, Bounds, PoolName, RunnerPool, Taint, Window};
pub use reason::{Reason, ReasonCode};
pub use status::{Membership, RunnerStatus, StatusRules, Verdict, runner_status};
