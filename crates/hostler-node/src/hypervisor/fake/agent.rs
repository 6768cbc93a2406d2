//! One fake agent: a connection with the slot's own credentials, and the
//! protocol of protocol section 6.3 without anything behind it. A function
//! answers each message with the message.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_nats::{Client, ConnectOptions, HeaderMap, Message};
use bytes::Bytes;
use chrono::Utc;
use futures::StreamExt as _;
use hostler_core::id::SlotId;
use hostler_wire::agent::{
    AgentDeployRequest, AgentLease, AgentLeaseReply, AgentLevel, AgentPhase, AgentRefusal,
    AgentState, ArtifactRequest, CloudEvent, DeployResponse, ERROR_HEADER, EventData,
    HandshakeRequest, LogEntry, Message as _, RUNTIME_HEADER, WorkloadStopped, subject,
};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::lease::FakeLease;
use super::{Script, lock};
use crate::hypervisor::{BootSpec, Limits};

const ASK_AGAIN: Duration = Duration::from_millis(20);

/// A handle to one agent.
#[derive(Clone, Debug)]
pub(super) struct FakeAgent {
    slot: String,
    life: CancellationToken,
    script: Arc<Mutex<Script>>,
    facts: Arc<Mutex<Facts>>,
    /// None for one that does not know of leases.
    lease: Option<Arc<FakeLease>>,
    client: watch::Sender<Option<Client>>,
}

#[derive(Debug, Default)]
struct Facts {
    state: AgentState,
    started: Option<Instant>,
    limits: Option<Limits>,
}

impl FakeAgent {
    /// Starts an agent, which lives until [`FakeAgent::die`].
    pub(super) fn start(slot: SlotId, spec: BootSpec, script: Arc<Mutex<Script>>) -> Self {
        let knows = !lock(&script).leases_unknown;
        let agent = Self {
            lease: knows.then(Arc::default),
            slot: slot.to_string(),
            life: CancellationToken::new(),
            script,
            facts: Arc::default(),
            client: watch::Sender::new(None),
        };
        let (life, running) = (agent.life.clone(), agent.clone());
        tokio::spawn(async move {
            let lease = running.lease.clone();
            let lived = life.run_until_cancelled(running.live(spec));
            tokio::select! {
                lived = lived => if let Some(Err(error)) = lived {
                    tracing::warn!(%slot, %error, "a fake agent gave up");
                },
                () = ended(lease) => {}
            }
            life.cancel();
        });
        agent
    }

    pub(super) fn is_alive(&self) -> bool {
        !self.life.is_cancelled()
    }

    pub(super) fn die(&self) {
        self.life.cancel();
    }

    pub(super) async fn ended(&self) {
        self.life.cancelled().await;
    }

    pub(super) fn limit(&self, limits: Limits) {
        lock(&self.facts).limits = Some(limits);
    }

    pub(super) fn limits(&self) -> Option<Limits> {
        lock(&self.facts).limits
    }

    pub(super) fn lease_left(&self) -> Option<Duration> {
        self.lease.as_ref()?.left()
    }

    fn clock_ms(&self) -> Option<u64> {
        self.lease.as_ref().map(|lease| lease.clock_ms())
    }

    pub(super) fn state(&self) -> AgentState {
        let facts = lock(&self.facts);
        let uptime = facts.started.map(|started| started.elapsed().as_millis());
        AgentState {
            id: self.slot.clone(),
            uptime_ms: uptime.and_then(|ms| ms.try_into().ok()).unwrap_or(0),
            clock_ms: self.clock_ms(),
            ..facts.state.clone()
        }
    }

    /// Writes a line as the workload.
    pub(super) async fn print(&self, text: &str) {
        let entry = LogEntry {
            source: self.state().workload_name.unwrap_or_default(),
            level: AgentLevel::INFO,
            text: text.to_owned(),
        };
        self.publish(subject::logs(&self.slot), entry.encode())
            .await;
    }

