//! Events and logs on their way out to the control NATS.
//!
//! Whoever has something to say puts it into a bounded queue and goes on; one
//! task writes it out. When the control NATS is away or slow, the queue fills
//! and what comes then is dropped and counted, logs and events apart; the
//! counts are published once there is room again.
//!
//! A lone message goes out at once. Of a stream of them, what came during a
//! short [`PAUSE`] goes out together: a trigger makes two messages that nobody
//! waits for, and to wake the way out for each would cost the next trigger time.
//!
//! What must never happen: a workload, a trigger or a heartbeat that waits
//! for somebody who reads logs.

mod drops;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hostler_core::id::SlotId;
use hostler_wire::nats::event::SYSTEM_NAMESPACE;
use hostler_wire::nats::subject::{self, LogSubject};
use hostler_wire::nats::{CloudEvent, EventData, LogLevel, LogPayload, Message};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use drops::Drops;

/// How long messages are gathered after others went out.
const PAUSE: Duration = Duration::from_millis(5);

/// How many go out together at most; then the next follow without a pause.
const MANY: usize = 256;

/// The way out. Cloning gives another handle to the same one.
#[derive(Clone, Debug)]
pub(crate) struct Relay {
    node: Arc<str>,
    queue: mpsc::Sender<Item>,
    drops: Arc<Drops>,
}

/// Who says something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Speaker {
    /// The workload's namespace.
    pub namespace: Arc<str>,
    /// The workload's name.
    pub name: Arc<str>,
    /// Its slot.
    pub slot: SlotId,
}

/// What waits to be written out. Made into JSON by the writing task.
#[derive(Debug)]
enum Item {
    Event {
        namespace: Arc<str>,
        source: Option<SlotId>,
        time: chrono::DateTime<chrono::Utc>,
        data: EventData,
    },
    /// An agent's event, as the agent wrote it.
    Forward {
        namespace: Arc<str>,
        kind: String,
        event: Bytes,
    },
    Log {
        speaker: Speaker,
        level: LogLevel,
        text: String,
    },
}

/// The receiving end, to be given to [`Relay::run`].
#[derive(Debug)]
pub(crate) struct Outbox(mpsc::Receiver<Item>);

impl Relay {
    /// A relay for the node with this public key, with room for `capacity`
    /// messages.
    pub(crate) fn new(node: &str, capacity: usize) -> (Self, Outbox) {
        let (queue, outbox) = mpsc::channel(capacity);
        let relay = Self {
            node: node.into(),
            queue,
            drops: Arc::default(),
        };
        (relay, Outbox(outbox))
    }

    /// Says what happened to the node as a whole.
    pub(crate) fn node_event(&self, data: EventData) {
        self.event(SYSTEM_NAMESPACE.into(), None, data);
    }

    /// Says what happened to a workload; the source is its slot.
    pub(crate) fn workload_event(&self, speaker: &Speaker, data: EventData) {
        self.event(Arc::clone(&speaker.namespace), Some(speaker.slot), data);
    }

    /// Says what the node did for a workload; the source is the node.
    pub(crate) fn function_event(&self, namespace: &Arc<str>, data: EventData) {
        self.event(Arc::clone(namespace), None, data);
    }

    /// Passes an agent's event on, in the bytes it came in.
    pub(crate) fn forward(&self, speaker: &Speaker, kind: String, event: Bytes) {
        let namespace = Arc::clone(&speaker.namespace);
        self.put(Item::Forward {
            namespace,
            kind,
            event,
        });
    }

    /// Passes a log entry on.
    pub(crate) fn log(&self, speaker: &Speaker, level: LogLevel, text: String) {
        let speaker = speaker.clone();
        self.put(Item::Log {
            speaker,
            level,
            text,
        });
    }

    /// Counts log entries that were dropped before they came here.
    pub(crate) fn logs_dropped(&self, count: u64) {
        self.drops.logs(count);
    }

    /// Writes out what comes, until `stop` and the queue is empty.
    pub(crate) async fn run(
        self,
        outbox: Outbox,
        client: async_nats::Client,
        stop: CancellationToken,
    ) {
        let mut outbox = outbox.0;
        let mut items = Vec::with_capacity(MANY);
        while gather(&mut outbox, &mut items, &stop).await {
            let pause = items.len() < MANY;
            for item in items.drain(..) {
                self.publish(&client, item).await;
            }
            if let Some(data) = self.drops.take() {
                let item = drops::item(&self.node, data);
                self.publish(&client, item).await;
            }
            if pause {
                // Whoever stops does not wait.
                let _ = tokio::time::timeout(PAUSE, stop.cancelled()).await;
            }
        }
    }

    fn event(&self, namespace: Arc<str>, source: Option<SlotId>, data: EventData) {
        let time = chrono::Utc::now();
        self.put(Item::Event {
            namespace,
            source,
            time,
            data,
        });
    }

    fn put(&self, item: Item) {
        let Err(error) = self.queue.try_send(item) else {
            return;
        };
        match error.into_inner() {
            Item::Log { .. } => self.drops.logs(1),
            Item::Event { .. } | Item::Forward { .. } => self.drops.events(1),
        }
    }

    async fn publish(&self, client: &async_nats::Client, item: Item) {
        let (subject, payload) = self.message(item);
        if let Err(error) = client.publish(subject, payload).await {
            tracing::debug!(%error, "could not publish an event or a log entry");
        }
    }

    fn message(&self, item: Item) -> (String, Bytes) {
        match item {
            Item::Event {
                namespace,
                source,
                time,
                data,
            } => {
                let source = source.map(|slot| slot.to_string());
                let source = source.as_deref().unwrap_or(&self.node);
                let event = CloudEvent::new(source, uuid::Uuid::new_v4(), time, data);
                let subject = subject::event(&namespace, &event.r#type);
                (subject, event.encode().into())
            }
            Item::Forward {
                namespace,
                kind,
                event,
            } => (subject::event(&namespace, &kind), event),
            Item::Log {
                speaker,
                level,
                text,
            } => {
                let id = speaker.slot.to_string();
                let subject = subject::log(&LogSubject {
                    namespace: &speaker.namespace,
                    node: &self.node,
                    workload: &speaker.name,
                    id: &id,
                });
                (subject, LogPayload { text, level, id }.encode().into())
            }
        }
    }
}

/// Waits for something to write out; false once all is out and `stop` is set.
async fn gather(
    outbox: &mut mpsc::Receiver<Item>,
    items: &mut Vec<Item>,
    stop: &CancellationToken,
) -> bool {
    let count = tokio::select! {
        biased;
        count = outbox.recv_many(items, MANY) => count,
        () = stop.cancelled() => {
            outbox.close();
            outbox.recv_many(items, MANY).await
        }
    };
    count > 0
}

#[cfg(test)]
mod tests;
