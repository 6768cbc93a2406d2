//! Functions listen here: trigger subjects on the control NATS, each message
//! passed to the function's slot in a task of its own (protocol, 6.10).
//!
//! Subscriptions are in a queue group of namespace and name, so that while a
//! function moves from one node to another a message runs once. The number of
//! messages under way is bounded over all functions; beyond it messages wait
//! in their subscription.
//!
//! What must never happen: a reply to somebody for a message that failed; a
//! slow or failing call that holds up the next one.

mod call;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::StreamExt;
use hostler_wire::nats::{TriggerSubject, subject::TriggerSubjectError};
use tokio::sync::Semaphore;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::relay::{Relay, Speaker};
use crate::services::{Admitted, Services};
use crate::slots::Slots;

/// A trigger subject could not be listened on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListenError {
    /// It is no subject, or one that nobody may listen on.
    #[error(transparent)]
    Subject(#[from] TriggerSubjectError),
    /// The control NATS could not be told.
    #[error("nats: could not subscribe {subject}")]
    Subscribe {
        /// Which.
        subject: String,
        /// Why.
        source: async_nats::SubscribeError,
    },
}

/// Where functions begin to listen. Cloning gives another handle.
#[derive(Clone)]
pub(crate) struct Triggers(Arc<Shared>);

struct Shared {
    client: async_nats::Client,
    slots: Slots,
    relay: Relay,
    services: Services,
    permits: Arc<Semaphore>,
    tasks: TaskTracker,
}

/// What functions have computed. Shared with their tasks.
#[derive(Debug, Default)]
pub struct Computed {
    nanos: AtomicU64,
}

impl Computed {
    /// A count that begins with what an adopted agent says.
    pub fn starting_at(nanos: u64) -> Self {
        let nanos = AtomicU64::new(nanos);
        Self { nanos }
    }

    /// How long calls took together.
    pub fn total(&self) -> Duration {
        Duration::from_nanos(self.nanos.load(Ordering::Relaxed))
    }

    fn add(&self, ran: Duration) {
        let nanos = u64::try_from(ran.as_nanos()).unwrap_or(u64::MAX);
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
    }
}

/// A function that listens, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Listening {
    _stop: DropGuard,
    /// It may ask for host services as long.
    _admitted: Admitted,
}

impl Triggers {
    /// A place for at most `max` messages under way at once.
    pub(crate) fn new(
        client: async_nats::Client,
        (slots, services): (Slots, Services),
        relay: Relay,
        max: usize,
    ) -> Self {
        Self(Arc::new(Shared {
            client,
            slots,
            relay,
            services,
            permits: Arc::new(Semaphore::new(max)),
            tasks: TaskTracker::new(),
        }))
    }

    /// Has the function of a slot listen on its subjects, all or none.
    pub(crate) async fn listen(
        &self,
        speaker: &Speaker,
        subjects: &[String],
        computed: &Arc<Computed>,
    ) -> Result<Listening, ListenError> {
        let parsed: Result<Vec<TriggerSubject>, _> =
            subjects.iter().map(|subject| subject.parse()).collect();
        let queue = format!("hostler.{}.{}", speaker.namespace, speaker.name);
        let admitted = self.0.services.admit(speaker);
        let mut subscribers = Vec::new();
        for subject in parsed? {
            let subscriber = self
                .0
                .client
                .queue_subscribe(subject.to_string(), queue.clone())
                .await
                .map_err(|source| ListenError::Subscribe {
                    subject: subject.to_string(),
                    source,
                })?;
            subscribers.push((subject, subscriber));
        }
        let stop = CancellationToken::new();
        for (subject, subscriber) in subscribers {
            let call = call::Call::new(speaker, subject.as_str(), computed);
            let serve = serve(Arc::clone(&self.0), call, subscriber, stop.clone());
            self.0.tasks.spawn(serve);
        }
        Ok(Listening {
            _stop: stop.drop_guard(),
            _admitted: admitted,
        })
    }
}

async fn serve(
    shared: Arc<Shared>,
    call: call::Call,
    mut messages: async_nats::Subscriber,
    stop: CancellationToken,
) {
    let call = Arc::new(call);
    loop {
        let message = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            message = messages.next() => message,
        };
        let Some(message) = message else {
            return;
        };
        let Ok(permit) = Arc::clone(&shared.permits).acquire_owned().await else {
            return;
        };
        let (tasks, shared, call) = (&shared.tasks, Arc::clone(&shared), Arc::clone(&call));
        let mut run = Box::pin(async move {
            call.run(&shared.client, &shared.slots, &shared.relay, message)
                .await;
            drop(permit);
        });
        // Passed on before anything else is done; it waits in its own task.
        if futures::poll!(run.as_mut()).is_pending() {
            tasks.spawn(run);
        }
    }
    messages.unsubscribe().await.ok();
}
