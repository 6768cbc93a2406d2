//! How much was dropped since it was last said.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use chrono::Utc;
use hostler_wire::nats::CloudEvent;
use hostler_wire::nats::Message;
use hostler_wire::nats::event::SYSTEM_NAMESPACE;
use serde_json::json;

use super::Item;

/// The type of the event that tells of drops (ours).
const KIND: &str = "relay_dropped";

/// Counts of what was dropped.
#[derive(Debug, Default)]
pub(super) struct Drops {
    logs: AtomicU64,
    events: AtomicU64,
}

/// What was dropped since the last time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dropped {
    pub(super) logs: u64,
    pub(super) events: u64,
}

impl Drops {
    /// Counts log entries.
    pub(super) fn logs(&self, count: u64) {
        self.logs.fetch_add(count, Ordering::Relaxed);
        metrics::counter!("hostler_relay_dropped_total", "kind" => "log").increment(count);
    }

    /// Counts events.
    pub(super) fn events(&self, count: u64) {
        self.events.fetch_add(count, Ordering::Relaxed);
        metrics::counter!("hostler_relay_dropped_total", "kind" => "event").increment(count);
    }

    /// The counts, if there is something to tell; they begin anew.
    pub(super) fn take(&self) -> Option<Dropped> {
        if self.logs.load(Ordering::Relaxed) == 0 && self.events.load(Ordering::Relaxed) == 0 {
            return None;
        }
        Some(Dropped {
            logs: self.logs.swap(0, Ordering::Relaxed),
            events: self.events.swap(0, Ordering::Relaxed),
        })
    }
}

/// The event that tells of drops.
pub(super) fn item(node: &str, dropped: Dropped) -> Item {
    let event = CloudEvent {
        data: json!({ "id": node, "logs": dropped.logs, "events": dropped.events }),
        datacontenttype: "application/json".to_owned(),
        id: uuid::Uuid::new_v4().to_string(),
        source: node.to_owned(),
        specversion: "1.0".to_owned(),
        time: Some(Utc::now()),
        r#type: KIND.to_owned(),
    };
    Item::Forward {
        namespace: SYSTEM_NAMESPACE.into(),
        kind: KIND.to_owned(),
        event: Bytes::from(Message::encode(&event)),
    }
}
