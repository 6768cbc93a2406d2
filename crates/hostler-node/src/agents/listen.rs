//! What agents say unasked, and the answers they get.
//!
//! Three tasks, so that none holds up another: handshakes, artifact chunks,
//! and logs with events. Logs and events come on two subscriptions; before
//! an event is passed on, every line that had arrived by then is, so a
//! reader sees the last words of a workload before its end.

use std::sync::Arc;

use async_nats::{Client, HeaderMap, Message, Subscriber};
use bytes::Bytes;
use futures::{FutureExt as _, StreamExt as _};
use hostler_core::id::SlotId;
use hostler_wire::agent::subject::{
    ARTIFACT_ALL, EVENTS_ALL, FromAgent, HANDSHAKE_ALL, LOGS_ALL, inbox_prefix, parse,
};
use hostler_wire::agent::{
    ARTIFACT_CHUNK, ArtifactRequest, ERROR_HEADER, HandshakeReply, HandshakeRequest, LogEntry,
    Message as _,
};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Desk, Link, LinkError};

/// Chunks that are read from disk at once.
const CHUNKS_AT_ONCE: usize = 8;
/// Lines passed on before an event, at most.
const LINES_FIRST: usize = 16_384;

/// Subscribes, and has tasks answer until `stop`.
pub(crate) async fn listen<D: Desk>(
    link: &Link,
    desk: &Arc<D>,
    stop: &CancellationToken,
    tasks: &TaskTracker,
) -> Result<(), LinkError> {
    let handshakes = subscribe(&link.client, HANDSHAKE_ALL).await?;
    let artifacts = subscribe(&link.client, ARTIFACT_ALL).await?;
    let logs = subscribe(&link.client, LOGS_ALL).await?;
    let events = subscribe(&link.client, EVENTS_ALL).await?;
    let client = &link.client;
    let run = |task: futures::future::BoxFuture<'static, ()>| {
        let stop = stop.clone();
        tasks.spawn(async move { stop.run_until_cancelled(task).await });
    };
    run(answer_handshakes(client.clone(), handshakes, Arc::clone(desk)).boxed());
    run(answer_artifacts(client.clone(), artifacts, Arc::clone(desk)).boxed());
    run(pass_on(logs, events, Arc::clone(desk)).boxed());
    Ok(())
}

async fn subscribe(client: &Client, subject: &'static str) -> Result<Subscriber, LinkError> {
    client
        .subscribe(subject)
        .await
        .map_err(|source| LinkError::Subscribe { subject, source })
}

async fn answer_handshakes<D: Desk>(client: Client, mut asked: Subscriber, desk: Arc<D>) {
    while let Some(message) = asked.next().await {
        let Some(slot) = slot_of(&message) else {
            continue;
        };
        let hello = HandshakeRequest::decode(&message.payload).ok();
        if desk.handshake(slot, hello.and_then(|hello| hello.clock_ms)) {
            respond(&client, &message, HandshakeReply {}.encode().into()).await;
        } else {
            tracing::warn!(%slot, "an agent that nobody waits for shook hands");
        }
    }
}

async fn answer_artifacts<D: Desk>(client: Client, asked: Subscriber, desk: Arc<D>) {
    asked
        .for_each_concurrent(CHUNKS_AT_ONCE, |message| {
            let (client, desk) = (client.clone(), Arc::clone(&desk));
            async move {
                match chunk(&*desk, &message).await {
                    Ok(chunk) => respond(&client, &message, chunk).await,
                    Err(why) => refuse(&client, &message, why).await,
                }
            }
        })
        .await;
}

/// The chunk that is asked for, or why it is not given.
async fn chunk<D: Desk>(desk: &D, message: &Message) -> Result<Bytes, &'static str> {
    let slot = slot_of(message).ok_or("not a slot")?;
    let wanted = ArtifactRequest::decode(&message.payload).map_err(|_| "not a request")?;
    let artifact = desk
        .artifact(slot, &wanted.digest)
        .ok_or("this artifact is not assigned to this slot")?;
    artifact
        .chunk(wanted.offset, ARTIFACT_CHUNK)
        .await
        .map_err(|error| {
            tracing::error!(%slot, %error, "could not read an artifact");
            "the artifact could not be read"
        })
}

async fn pass_on<D: Desk>(mut logs: Subscriber, mut events: Subscriber, desk: Arc<D>) {
    loop {
        tokio::select! {
            Some(line) = logs.next() => pass_on_line(&*desk, &line),
            Some(event) = events.next() => {
                for _ in 0..LINES_FIRST {
                    let Some(Some(line)) = logs.next().now_or_never() else { break };
                    pass_on_line(&*desk, &line);
                }
                pass_on_event(&*desk, event).await;
            }
            else => return,
        }
    }
}

fn pass_on_line<D: Desk>(desk: &D, message: &Message) {
    if let Some(slot) = slot_of(message)
        && let Ok(entry) = LogEntry::decode(&message.payload)
    {
        desk.log(slot, entry);
    }
}

async fn pass_on_event<D: Desk>(desk: &D, message: Message) {
    if let Some((slot, FromAgent::Event(kind))) = parse(&message.subject)
        && let Ok(slot) = slot.parse()
    {
        let kind = kind.to_owned();
        desk.event(slot, kind, message.payload).await;
    }
}

async fn respond(client: &Client, message: &Message, answer: Bytes) {
    if let Some(reply) = reply_of(message)
        && let Err(error) = client.publish(reply, answer).await
    {
        tracing::warn!(%error, "could not answer an agent");
    }
}

async fn refuse(client: &Client, message: &Message, why: &str) {
    tracing::warn!(subject = %message.subject, why, "refused an agent a piece of an artifact");
    let Some(reply) = reply_of(message) else {
        return;
    };
    let mut headers = HeaderMap::new();
    headers.insert(ERROR_HEADER, why);
    let refusal = client.publish_with_headers(reply, headers, Bytes::new());
    if let Err(error) = refusal.await {
        tracing::warn!(%error, "could not answer an agent");
    }
}

/// Where the answer goes: an inbox of the agent that asked. We may publish
/// anywhere, and what we publish elsewhere would be an order in our name.
fn reply_of(message: &Message) -> Option<async_nats::Subject> {
    let prefix = format!("{}.", inbox_prefix(parse(&message.subject)?.0));
    let reply = message.reply.clone();
    reply.filter(|reply| reply.starts_with(&prefix))
}

fn slot_of(message: &Message) -> Option<SlotId> {
    parse(&message.subject)?.0.parse().ok()
}