    /// Ends as the workload.
    pub(super) async fn exit(&self, code: i32) {
        {
            let mut facts = lock(&self.facts);
            facts.state.state = AgentPhase::Exited;
            facts.state.code = Some(code);
        }
        let data = EventData::WorkloadStopped(WorkloadStopped {
            workload_name: self.state().workload_name.unwrap_or_default(),
            code,
            message: String::new(),
        });
        let event = CloudEvent::new(&self.slot, uuid::Uuid::new_v4(), Utc::now(), data);
        let subject = subject::event(&self.slot, "workload_stopped");
        self.publish(subject, event.encode()).await;
    }

    async fn live(self, spec: BootSpec) -> Result<(), async_nats::Error> {
        let client = ConnectOptions::with_credentials(&spec.credentials)?
            .custom_inbox_prefix(subject::inbox_prefix(&self.slot))
            .reconnect_delay_callback(|_| ASK_AGAIN)
            .retry_on_initial_connect()
            .connect(format!("nats://{}:{}", spec.nats_host, spec.nats_port))
            .await?;
        self.client.send_replace(Some(client.clone()));
        let mut asked = client.subscribe(subject::deploy(&self.slot)).await?;
        let undeploy = client.subscribe(subject::undeploy(&self.slot)).await?;
        let ping = client.subscribe(subject::ping(&self.slot)).await?;
        let trigger = client.subscribe(subject::trigger(&self.slot)).await?;
        let mut others = vec![undeploy, ping, trigger];
        if self.lease.is_some() {
            others.push(client.subscribe(subject::lease(&self.slot)).await?);
        }
        self.shake_hands(&client).await?;
        let mut others = futures::stream::select_all(others);
        loop {
            tokio::select! {
                Some(message) = asked.next() => {
                    let (agent, client) = (self.clone(), client.clone());
                    tokio::spawn(async move { agent.deploy(&client, message).await });
                }
                Some(message) = others.next() => {
                    let (agent, client) = (self.clone(), client.clone());
                    tokio::spawn(async move { agent.answer(&client, message).await });
                }
                else => return Ok(()),
            }
        }
    }

    async fn shake_hands(&self, client: &Client) -> Result<(), async_nats::Error> {
        let takes = lock(&self.script).boot_takes;
        tokio::time::sleep(takes).await;
        if lock(&self.script).boot_is_mute() {
            std::future::pending::<()>().await;
        }
        let hello = || HandshakeRequest {
            id: self.slot.clone(),
            start_time: Utc::now(),
            message: "fake".to_owned(),
            clock_ms: self.clock_ms(),
        };
        while client
            .request(subject::handshake(&self.slot), hello().encode().into())
            .await
            .is_err()
        {
            tokio::time::sleep(ASK_AGAIN).await;
        }
        Ok(())
    }

    async fn deploy(&self, client: &Client, message: Message) {
        let takes = lock(&self.script).deploy_takes;
        tokio::time::sleep(takes).await;
        let done = match AgentDeployRequest::decode(&message.payload) {
            Ok(request) => self.run(client, &request).await,
            Err(error) => Err(AgentRefusal::Unreadable(error.to_string())),
        };
        let answer = match done {
            Ok(()) => DeployResponse::accepted(),
            Err(refusal) => DeployResponse::refused(&refusal),
        };
        respond(client, &message, answer.encode().into(), HeaderMap::new()).await;
    }

