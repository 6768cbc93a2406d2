//! The scheduler: which node a unit of work is given.
//!
//! A [`Fleet`] holds nodes, what is seated on them and how much room is left.
//! [`Fleet::place`] names the node for a unit, [`Fleet::explain`] says of
//! every node why. What a unit needs filters the nodes; what it would rather
//! have, and then the [`Policy`], orders the rest:
//!
//! ```text
//!  open? labels? required rules? room? ──▶ preferences met ▸ spread ▸ (sticky) ▸ policy ▸ id
//!               filter                                     order
//! ```
//!
//! Equal facts give equal answers, and the answer is always that of a scan of
//! all nodes. It is found without one: nodes stand in aisles, ordered ahead of
//! the question (`aisle`), and a search looks at few of them (`search`).
//!
//! What must never happen: a unit placed where a required rule forbids it, or
//! where there is no room; two ways of searching that disagree.

mod aisle;
mod aisles;
mod changes;
mod decide;
mod fleet;
mod host;
mod index;
mod limits;
mod plan;
mod policy;
mod reason;
mod refusal;
mod rules;
mod score;
mod search;
mod shape;
mod shelf;
mod sight;
mod tally;
mod yard;

#[cfg(test)]
mod agreement;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;

pub use fleet::Fleet;
pub use host::Place;
pub use policy::{Overcommit, Overcommits, Policy, PolicyError};
pub use reason::{Meant, Outcome, Reason, Verdict};
pub use refusal::Refusal;
pub(crate) use rules::carries;
pub use rules::{Affinity, Rules, Spread, Unit};
