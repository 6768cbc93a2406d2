//! The end of the lease, told to the agent of leased work (ours). The agent
//! outlives its node's daemon, and stops the work by itself when the end has
//! come and nothing newer was heard.
//!
//! Moments are the *agent's*: milliseconds of its own clock, one that never
//! steps back and counts while the machine sleeps. The node knows that clock by
//! the readings in handshakes, answers to pings and [`AgentLeaseReply`]. An
//! agent that sends none does not know of leases, and is told nothing.

use std::time::Duration;

use hostler_core::node::ToldEnd;
use serde::{Deserialize, Serialize};

use crate::nats::go_json::Message;

/// Request on `agentint.{slot}.lease`; also a member of a deploy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentLease {
    /// Later messages have higher numbers; the highest counts.
    pub order: u64,
    /// When the workload must have ended; absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<u64>,
}

impl Message for AgentLease {}

impl AgentLease {
    /// Has the agent's knowledge take this in; whether it counts.
    pub fn tell(&self, told: &mut ToldEnd, now: Duration) -> bool {
        let until = self.until_ms.map(Duration::from_millis);
        told.hear(self.order, until, now)
    }
}

/// Its answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentLeaseReply {
    /// The number of the message that counts.
    pub order: u64,
    /// What the agent's clock shows.
    pub clock_ms: u64,
}

impl Message for AgentLeaseReply {}
