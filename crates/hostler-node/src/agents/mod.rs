//! Talking to the agents in slots, over the inner NATS server.
//!
//! The node asks ([`Link`]: deploy, undeploy, trigger, ping, lease) and answers
//! ([`listen`]: handshakes, artifact chunks, events, logs). One set of
//! wildcard subscriptions serves all agents; the slot is a token of the
//! subject, and the server lets an agent publish under its own slot only, so
//! the token can be believed. How machines are made is unknown here; what a
//! message means for a slot is asked of a [`Desk`].
//!
//! Reconnects are invisible to callers, except that a request whose answer
//! was lost with the connection runs into its deadline, unless it is one that
//! may be repeated.

mod artifact;
mod desk;
mod error;
mod link;
mod listen;
mod requests;
mod types;

pub(crate) use artifact::Artifact;
pub(crate) use desk::Desk;
pub use error::LinkError;
pub(crate) use link::Link;
pub(crate) use listen::listen;
pub use types::{DeployError, Deployment, Trigger, TriggerError, TriggerReply};
