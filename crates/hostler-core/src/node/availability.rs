//! How silence becomes a status.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Scheduling;
use crate::Timestamp;

/// The spans that turn silence into a status, all derived from one heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Between two heartbeats.
    pub heartbeat: Duration,
    /// Silence after which a node takes no new seats.
    pub suspect_after: Duration,
    /// Silence after which its work is unknown.
    pub offline_after: Duration,
    /// Without an answered heartbeat for this long, a node stops leased work.
    pub fence_after: Duration,
    /// How long a heartbeat grants a node its work.
    pub lease: Duration,
}

impl Timing {
    /// Suspect after 2 heartbeats, offline after 3, fenced after 4, lease 5.
    /// The node counts from *sending* the heartbeat and the control plane from
    /// *receiving* it, so the margin between the last two is never below one.
    pub const fn of(heartbeat: Duration) -> Self {
        Self {
            heartbeat,
            suspect_after: heartbeat.saturating_mul(2),
            offline_after: heartbeat.saturating_mul(3),
            fence_after: heartbeat.saturating_mul(4),
            lease: heartbeat.saturating_mul(5),
        }
    }

    /// How much longer the control plane waits than the node: it covers what
    /// their clocks run apart, and the time a killed process takes to be gone.
    pub const fn margin(&self) -> Duration {
        self.lease.saturating_sub(self.fence_after)
    }
}

impl Default for Timing {
    fn default() -> Self {
        Self::of(Duration::from_secs(15))
    }
}

/// What a node's silence says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Availability {
    /// Registered, never heard.
    Pending,
    /// Heard in time.
    Online,
    /// Late: no new seats, its work is still believed.
    Suspect,
    /// Silent: its work is unknown.
    Offline,
}

/// What silence since `last_heard` says at `now`.
pub fn availability(
    last_heard: Option<Timestamp>,
    now: Timestamp,
    timing: &Timing,
) -> Availability {
    let Some(heard) = last_heard else {
        return Availability::Pending;
    };
    let silence = now.since(heard);
    if silence >= timing.offline_after {
        Availability::Offline
    } else if silence >= timing.suspect_after {
        Availability::Suspect
    } else {
        Availability::Online
    }
}

/// A node's status as people read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeStatus {
    /// Registered, never heard.
    Pending,
    /// Heard in time, open to work.
    Online,
    /// Late.
    Suspect,
    /// Silent.
    Offline,
    /// Heard in time, closed to new work by its operator.
    Maintenance,
    /// Heard in time, giving its work away.
    Draining,
}

/// Silence outweighs wishes: an offline node is offline, whatever was ordered.
pub fn node_status(availability: Availability, scheduling: Scheduling) -> NodeStatus {
    match (availability, scheduling) {
        (Availability::Pending, _) => NodeStatus::Pending,
        (Availability::Offline, _) => NodeStatus::Offline,
        (Availability::Suspect, _) => NodeStatus::Suspect,
        (Availability::Online, Scheduling::Open) => NodeStatus::Online,
        (Availability::Online, Scheduling::Draining) => NodeStatus::Draining,
        (Availability::Online, Scheduling::Closed) => NodeStatus::Maintenance,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_decides_in_three_steps() {
        let timing = Timing::default();
        let heard = Timestamp::from_ms(1_000_000);
        let check = |silence_ms, expected| {
            let now = heard + Duration::from_millis(silence_ms);
            assert_eq!(
                availability(Some(heard), now, &timing),
                expected,
                "{silence_ms} ms"
            );
        };
        check(0, Availability::Online);
        check(29_999, Availability::Online);
        check(30_000, Availability::Suspect);
        check(44_999, Availability::Suspect);
        check(45_000, Availability::Offline);
        assert_eq!(availability(None, heard, &timing), Availability::Pending);
    }

    #[test]
    fn a_clock_that_steps_back_keeps_a_node_online() {
        let heard = Timestamp::from_ms(1_000_000);
        let now = Timestamp::from_ms(1);
        assert_eq!(
            availability(Some(heard), now, &Timing::default()),
            Availability::Online
        );
    }

    #[test]
    fn silence_outweighs_wishes() {
        let status = |silence| node_status(silence, Scheduling::Closed);
        assert_eq!(status(Availability::Online), NodeStatus::Maintenance);
        assert_eq!(status(Availability::Offline), NodeStatus::Offline);
        let draining = node_status(Availability::Online, Scheduling::Draining);
        assert_eq!(draining, NodeStatus::Draining);
    }
}
