//! The calls that agents make, each to its service.

use std::sync::Arc;
use std::time::Duration;

use async_nats::{Client, HeaderMap, Message, Subject, Subscriber};
use bytes::Bytes;
use futures::StreamExt as _;
use hostler_core::id::SlotId;
use hostler_wire::agent::ERROR_HEADER;
use hostler_wire::agent::services::{END_HEADER, name_header};
use hostler_wire::agent::subject::{FromAgent, inbox_prefix, parse};
use tokio_util::sync::CancellationToken;

use super::answer::{Answer, Failure};
use super::{Call, Services, Shared, kv, messaging, objects};

/// The longest text of a failure in a header.
const LONGEST_ERROR: usize = 1_000;

impl Services {
    /// Has a task answer calls on the inner connection until `stop`.
    pub(crate) fn serve(&self, (client, mut calls): (Client, Subscriber), stop: CancellationToken) {
        let shared = Arc::clone(&self.0);
        tokio::spawn(async move {
            let serving = async {
                while let Some(message) = calls.next().await {
                    tokio::spawn(answer(Arc::clone(&shared), client.clone(), message));
                }
            };
            stop.run_until_cancelled(serving).await;
        });
    }
}

async fn answer(shared: Arc<Shared>, client: Client, message: Message) {
    let Some((slot, service, method)) = read(&message.subject) else {
        return;
    };
    let Some(to) = message.reply.clone().filter(|to| is_of(to, slot)) else {
        tracing::warn!(%slot, reply = ?message.reply, "a call wants its answer elsewhere");
        return;
    };
    let reply = Reply {
        client,
        to,
        ends: header(&message, END_HEADER).is_some(),
    };
    let Some(resident) = shared.resident(slot) else {
        return reply
            .say(Err(Failure::One("unknown process".to_owned())))
            .await;
    };
    let Ok(_place) = resident.places.try_acquire() else {
        return reply
            .say(Err(Failure::One("too many calls at a time".to_owned())))
            .await;
    };
    let call = Call {
        name: name_header(service).and_then(|name| header(&message, name)),
        method: method.to_owned(),
        body: message.payload.clone(),
        whose: resident.speaker.clone(),
    };
    match (service, method) {
        ("messaging", "requestMany") => messaging::request_many(&shared, &call, &reply).await,
        _ => reply.say(one(&shared, service, &call).await).await,
    }
}

/// A call that has one answer.
async fn one(shared: &Shared, service: &str, call: &Call) -> Answer {
    let options = &shared.options;
    let disabled = || {
        Failure::One(format!(
            "host service '{service}' is not enabled on this node"
        ))
    };
    match service {
        "kv" => {
            let bounds = options.kv.ok_or_else(disabled)?;
            within(bounds.patience, kv::answer(&shared.client, bounds, call)).await
        }
        "objectstore" => {
            let bounds = options.objects.ok_or_else(disabled)?;
            within(
                bounds.patience,
                objects::answer(&shared.client, bounds, call),
            )
            .await
        }
        "messaging" => {
            let bounds = options.messaging.as_ref().ok_or_else(disabled)?;
            messaging::answer(&shared.client, bounds, call).await
        }
        "http" => {
            shared
                .http
                .as_ref()
                .ok_or_else(disabled)?
                .answer(call)
                .await
        }
        _ => Err(Failure::One("invalid rpc request".to_owned())),
    }
}

async fn within(patience: Duration, answer: impl Future<Output = Answer>) -> Answer {
    let answered = tokio::time::timeout(patience, answer).await;
    answered.unwrap_or_else(|_| Err(Failure::One("nats: timeout".to_owned())))
}

/// Where an answer goes, and how.
pub(super) struct Reply {
    client: Client,
    to: Subject,
    /// Whether the caller wants to know which answer is the last.
    ends: bool,
}

impl Reply {
    /// The only answer.
    pub(super) async fn say(&self, answer: Answer) {
        let mut headers = HeaderMap::new();
        headers.insert(END_HEADER, "1");
        let body = answer.unwrap_or_else(|failure| {
            headers.insert(ERROR_HEADER, header_text(failure.text()));
            failure.body()
        });
        self.publish(headers, body).await;
    }

    /// One of several.
    pub(super) async fn say_one(&self, body: Bytes) {
        self.publish(HeaderMap::new(), body).await;
    }

    /// There are no more. An agent of the original gathers for three seconds,
    /// and would take this for an answer.
    pub(super) async fn end(&self) {
        if self.ends {
            let mut headers = HeaderMap::new();
            headers.insert(END_HEADER, "0");
            self.publish(headers, Bytes::new()).await;
        }
    }

    async fn publish(&self, headers: HeaderMap, body: Bytes) {
        let said = self
            .client
            .publish_with_headers(self.to.clone(), headers, body);
        if let Err(error) = said.await {
            tracing::warn!(%error, "could not answer an agent");
        }
    }
}

/// The slot, service and method of a call. What else it says is not believed.
fn read(subject: &str) -> Option<(SlotId, &str, &str)> {
    match parse(subject)? {
        (
            slot,
            FromAgent::Rpc {
                service, method, ..
            },
        ) => Some((slot.parse().ok()?, service, method)),
        _ => None,
    }
}

/// Whether this is an inbox of the slot's agent. We may publish anywhere; an
/// answer elsewhere would be an order in our name.
fn is_of(reply: &str, slot: SlotId) -> bool {
    let prefix = inbox_prefix(&slot.to_string());
    let rest = reply.strip_prefix(prefix.as_str());
    rest.is_some_and(|rest| rest.starts_with('.'))
}

fn header(message: &Message, name: &str) -> Option<String> {
    Some(message.headers.as_ref()?.get(name)?.to_string())
}

/// A text as a header may hold it.
fn header_text(text: &str) -> String {
    let line = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    line.take(LONGEST_ERROR).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_goes_to_the_inbox_of_the_slot_that_asked_and_nowhere_else() {
        let slot: SlotId = "coj2v3d2omt3lq0a1b2g".parse().unwrap();
        let check = |reply: &str, expected| assert_eq!(is_of(reply, slot), expected, "{reply}");
        check("_INBOX_coj2v3d2omt3lq0a1b2g.abc.1", true);
        check("_INBOX_coj2v3d2omt3lq0a1b2h.abc.1", false);
        check("_INBOX_coj2v3d2omt3lq0a1b2g", false);
        check("_INBOX_coj2v3d2omt3lq0a1b2gx.a", false);
        check("agentint.coj2v3d2omt3lq0a1b2g.deploy", false);
        check("agentint.coj2v3d2omt3lq0a1b2h.deploy", false);
        check("$SYS.REQ", false);
    }

    #[test]
    fn what_a_subject_claims_of_namespace_and_name_is_not_read() {
        let subject = "agentint.coj2v3d2omt3lq0a1b2g.rpc.other.else.kv.get";
        let (slot, service, method) = read(subject).unwrap();
        let seen = (slot.to_string(), service, method);
        assert_eq!(seen, ("coj2v3d2omt3lq0a1b2g".to_owned(), "kv", "get"));
        assert!(read("agentint.coj2v3d2omt3lq0a1b2g.logs").is_none());
        assert!(read("agentint.nobody.rpc.a.b.kv.get").is_none());
    }
}
