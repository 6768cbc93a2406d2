//! Host services, asked of the node over the link (protocol 6.7). What may be
//! asked is the node's decision; the namespace and name in the subject are only
//! for the eye, the node knows whose slot this is.
//!
//! How a function waits for the answer is its engine's business.

use async_nats::{Client, HeaderMap, Message, StatusCode};
use bytes::Bytes;
use futures::StreamExt as _;
use hostler_wire::agent::{AgentDeployRequest, ERROR_HEADER, services, subject};

use crate::agent::Agent;

/// The node, as a function's host. Cloning gives another handle.
#[derive(Clone)]
pub(crate) struct Rpc {
    client: Client,
    slot: String,
    namespace: String,
    name: String,
}

/// What is asked. Service and method are words, which the engines see to.
pub(crate) struct Asked {
    pub(crate) service: String,
    pub(crate) method: String,
    /// A key, a subject, a name or an address.
    pub(crate) name: Option<String>,
    pub(crate) body: Bytes,
}

impl Rpc {
    pub(crate) fn new(agent: &Agent, request: &AgentDeployRequest) -> Self {
        Self {
            client: agent.client.clone(),
            slot: agent.slot.clone(),
            namespace: request.namespace.clone(),
            name: request.workload_name.clone(),
        }
    }

    /// Sends it and gathers the answers, until one says that it is the last.
    pub(crate) async fn exchange(&self, asked: Asked) -> Result<Vec<Bytes>, String> {
        let headers = headers_of(&asked)?;
        let whose = (self.namespace.as_str(), self.name.as_str());
        let subject = subject::rpc(&self.slot, whose, &asked.service, &asked.method);
        let (client, body) = (&self.client, asked.body);
        if body.len() + services::MARGIN > client.max_payload() {
            return Err(format!("{} bytes are too many", body.len()));
        }
        let inbox = client.new_inbox();
        let subscribed = client.subscribe(inbox.clone()).await;
        let mut answers = subscribed.map_err(|error| error.to_string())?;
        client
            .publish_with_reply_and_headers(subject, inbox, headers, body)
            .await
            .map_err(|error| error.to_string())?;
        let mut gathered = Vec::new();
        while let Some(answer) = answers.next().await {
            if answer.status == Some(StatusCode::NO_RESPONDERS) {
                return Err("nats: no responders available for request".to_owned());
            }
            if let Some(why) = header(&answer, ERROR_HEADER) {
                return Err(why);
            }
            let end = header(&answer, services::END_HEADER);
            if end.as_deref() != Some("0") {
                gathered.push(answer.payload);
            }
            if end.is_some() || gathered.len() >= services::MOST_ANSWERS {
                return Ok(gathered);
            }
        }
        Err("the node went away".to_owned())
    }
}

fn headers_of(asked: &Asked) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    headers.insert(services::END_HEADER, "1");
    if let (Some(name), Some(header)) = (&asked.name, services::name_header(&asked.service)) {
        if name.contains(['\r', '\n', '\0']) {
            return Err(format!("'{}' is not allowed", name.escape_debug()));
        }
        headers.insert(header, name.as_str());
    }
    Ok(headers)
}

fn header(message: &Message, name: &str) -> Option<String> {
    Some(message.headers.as_ref()?.get(name)?.to_string())
}
