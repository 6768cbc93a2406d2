//! Who may do what.
//!
//! An *actor* is what a request proved to be; a *demand* is what a route asks
//! for, in one visible line; the *decision* is a total function of the two.
//! The outside turns decisions into answers: [`Decision::OtherProject`] reads
//! like a thing that does not exist, so that nobody learns what others have.
//!
//! What must never happen: somebody who makes somebody stronger, a fleet that
//! nobody may change any more, a node's key that opens anything but the node's
//! own affairs.

mod actor;
mod alias;
mod attempt;
mod decide;
mod grant;
mod guess;
mod policy;
mod quota;
mod rights;
mod role;
mod user_name;

pub use actor::{Actor, ActorKind, is_expired, session_end};
pub use alias::policies_named;
pub use attempt::{Attempts, PER_ADDRESS, PER_NAME, Patience, attempt};
pub use decide::{Decision, Demand, decide};
pub use grant::{GrantError, may_grant};
pub use guess::{GUESSES_AT_ONCE, GuessVerdict, Guesser, guess};
pub use policy::{Policy, PolicyError, PolicySet};
pub use quota::{Excess, Quota, Usage, quota_verdict};
pub use rights::{Reach, Rights};
pub use role::{BuiltIn, Grants, OwnRoles, role_policies};
pub use user_name::{UserName, UserNameError};