    async fn run(&self, client: &Client, request: &AgentDeployRequest) -> Result<(), AgentRefusal> {
        request.check()?;
        let known = self.state();
        if known.starts > 0 {
            let same = known.hash.as_deref() == Some(request.hash.as_str())
                && known.generation == request.generation;
            return same.then_some(()).ok_or(AgentRefusal::Occupied);
        }
        if lock(&self.script).deploy_fails() {
            return Err(AgentRefusal::Start("made to fail".to_owned()));
        }
        self.fetch(client, request).await?;
        if let (Some(lease), Some(told)) = (&self.lease, &request.lease) {
            lease.hear(told);
        }
        let mut facts = lock(&self.facts);
        facts.started = Some(Instant::now());
        facts.state = AgentState {
            state: AgentPhase::Running,
            namespace: Some(request.namespace.clone()),
            workload_name: Some(request.workload_name.clone()),
            workload_type: Some(request.workload_type.clone()),
            hash: Some(request.hash.clone()),
            generation: request.generation,
            starts: 1,
            ..AgentState::default()
        };
        Ok(())
    }

    async fn fetch(
        &self,
        client: &Client,
        request: &AgentDeployRequest,
    ) -> Result<(), AgentRefusal> {
        let failed = |error: &dyn std::fmt::Display| AgentRefusal::Artifact(error.to_string());
        let mut hash = Sha256::new();
        let mut offset = 0;
        while offset < request.total_bytes {
            let wanted = ArtifactRequest {
                digest: request.hash.clone(),
                offset,
            };
            let subject = subject::artifact(&self.slot);
            let chunk = client.request(subject, wanted.encode().into()).await;
            let chunk = chunk.map_err(|error| failed(&error))?.payload;
            if chunk.is_empty() {
                return Err(failed(&"it ended early"));
            }
            hash.update(&chunk);
            offset += chunk.len() as u64;
        }
        let hash = data_encoding::HEXLOWER.encode(&hash.finalize());
        let same = hash == request.hash;
        same.then_some(())
            .ok_or_else(|| failed(&"the digest differs"))
    }

    async fn answer(&self, client: &Client, message: Message) {
        let mut headers = HeaderMap::new();
        let answer = match message.subject.rsplit('.').next() {
            Some("ping") => self.state().encode().into(),
            Some("undeploy") => {
                lock(&self.facts).state.state = AgentPhase::Exited;
                Bytes::new()
            }
            Some("lease") => match self.leased(&message) {
                Some(reply) => reply.encode().into(),
                None => return,
            },
            Some("trigger") => self.call(&message, &mut headers).await,
            _ => return,
        };
        respond(client, &message, answer, headers).await;
    }

    fn leased(&self, message: &Message) -> Option<AgentLeaseReply> {
        let heeds = !lock(&self.script).leases_unheard;
        let told = AgentLease::decode(&message.payload)
            .ok()
            .filter(|_| heeds)?;
        Some(self.lease.as_ref()?.hear(&told))
    }

    async fn call(&self, message: &Message, headers: &mut HeaderMap) -> Bytes {
        let takes = lock(&self.script).call_takes;
        tokio::time::sleep(takes).await;
        let mut facts = lock(&self.facts);
        if facts.state.state != AgentPhase::Running {
            headers.insert(ERROR_HEADER, "nothing runs here");
            return Bytes::new();
        }
        facts.state.calls += 1;
        headers.insert(RUNTIME_HEADER, takes.as_nanos().to_string());
        message.payload.clone()
    }

    async fn publish(&self, subject: String, body: Vec<u8>) {
        let client = self.client.borrow().clone();
        if let Some(client) = client
            && let Err(error) = client.publish(subject, body.into()).await
        {
            tracing::warn!(%error, "a fake agent could not speak");
        }
    }
}

async fn ended(lease: Option<Arc<FakeLease>>) {
    match lease {
        Some(lease) => lease.ended().await,
        None => std::future::pending().await,
    }
}

async fn respond(client: &Client, message: &Message, answer: Bytes, headers: HeaderMap) {
    let Some(reply) = message.reply.clone() else {
        return;
    };
    let sent = client.publish_with_headers(reply, headers, answer);
    if let Err(error) = sent.await {
        tracing::warn!(%error, "a fake agent could not answer");
    }
}
