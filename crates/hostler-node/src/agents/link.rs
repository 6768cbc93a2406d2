//! The node's connection to the inner server, and a request over it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::Subscriber;
use async_nats::{Client, ConnectOptions, Event, HeaderMap, Message, Request, RequestErrorKind};
use bytes::Bytes;
use hostler_wire::agent::subject::RPC_ALL;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::LinkError;

/// After a reconnect, agents may be a moment behind us.
const SETTLING: Duration = Duration::from_secs(2);
const ASK_AGAIN: Duration = Duration::from_millis(10);
const LONGEST_DELAY: Duration = Duration::from_millis(250);
/// Messages that wait for one subscription of the node.
const BACKLOG: usize = 65_536;

/// The node's side of every conversation with an agent.
#[derive(Clone)]
pub(crate) struct Link {
    pub(super) client: Client,
    /// When the connection was last made.
    connected: watch::Receiver<Instant>,
    /// The server is about to be stopped by us.
    ending: Arc<AtomicBool>,
}

impl Link {
    /// Connects; later the connection is made again for ever.
    pub(crate) async fn connect(port: u16, credentials: &str) -> Result<Self, LinkError> {
        let (tell, connected) = watch::channel(Instant::now());
        let ending = Arc::new(AtomicBool::new(false));
        let expected = Arc::clone(&ending);
        let client = ConnectOptions::with_credentials(credentials)
            .map_err(LinkError::Credentials)?
            .name("hostler node")
            .subscription_capacity(BACKLOG)
            .reconnect_delay_callback(delay)
            .event_callback(move |event| {
                note(&event, &tell, expected.load(Ordering::Relaxed));
                async {}
            })
            .connect(format!("nats://127.0.0.1:{port}"))
            .await
            .map_err(LinkError::Connect)?;
        Ok(Self {
            client,
            connected,
            ending,
        })
    }

    /// The calls of host services that agents make.
    pub(crate) async fn host_calls(&self) -> Result<(Client, Subscriber), LinkError> {
        let subject = RPC_ALL;
        let calls = self.client.subscribe(subject).await;
        let calls = calls.map_err(|source| LinkError::Subscribe { subject, source })?;
        Ok((self.client.clone(), calls))
    }

    /// Says that the server is stopped next: losing it is no trouble.
    pub(crate) fn end(&self) {
        self.ending.store(true, Ordering::Relaxed);
    }

    /// One request. Sent again only when the server says that nobody got it,
    /// and only while agents are reconnecting.
    pub(super) async fn ask(
        &self,
        subject: String,
        payload: Bytes,
        headers: impl Fn() -> Option<HeaderMap>,
        patience: Duration,
    ) -> Result<Message, LinkError> {
        let subject = async_nats::Subject::from(subject);
        loop {
            let mut request = Request::new()
                .payload(payload.clone())
                .timeout(Some(patience));
            if let Some(headers) = headers() {
                request = request.headers(headers);
            }
            match self.client.send_request(subject.clone(), request).await {
                Ok(message) => return Ok(message),
                Err(error) if error.kind() == RequestErrorKind::NoResponders => {
                    if !self.settling() {
                        return Err(LinkError::NoAgent);
                    }
                    tokio::time::sleep(ASK_AGAIN).await;
                }
                Err(error) if error.kind() == RequestErrorKind::TimedOut => {
                    return Err(LinkError::Timeout);
                }
                Err(error) => return Err(LinkError::Request(error)),
            }
        }
    }

    /// A request that may be repeated: it is, when the connection was lost
    /// and made again while its answer was waited for.
    pub(super) async fn ask_again(
        &self,
        subject: String,
        payload: Bytes,
        patience: Duration,
    ) -> Result<Message, LinkError> {
        let until = Instant::now() + patience;
        let mut connected = self.connected.clone();
        loop {
            connected.mark_unchanged();
            let asked = self.ask(subject.clone(), payload.clone(), || None, patience);
            tokio::select! {
                answer = timeout_at(until, asked) => return answer.unwrap_or(Err(LinkError::Timeout)),
                Ok(()) = connected.changed() => {}
            }
        }
    }

    fn settling(&self) -> bool {
        self.connected.borrow().elapsed() < SETTLING
    }
}

fn delay(attempts: usize) -> Duration {
    let factor = u32::try_from(attempts).unwrap_or(u32::MAX);
    Duration::from_millis(5)
        .saturating_mul(factor)
        .min(LONGEST_DELAY)
}

fn note(event: &Event, connected: &watch::Sender<Instant>, ending: bool) {
    match event {
        Event::Connected => {
            connected.send_replace(Instant::now());
        }
        Event::Disconnected if !ending => {
            tracing::warn!("lost the inner nats-server; reconnecting");
        }
        other => tracing::debug!(event = %other, "the link to the agents"),
    }
}
