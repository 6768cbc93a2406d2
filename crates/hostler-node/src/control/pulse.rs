//! What the node says of itself without being asked (protocol 4.2).

use std::time::Duration;

use hostler_wire::nats::EventData;
use hostler_wire::nats::event::{Heartbeat, NodeStarted, NodeStopped};
use tokio_util::sync::CancellationToken;

use super::ControlApi;

/// Between two heartbeat events.
const INTERVAL: Duration = Duration::from_secs(30);

impl ControlApi {
    /// Says that the node has started, and from then on that it lives.
    pub(crate) async fn pulse(&self, stop: CancellationToken) {
        self.relay.node_event(EventData::NodeStarted(NodeStarted {
            version: crate::VERSION.to_owned(),
            id: self.identity.node().to_owned(),
        }));
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(INTERVAL) => self.beat(),
            }
        }
    }

    /// Says that the node has stopped in good order.
    pub(crate) fn stopped(&self) {
        self.relay.node_event(EventData::NodeStopped(NodeStopped {
            id: self.identity.node().to_owned(),
            graceful: true,
        }));
    }

    fn beat(&self) {
        let running_machines = self.workloads.roster().borrow().running();
        self.relay.node_event(EventData::Heartbeat(Heartbeat {
            version: crate::VERSION.to_owned(),
            node_id: self.identity.node().to_owned(),
            uptime: self.uptime(),
            tags: self.tags(),
            running_machines,
        }));
    }
}
