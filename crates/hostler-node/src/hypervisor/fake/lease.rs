//! What a fake agent knows of the lease: as much as a real one, by a clock of
//! its own that is far ahead of the node's, as one of a machine may be.

use std::time::Duration;

use hostler_core::node::ToldEnd;
use hostler_wire::agent::{AgentLease, AgentLeaseReply};
use tokio::sync::watch;

use crate::clock::Clock;

const AHEAD: Duration = Duration::from_hours(1_000);
const LOOK: Duration = Duration::from_millis(100);

/// A fake agent's lease.
#[derive(Debug, Default)]
pub(super) struct FakeLease {
    told: watch::Sender<ToldEnd>,
    clock: Clock,
}

impl FakeLease {
    /// What the agent's clock shows.
    pub(super) fn clock_ms(&self) -> u64 {
        u64::try_from(self.now().as_millis()).unwrap_or(u64::MAX)
    }

    /// In how long the lease ends, if it does.
    pub(super) fn left(&self) -> Option<Duration> {
        let end = self.told.borrow().ends_at()?;
        Some(end.saturating_sub(self.now()))
    }

    /// Takes in what the node says.
    pub(super) fn hear(&self, lease: &AgentLease) -> AgentLeaseReply {
        let now = self.now();
        self.told.send_if_modified(|told| lease.tell(told, now));
        AgentLeaseReply {
            order: self.told.borrow().order(),
            clock_ms: self.clock_ms(),
        }
    }

    /// Returns when the lease has ended.
    pub(super) async fn ended(&self) {
        let mut changes = self.told.subscribe();
        while self.left() != Some(Duration::ZERO) {
            let pause = self.left().map_or(LOOK, |left| left.min(LOOK));
            // Either way it is looked again.
            let _ = tokio::time::timeout(pause, changes.changed()).await;
        }
    }

    fn now(&self) -> Duration {
        self.clock.now() + AHEAD
    }
}
