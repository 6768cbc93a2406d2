//! The NATS control API (protocol 1): PING, WPING, INFO, DEPLOY, STOP,
//! LAMEDUCK on `$NEX.>` of the control NATS.
//!
//! Seven plain subscriptions, no two of which match one subject. What only
//! looks is answered in the order it comes; DEPLOY and STOP run in tasks of
//! their own, many at once up to a bound, beyond which they wait in their
//! subscription.
//!
//! What must never happen: two replies to one request; a request that ends
//! the node; work started for somebody who was refused.

mod deploy;
mod look;
mod pulse;
mod replay;
mod stop;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use hostler_wire::nats::envelope::{failure, success};
use hostler_wire::nats::event::NodeEnteredLameDuck;
use hostler_wire::nats::{Control, EventData, LameDuckRefusal, LameDuckReply, ReplyType, subject};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use replay::Replay;

use crate::artifacts::Artifacts;
use crate::config::Admission;
use crate::hypervisor::Isolation;
use crate::identity::Identity;
use crate::relay::Relay;
use crate::report::report;
use crate::tags::tags;
use crate::workloads::Workloads;

/// What the control API works with.
pub(crate) struct ControlApi {
    pub(crate) client: async_nats::Client,
    pub(crate) identity: Identity,
    pub(crate) name: String,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) isolation: Isolation,
    pub(crate) admission: Admission,
    pub(crate) artifacts: Artifacts,
    pub(crate) workloads: Workloads,
    pub(crate) relay: Relay,
    pub(crate) replay: Replay,
    /// DEPLOY and STOP requests under way at once.
    pub(crate) requests: usize,
    pub(crate) started: Instant,
}

/// How long a control NATS may take to take the subscriptions, before it is
/// reckoned to be away.
const AT_HAND: Duration = Duration::from_secs(1);

/// The control API could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("could not subscribe {subject} on the control NATS")]
pub struct ControlError {
    subject: String,
    source: async_nats::SubscribeError,
}

/// The subscriptions of the control API, to be given to [`ControlApi::run`].
pub(crate) struct Requests(Vec<async_nats::Subscriber>);

impl ControlApi {
    /// Subscribes; from now on requests wait for [`ControlApi::run`].
    pub(crate) async fn open(&self) -> Result<Requests, ControlError> {
        let mut subscribers = Vec::new();
        for subject in subject::node_subscriptions(self.identity.node()) {
            let subscriber = self.client.subscribe(subject.clone()).await;
            subscribers.push(subscriber.map_err(|source| ControlError { subject, source })?);
        }
        // With a control NATS at hand, requests reach the node from here on.
        tokio::time::timeout(AT_HAND, self.heard()).await.ok();
        Ok(Requests(subscribers))
    }

    /// Returns when the server has taken everything said to it so far.
    async fn heard(&self) {
        let inbox = self.client.new_inbox();
        if let Ok(mut echo) = self.client.subscribe(inbox.clone()).await
            && self.client.publish(inbox, Vec::new().into()).await.is_ok()
        {
            echo.next().await;
        }
    }

    /// Answers until `stop`. Requests under way are finished.
    pub(crate) async fn run(self: Arc<Self>, requests: Requests, stop: CancellationToken) {
        let tasks = TaskTracker::new();
        let permits = Arc::new(Semaphore::new(self.requests));
        let mut streams: Vec<_> = Vec::new();
        for subscriber in requests.0 {
            let (api, permits) = (Arc::clone(&self), Arc::clone(&permits));
            let serve = serve(api, subscriber, permits, tasks.clone());
            streams.push(serve);
        }
        tokio::select! {
            () = stop.cancelled() => {}
            _ = futures::future::join_all(streams) => {}
        }
        tasks.close();
        tasks.wait().await;
    }

    /// The answer to a message, or none.
    async fn answer(&self, subject: &str, payload: &[u8]) -> Option<Vec<u8>> {
        match Control::parse(subject, self.identity.node()) {
            Some(Control::Ping) => Some(self.ping()),
            Some(Control::WorkloadPing {
                namespace,
                workload,
            }) => self.workload_ping(namespace, workload),
            Some(Control::Info { namespace }) => Some(self.info(namespace)),
            Some(Control::Deploy { namespace }) => Some(self.deploy(namespace, payload).await),
            Some(Control::Stop { namespace }) => Some(self.stop(namespace, payload).await),
            Some(Control::LameDuck) => Some(self.lame_duck().await),
            None => None,
        }
    }

    async fn lame_duck(&self) -> Vec<u8> {
        let id = self.identity.node().to_owned();
        match self.workloads.lame_duck().await {
            Ok(first) => {
                if first {
                    tracing::warn!("entered lame duck mode: no new work is taken");
                    self.relay
                        .node_event(EventData::NodeEnteredLameDuck(NodeEnteredLameDuck {
                            version: crate::VERSION.to_owned(),
                            id: id.clone(),
                        }));
                }
                let reply = LameDuckReply {
                    node_id: id,
                    success: true,
                };
                success(ReplyType::LameDuck, &reply)
            }
            Err(error) => {
                tracing::error!(error = %report(&error), "could not enter lame duck mode");
                failure(ReplyType::LameDuck, &LameDuckRefusal.to_string())
            }
        }
    }

    fn tags(&self) -> BTreeMap<String, String> {
        let lame_duck = self.workloads.roster().borrow().lame_duck;
        tags(&self.tags, &self.name, &self.isolation, lame_duck)
    }
}

async fn serve(
    api: Arc<ControlApi>,
    mut messages: async_nats::Subscriber,
    permits: Arc<Semaphore>,
    tasks: TaskTracker,
) {
    while let Some(message) = messages.next().await {
        if is_quick(&message.subject) {
            reply(&api, message).await;
            continue;
        }
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
            return;
        };
        let api = Arc::clone(&api);
        tasks.spawn(async move {
            reply(&api, message).await;
            drop(permit);
        });
    }
}

/// Whether a request only looks.
fn is_quick(subject: &str) -> bool {
    !["$NEX.DEPLOY.", "$NEX.STOP."]
        .iter()
        .any(|prefix| subject.starts_with(prefix))
}

async fn reply(api: &ControlApi, message: async_nats::Message) {
    let answer = api.answer(&message.subject, &message.payload).await;
    if let (Some(reply), Some(answer)) = (message.reply, answer)
        && let Err(error) = api.client.publish(reply, answer.into()).await
    {
        tracing::warn!(%error, "could not answer a request over NATS");
    }
}
