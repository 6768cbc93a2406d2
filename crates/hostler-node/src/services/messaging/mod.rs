//! Messages on the control NATS, on subjects that are a function's to use.
//!
//! Many replies are gathered until nobody has replied for a while: the
//! original always waits for three seconds.

use std::time::Duration;

use async_nats::{Client, Request, RequestErrorKind, StatusCode};
use futures::StreamExt as _;
use hostler_core::services::subject_allowed;
use hostler_wire::agent::services::MOST_ANSWERS;
use tokio::time::{Instant, timeout};

use super::answer::{Answer, Failure, SUCCESS, needed, unknown_method};
use super::listen::Reply;
use super::{Call, MessagingOptions, Shared};

/// The most bytes of many replies together.
const MOST_BYTES: usize = 16 << 20;

/// Carries out a call that has one answer.
pub(super) async fn answer(client: &Client, bounds: &MessagingOptions, call: &Call) -> Answer {
    match call.method.as_str() {
        "publish" => publish(client, subject(bounds, call)?, call).await,
        "request" => request(client, subject(bounds, call)?, (bounds.patience, call)).await,
        _ => Err(unknown_method()),
    }
}

fn subject<'a>(bounds: &MessagingOptions, call: &'a Call) -> Result<&'a str, Failure> {
    let subject = needed(call.name.as_ref(), "subject")?;
    let allowed = subject_allowed(subject, &bounds.deny);
    allowed.map_err(|error| failed("publish", (subject, call), &error.to_string()))?;
    Ok(subject)
}

async fn publish(client: &Client, subject: &str, call: &Call) -> Answer {
    let sent = client.publish(subject.to_owned(), call.body.clone()).await;
    sent.map_err(|error| failed("publish", (subject, call), &error.to_string()))?;
    Ok(SUCCESS)
}

async fn request(client: &Client, subject: &str, (patience, call): (Duration, &Call)) -> Answer {
    let request = Request::new().payload(call.body.clone());
    let request = request.timeout(Some(patience));
    let reply = client.send_request(subject.to_owned(), request).await;
    reply.map(|reply| reply.payload).map_err(|error| {
        let text = match error.kind() {
            RequestErrorKind::TimedOut => "nats: timeout".to_owned(),
            RequestErrorKind::NoResponders => {
                "nats: no responders available for request".to_owned()
            }
            _ => error.to_string(),
        };
        failed("send", (subject, call), &text)
    })
}

/// Passes on every reply as it comes.
pub(super) async fn request_many(shared: &Shared, call: &Call, reply: &Reply) {
    let Some(bounds) = &shared.options.messaging else {
        let text = "host service 'messaging' is not enabled on this node";
        return reply.say(Err(Failure::One(text.to_owned()))).await;
    };
    match gather(&shared.client, bounds, (call, reply)).await {
        Ok(()) => reply.end().await,
        Err(failure) => reply.say(Err(failure)).await,
    }
}

async fn gather(
    client: &Client,
    bounds: &MessagingOptions,
    (call, reply): (&Call, &Reply),
) -> Result<(), Failure> {
    let subject = subject(bounds, call)?;
    let lost = |text: String| failed("send", (subject, call), &text);
    let inbox = client.new_inbox();
    let subscribed = client.subscribe(inbox.clone()).await;
    let mut replies = subscribed.map_err(|error| lost(error.to_string()))?;
    let sent = client.publish_with_reply(subject.to_owned(), inbox, call.body.clone());
    sent.await.map_err(|error| lost(error.to_string()))?;
    let until = Instant::now() + bounds.gather;
    let (mut count, mut bytes) = (0, 0);
    while count < MOST_ANSWERS && bytes < MOST_BYTES {
        let left = until.saturating_duration_since(Instant::now());
        let patience = if count == 0 {
            left
        } else {
            left.min(bounds.silence)
        };
        let Ok(Some(answer)) = timeout(patience, replies.next()).await else {
            return Ok(());
        };
        if answer.status == Some(StatusCode::NO_RESPONDERS) {
            return Ok(());
        }
        count += 1;
        bytes += answer.payload.len();
        reply.say_one(answer.payload).await;
    }
    Ok(())
}

fn failed(what: &str, (subject, call): (&str, &Call), why: &str) -> Failure {
    let size = call.body.len();
    let kind = if what == "send" { "request" } else { "message" };
    Failure::Listed(format!(
        "failed to {what} {size}-byte {kind} on subject {subject}: {why}"
    ))
}
