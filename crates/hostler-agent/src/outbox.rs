//! What the agent says unasked: log entries and events, in the order in which
//! they came about, so that the last words of a workload precede its end.
//!
//! The queue is bounded in bytes. When the node does not keep up, entries are
//! dropped and counted, and the count is said as an entry of its own; events
//! are few and never dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use async_nats::Client;
use bytes::Bytes;
use hostler_wire::agent::{AgentLevel, CloudEvent, EventData, LogEntry, Message as _};
use hostler_wire::agent::{SOURCE_AGENT, subject};
use tokio::sync::mpsc;

use crate::link::Listener;

/// The most bytes of text that wait.
const ROOM: usize = 1 << 20;

/// What an entry costs beside its text.
const OVERHEAD: usize = 128;

enum Item {
    Entry(LogEntry),
    Event { kind: &'static str, body: Bytes },
}

/// The entrance of the queue. Cloning gives another handle to the same one.
#[derive(Clone)]
pub(crate) struct Outbox {
    slot: Arc<str>,
    queue: mpsc::UnboundedSender<Item>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    waiting: AtomicUsize,
    dropped: AtomicU64,
}

/// The exit of the queue.
pub(crate) struct Delivery {
    slot: Arc<str>,
    queue: mpsc::UnboundedReceiver<Item>,
    counts: Arc<Counts>,
    /// How many dropped entries the node was told of.
    told: u64,
}

/// A queue for a slot.
pub(crate) fn outbox(slot: &str) -> (Outbox, Delivery) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let slot = Arc::<str>::from(slot);
    let counts = Arc::<Counts>::default();
    let outbox = Outbox {
        slot: Arc::clone(&slot),
        queue: sender,
        counts: Arc::clone(&counts),
    };
    let delivery = Delivery {
        slot,
        queue: receiver,
        counts,
        told: 0,
    };
    (outbox, delivery)
}

impl Outbox {
    /// Something that `source` wrote.
    pub(crate) fn log(&self, source: &str, level: AgentLevel, text: String) {
        let size = text.len() + OVERHEAD;
        if self.counts.waiting.load(Relaxed) + size > ROOM {
            self.counts.dropped.fetch_add(1, Relaxed);
            return;
        }
        self.counts.waiting.fetch_add(size, Relaxed);
        let source = source.to_owned();
        // Fails only when the agent ends.
        let _ = self.queue.send(Item::Entry(LogEntry {
            source,
            level,
            text,
        }));
    }

    /// Something that the agent has to say.
    pub(crate) fn say(&self, level: AgentLevel, text: String) {
        self.log(SOURCE_AGENT, level, text);
    }

    /// Something that happened to the workload.
    pub(crate) fn event(&self, data: EventData) {
        let kind = data.event_type();
        let event = CloudEvent::new(&self.slot, uuid::Uuid::new_v4(), chrono::Utc::now(), data);
        let body = event.encode().into();
        // Fails only when the agent ends.
        let _ = self.queue.send(Item::Event { kind, body });
    }

    /// How many entries were dropped so far.
    pub(crate) fn dropped(&self) -> u64 {
        self.counts.dropped.load(Relaxed)
    }
}

impl Delivery {
    /// Publishes what comes, for ever, while somebody listens; meanwhile the
    /// queue fills.
    pub(crate) async fn run(mut self, client: Client, mut listener: Listener) {
        while let Some((subject, body)) = self.next().await {
            listener.present().await;
            // Fails for subjects that are none, which these are not.
            if let Err(error) = client.publish(subject, body).await {
                tracing::warn!(%error, "could not publish");
            }
        }
    }

    /// The next message, with its subject.
    async fn next(&mut self) -> Option<(String, Bytes)> {
        let dropped = self.counts.dropped.load(Relaxed);
        if dropped > self.told {
            let text = format!("{} log entries were dropped", dropped - self.told);
            self.told = dropped;
            return Some(self.entry(&LogEntry {
                source: SOURCE_AGENT.to_owned(),
                level: AgentLevel::WARN,
                text,
            }));
        }
        match self.queue.recv().await? {
            Item::Entry(entry) => {
                let size = entry.text.len() + OVERHEAD;
                self.counts.waiting.fetch_sub(size, Relaxed);
                Some(self.entry(&entry))
            }
            Item::Event { kind, body } => Some((subject::event(&self.slot, kind), body)),
        }
    }

    fn entry(&self, entry: &LogEntry) -> (String, Bytes) {
        (subject::logs(&self.slot), entry.encode().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hostler_wire::agent::WorkloadStarted;

    fn started() -> EventData {
        EventData::WorkloadStarted(WorkloadStarted::default())
    }

    #[tokio::test]
    async fn entries_past_the_room_are_dropped_counted_and_told() {
        let (outbox, mut delivery) = outbox("s1");
        for _ in 0..40 {
            outbox.log("w", AgentLevel::INFO, "x".repeat(32 << 10));
        }
        outbox.event(started());
        assert_eq!(outbox.dropped(), 9);
        let (subject, body) = delivery.next().await.unwrap();
        let entry = LogEntry::decode(&body).unwrap();
        assert_eq!(subject, "agentint.s1.logs");
        assert_eq!(entry.text, "9 log entries were dropped");
        assert_eq!(entry.level, AgentLevel::WARN);
        for _ in 0..31 {
            assert_eq!(delivery.next().await.unwrap().0, "agentint.s1.logs");
        }
        let (subject, _) = delivery.next().await.unwrap();
        assert_eq!(subject, "agentint.s1.events.workload_started");
        outbox.say(AgentLevel::INFO, "there is room again".to_owned());
        let (_, body) = delivery.next().await.unwrap();
        assert_eq!(LogEntry::decode(&body).unwrap().source, SOURCE_AGENT);
    }
}
