//! What the node asks of an agent (protocol, 6.3).

use std::time::Duration;

use async_nats::{HeaderMap, Message};
use hostler_core::id::SlotId;
use hostler_wire::agent::{
    AgentDeployRequest, AgentLease, AgentLeaseReply, AgentState, DeployResponse, ERROR_HEADER,
    Message as _, RUNTIME_HEADER, TRACE_HEADER, TRIGGER_SUBJECT_HEADER, UndeployRequest, subject,
};
use tokio::time::{Instant, timeout_at};

use super::{Artifact, DeployError, Link, LinkError, Trigger, TriggerError, TriggerReply};

/// No agent takes this long while it still asks for chunks.
const DAY: Duration = Duration::from_hours(24);

impl Link {
    /// How the agent is.
    pub(crate) async fn ping(
        &self,
        slot: SlotId,
        patience: Duration,
    ) -> Result<AgentState, LinkError> {
        let subject = subject::ping(&slot.to_string());
        let answer = self.ask_again(subject, "".into(), patience).await?;
        AgentState::decode(&answer.payload).map_err(LinkError::Answer)
    }

    /// Tells the agent when leased work must have ended.
    pub(crate) async fn lease(
        &self,
        slot: SlotId,
        lease: &AgentLease,
        patience: Duration,
    ) -> Result<AgentLeaseReply, LinkError> {
        let subject = subject::lease(&slot.to_string());
        let asked = self.ask_again(subject, lease.encode().into(), patience);
        AgentLeaseReply::decode(&asked.await?.payload).map_err(LinkError::Answer)
    }

    /// Has the agent stop what it runs; returns when that has ended.
    pub(crate) async fn undeploy(
        &self,
        slot: SlotId,
        grace: Duration,
        patience: Duration,
    ) -> Result<(), LinkError> {
        let subject = subject::undeploy(&slot.to_string());
        let grace_ms = u64::try_from(grace.as_millis()).ok();
        let request = UndeployRequest { grace_ms }.encode();
        let patience = grace.saturating_add(patience);
        let answer = self.ask_again(subject, request.into(), patience).await?;
        match header(&answer, ERROR_HEADER) {
            Some(why) => Err(LinkError::Refused(why.to_owned())),
            None => Ok(()),
        }
    }

    /// Has the agent fetch and start a workload. Given up when it neither
    /// answers nor asks for a chunk of the artifact for `patience`.
    pub(crate) async fn deploy(
        &self,
        slot: SlotId,
        request: &AgentDeployRequest,
        artifact: &Artifact,
        patience: Duration,
    ) -> Result<(), DeployError> {
        let subject = subject::deploy(&slot.to_string());
        let answer = self.ask_again(subject, request.encode().into(), DAY);
        tokio::pin!(answer);
        let mut progress = artifact.progress();
        loop {
            let until = Instant::now() + patience;
            tokio::select! {
                answer = &mut answer => return accepted(&answer?),
                moved = timeout_at(until, progress.changed()) => {
                    moved.map_err(|_| DeployError::Link(LinkError::Timeout))?.ok();
                }
            }
        }
    }

    /// Runs the slot's function once.
    pub(crate) async fn trigger(
        &self,
        slot: SlotId,
        trigger: &Trigger,
        patience: Duration,
    ) -> Result<TriggerReply, TriggerError> {
        let headers = || {
            let mut headers = HeaderMap::new();
            headers.insert(TRIGGER_SUBJECT_HEADER, trigger.subject.as_str());
            if let Some(trace) = &trigger.traceparent {
                headers.insert(TRACE_HEADER, trace.as_str());
            }
            Some(headers)
        };
        let subject = subject::trigger(&slot.to_string());
        let payload = trigger.payload.clone();
        answered(self.ask(subject, payload, headers, patience).await?)
    }
}

fn accepted(answer: &Message) -> Result<(), DeployError> {
    let answer = DeployResponse::decode(&answer.payload).map_err(LinkError::Answer)?;
    if answer.accepted {
        return Ok(());
    }
    Err(DeployError::Rejected(answer.message.unwrap_or_default()))
}

fn answered(answer: Message) -> Result<TriggerReply, TriggerError> {
    if let Some(why) = header(&answer, ERROR_HEADER) {
        return Err(TriggerError::Failed(why.to_owned()));
    }
    let nanos = header(&answer, RUNTIME_HEADER).and_then(|text| text.parse().ok());
    Ok(TriggerReply {
        runtime: Duration::from_nanos(nanos.unwrap_or_default()),
        payload: answer.payload,
    })
}

fn header<'a>(answer: &'a Message, name: &str) -> Option<&'a str> {
    Some(answer.headers.as_ref()?.get(name)?.as_str())
}
