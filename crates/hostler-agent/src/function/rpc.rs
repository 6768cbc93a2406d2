//! Host services, asked of the node over the link (protocol 6.7). What may be
//! asked is the node's decision; the namespace and name in the subject are only
//! for the eye, the node knows whose slot this is.
//!
//! Called on a function's own thread, which waits while the link's thread does
//! the talking.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use async_nats::{Client, HeaderMap, Message, StatusCode};
use bytes::Bytes;
use futures::StreamExt as _;
use hostler_js::{Ask, Host, HostError};
use hostler_wire::agent::{AgentDeployRequest, ERROR_HEADER, services, subject};
use tokio::runtime::Handle;

use crate::agent::Agent;

/// What is left of a call's time for saying that its host did not answer.
const LAST_WORDS: Duration = Duration::from_millis(20);

/// The node, as a function's host.
pub(crate) struct Rpc {
    client: Client,
    link: Handle,
    slot: String,
    namespace: String,
    name: String,
}

impl Rpc {
    pub(crate) fn new(agent: &Agent, request: &AgentDeployRequest) -> Self {
        Self {
            client: agent.client.clone(),
            link: Handle::current(),
            slot: agent.slot.clone(),
            namespace: request.namespace.clone(),
            name: request.workload_name.clone(),
        }
    }

    fn subject(&self, ask: &Ask) -> String {
        let whose = (self.namespace.as_str(), self.name.as_str());
        subject::rpc(&self.slot, whose, &ask.service, &ask.method)
    }
}

impl Host for Rpc {
    fn ask(&self, ask: Ask) -> Result<Vec<Bytes>, HostError> {
        let headers = headers_of(&ask)?;
        let subject = self.subject(&ask);
        let what = format!("{}.{}", ask.service, ask.method);
        let (tell, told) = mpsc::channel();
        let (client, body) = (self.client.clone(), ask.body);
        self.link.spawn(async move {
            let answers = exchange(&client, subject, headers, body).await;
            // Nobody listens any more when the call's time was over.
            let _ = tell.send(answers);
        });
        let patience = ask.left.saturating_sub(LAST_WORDS);
        match told.recv_timeout(patience) {
            Ok(answers) => answers,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                Err(HostError(format!("{what}: nats: timeout")))
            }
        }
    }
}

fn headers_of(ask: &Ask) -> Result<HeaderMap, HostError> {
    let mut headers = HeaderMap::new();
    headers.insert(services::END_HEADER, "1");
    if let (Some(name), Some(header)) = (&ask.name, services::name_header(&ask.service)) {
        if name.contains(['\r', '\n', '\0']) {
            return Err(HostError(format!(
                "'{}' is not allowed",
                name.escape_debug()
            )));
        }
        headers.insert(header, name.as_str());
    }
    Ok(headers)
}

/// Sends it and gathers the answers, until one says that it is the last.
async fn exchange(
    client: &Client,
    subject: String,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Vec<Bytes>, HostError> {
    if body.len() + services::MARGIN > client.max_payload() {
        return Err(HostError(format!("{} bytes are too many", body.len())));
    }
    let inbox = client.new_inbox();
    let subscribed = client.subscribe(inbox.clone()).await;
    let mut answers = subscribed.map_err(|error| HostError(error.to_string()))?;
    client
        .publish_with_reply_and_headers(subject, inbox, headers, body)
        .await
        .map_err(|error| HostError(error.to_string()))?;
    let mut gathered = Vec::new();
    while let Some(answer) = answers.next().await {
        if answer.status == Some(StatusCode::NO_RESPONDERS) {
            return Err(HostError(
                "nats: no responders available for request".to_owned(),
            ));
        }
        if let Some(why) = header(&answer, ERROR_HEADER) {
            return Err(HostError(why));
        }
        let end = header(&answer, services::END_HEADER);
        if end.as_deref() != Some("0") {
            gathered.push(answer.payload);
        }
        if end.is_some() || gathered.len() >= services::MOST_ANSWERS {
            return Ok(gathered);
        }
    }
    Err(HostError("the node went away".to_owned()))
}

fn header(message: &Message, name: &str) -> Option<String> {
    Some(message.headers.as_ref()?.get(name)?.to_string())
}
