//! The client's half of the control API (protocol 1): requests to one node, and
//! questions to all, whose answers are gathered.

use std::time::Duration;

use anyhow::{Result, anyhow};
use async_nats::{Client, RequestErrorKind, StatusCode};
use futures::StreamExt as _;
use hostler_wire::nats::{
    DeployReply, DeployRequest, InfoReply, LameDuckReply, Message, PingReply, StopReply,
    StopRequest, WorkloadPingReply, envelope, subject,
};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};

/// A deploy may boot a machine, fetch an artifact and compile it; a stop waits
/// for what is stopped. Neither is given up before this.
const PATIENCE: Duration = Duration::from_secs(20);

/// Nodes, as a client of one namespace sees them.
pub(super) struct Nex {
    pub(super) nats: Client,
    pub(super) namespace: String,
    pub(super) timeout: Duration,
}

impl Nex {
    /// Every node that answers in time; also those that answer late within it.
    pub(super) async fn nodes(&self, window: Duration) -> Result<Vec<PingReply>> {
        let mut nodes: Vec<PingReply> = self.gather(subject::PING.to_owned(), window).await?;
        nodes.sort_by(|one, other| one.node_id.cmp(&other.node_id));
        Ok(nodes)
    }

    /// Every node that has such a workload, with it.
    pub(super) async fn probe(&self, workload: Option<&str>) -> Result<Vec<WorkloadPingReply>> {
        let subject = subject::workload_ping(&self.namespace, workload);
        self.gather(subject, self.timeout).await
    }

    /// What a node is, and runs in the namespace.
    pub(super) async fn info(&self, node: &str) -> Result<InfoReply> {
        let subject = subject::info(&self.namespace, node);
        self.ask(subject, Vec::new(), self.timeout).await
    }

    pub(super) async fn deploy(&self, request: &DeployRequest) -> Result<DeployReply> {
        let subject = subject::deploy(&self.namespace, &request.target_node);
        let patience = self.timeout.max(PATIENCE);
        self.ask(subject, request.encode(), patience).await
    }

    pub(super) async fn stop(&self, request: &StopRequest) -> Result<StopReply> {
        let subject = subject::stop(&self.namespace, &request.target_node);
        let patience = self.timeout.max(PATIENCE);
        self.ask(subject, request.encode(), patience).await
    }

    pub(super) async fn lame_duck(&self, node: &str) -> Result<LameDuckReply> {
        let subject = subject::lame_duck(node);
        self.ask(subject, Vec::new(), self.timeout).await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        subject: String,
        payload: Vec<u8>,
        patience: Duration,
    ) -> Result<T> {
        let request = async_nats::Request::new().payload(payload.into());
        let request = request.timeout(Some(patience));
        let answer = self.nats.send_request(subject, request).await;
        let answer = answer.map_err(|error| match error.kind() {
            RequestErrorKind::NoResponders => {
                anyhow!("nats: no responders available for request: there is no such node")
            }
            RequestErrorKind::TimedOut => anyhow!("nats: timeout"),
            _ => anyhow!(error),
        })?;
        Ok(envelope::decode(&answer.payload)?)
    }

    /// All answers that come within `window`. What cannot be read is skipped;
    /// when the server says that nobody listens, nobody will answer.
    async fn gather<T: DeserializeOwned>(
        &self,
        subject: String,
        window: Duration,
    ) -> Result<Vec<T>> {
        let until = Instant::now() + window;
        let inbox = self.nats.new_inbox();
        let mut answers = self.nats.subscribe(inbox.clone()).await?;
        self.nats
            .publish_with_reply(subject, inbox, Vec::new().into())
            .await?;
        let mut gathered = Vec::new();
        while let Ok(Some(answer)) = timeout_at(until, answers.next()).await {
            if answer.status == Some(StatusCode::NO_RESPONDERS) {
                break;
            }
            gathered.extend(envelope::decode(&answer.payload).ok());
        }
        Ok(gathered)
    }
}
