//! A machine in the fleet: what is kept of it, and what follows from that.
//!
//! Facts are stored, status is computed. A node is *pending* until it was
//! heard once, then *online*, *suspect* (takes no new seats) and *offline*
//! (its work is unknown) as its silence grows. Only when the lease it was
//! granted has run out may its work be seated elsewhere, because the node
//! fences itself one margin before that, by its own clock.

mod availability;
mod beat;
mod held;
mod lease;
mod leave;
mod told;

pub use availability::{Availability, NodeStatus, Timing, availability, node_status};
pub use beat::Beat;
pub use held::HeldLease;
pub use lease::{Grant, lease_grant};
pub use leave::StillSeated;
pub use told::{AgentClock, ToldEnd};

use serde::{Deserialize, Serialize};

use crate::id::NodeId;
use crate::{Labels, Resources, Timestamp};

/// Whether a node takes new work, as its operator wishes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheduling {
    /// Takes new work.
    #[default]
    Open,
    /// Takes none; what runs there is being moved away.
    Draining,
    /// Takes none; what runs there stays (maintenance).
    Closed,
}

/// What the control plane keeps of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeFacts {
    /// Its id.
    pub id: NodeId,
    /// What the machine has.
    pub capacity: Resources,
    /// What its seats have taken.
    pub reserved: Resources,
    /// How many workloads it may hold at once.
    pub slots: u32,
    /// How many it holds.
    pub seated: u32,
    /// Keys and values to select by.
    pub labels: Labels,
    /// What its operator wishes.
    pub scheduling: Scheduling,
    /// When it was last heard; never, if it only registered.
    pub last_heard: Option<Timestamp>,
    /// Until when its work is its own.
    pub lease_until: Timestamp,
}

impl NodeFacts {
    /// Whether new work may be seated here now, room aside.
    pub fn takes_seats(&self, now: Timestamp, timing: &Timing) -> bool {
        let online = availability(self.last_heard, now, timing) == Availability::Online;
        online && self.scheduling == Scheduling::Open
    }

    /// Whether everything seated here may be seated elsewhere: the node is
    /// offline and the lease it was granted has run out. True only in the
    /// transaction that asks: a heartbeat may renew the lease right after.
    pub fn is_lost(&self, now: Timestamp, timing: &Timing) -> bool {
        let offline = availability(self.last_heard, now, timing) == Availability::Offline;
        offline && now >= self.lease_until
    }
}
