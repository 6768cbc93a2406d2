//! Who may do what.
//!
//! An *actor* is what a request proved to be; a *demand* is what a route asks
//! for, in one visible line; the *decision* is a total function of the two.
//! The outside turns decisions into answers: [`Decision::OtherProject`] reads
//! like a thing that does not exist, so that nobody learns what others have.
//!
//! What must never happen: a token that makes a stronger one, a node's key
//! that opens anything but the node's own affairs.

mod actor;
mod decide;
mod grant;
mod guess;
mod policy;

pub use actor::{Actor, ActorKind, is_expired};
pub use decide::{Decision, Demand, decide};
pub use grant::{GrantError, may_grant};
pub use guess::{GUESSES_AT_ONCE, GuessVerdict, Guesser, guess};
pub use policy::{Policy, PolicyError, PolicySet};
