//! The steps of a piece of work, each a future of its own that needs nothing
//! of the task that owns it, and what comes of them.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use hostler_core::id::SlotId;
use hostler_core::workload::Kind;
use hostler_wire::agent::{AgentDeployRequest, AgentLimits, AgentPhase, AgentState};
use tokio::time::Instant;

use super::{Parts, StartError};
use crate::artifacts::{ArtifactError, Held};
use crate::ledger::{Plan, Work};
use crate::relay::Speaker;
use crate::slots::{ClaimError, Deployment, ReleaseError, SlotNeed, SlotState};
use crate::triggers::{Computed, Listening};

/// What came of a step.
pub(super) enum Outcome {
    Waited,
    Probed(Box<SlotState>, Option<Started>),
    Fetched(Result<Held, ArtifactError>),
    Claimed(Result<SlotId, ClaimError>),
    Deployed(Result<Started, StartError>),
    Released(Result<(), ReleaseError>),
}

/// Work that runs.
pub(super) struct Started {
    /// Its ear, if it is a function.
    pub(super) listening: Result<Option<Listening>, StartError>,
    /// What it has computed.
    pub(super) computed: Arc<Computed>,
    /// Since when it runs.
    pub(super) since: Instant,
}

pub(super) type StepFuture = BoxFuture<'static, Outcome>;

pub(super) fn wait(until: Instant) -> StepFuture {
    async move {
        tokio::time::sleep_until(until).await;
        Outcome::Waited
    }
    .boxed()
}

/// Asks a slot; if the work runs there, has it listen again.
pub(super) fn probe(parts: Arc<Parts>, slot: SlotId, work: &Work) -> StepFuture {
    let plan = work.plan.clone();
    async move {
        let state = parts.slots.probe(slot).await;
        let started = match (&state, plan) {
            (SlotState::Deployed(agent), Some(plan)) if agent.state == AgentPhase::Running => {
                Some(adopted(&parts, slot, &plan, agent).await)
            }
            _ => None,
        };
        Outcome::Probed(Box::new(state), started)
    }
    .boxed()
}

pub(super) fn fetch(parts: Arc<Parts>, plan: &Plan) -> StepFuture {
    let artifact = plan.artifact.clone();
    async move { Outcome::Fetched(parts.artifacts.get(&artifact).await) }.boxed()
}

pub(super) fn claim(parts: Arc<Parts>, plan: &Plan) -> StepFuture {
    let need = SlotNeed {
        resources: plan.resources,
        pids: plan.pids,
    };
    async move { Outcome::Claimed(parts.slots.claim(&need).await) }.boxed()
}

/// Sends the work to its slot, and has it listen if it is a function.
pub(super) fn deploy(parts: Arc<Parts>, slot: SlotId, work: &Work, held: &Held) -> StepFuture {
    let request = work
        .plan
        .as_ref()
        .map(|plan| (plan.clone(), request(&parts, work, plan, held)));
    let (artifact, digest) = (held.path.clone(), held.digest.clone());
    let leased = work.leased();
    async move {
        let Some((plan, request)) = request else {
            return Outcome::Deployed(Err(StartError::Stopped));
        };
        let deploy = async {
            let deployment = Deployment {
                request: request?,
                artifact,
                digest,
                lease: leased.then(|| parts.lease.word()),
            };
            parts.slots.deploy(slot, deployment).await?;
            let computed = Arc::default();
            let listening = listen(&parts, slot, &plan, &computed).await;
            Ok(Started {
                listening,
                computed,
                since: Instant::now(),
            })
        };
        Outcome::Deployed(deploy.await)
    }
    .boxed()
}

pub(super) fn release(parts: Arc<Parts>, slot: SlotId, grace: Duration) -> StepFuture {
    async move { Outcome::Released(parts.slots.release(slot, grace).await.map(drop)) }.boxed()
}

async fn adopted(parts: &Parts, slot: SlotId, plan: &Plan, agent: &AgentState) -> Started {
    let computed = Arc::new(Computed::starting_at(agent.runtime_ns));
    let uptime = Duration::from_millis(agent.uptime_ms);
    let now = Instant::now();
    Started {
        listening: listen(parts, slot, plan, &computed).await,
        computed,
        since: now.checked_sub(uptime).unwrap_or(now),
    }
}

async fn listen(
    parts: &Parts,
    slot: SlotId,
    plan: &Plan,
    computed: &Arc<Computed>,
) -> Result<Option<Listening>, StartError> {
    if plan.triggers.is_empty() {
        return Ok(None);
    }
    let speaker = speaker(plan, slot);
    let listening = parts.triggers.listen(&speaker, &plan.triggers, computed);
    Ok(Some(listening.await?))
}

/// Whose logs and events a slot's are.
pub(super) fn speaker(plan: &Plan, slot: SlotId) -> Speaker {
    Speaker {
        namespace: plan.namespace.as_str().into(),
        name: plan.name.as_str().into(),
        slot,
    }
}

/// The variable that tells a service how often it was started again in a row.
const RESTARTS: &str = "HOSTLER_RESTARTS";

fn request(
    parts: &Parts,
    work: &Work,
    plan: &Plan,
    held: &Held,
) -> Result<AgentDeployRequest, StartError> {
    let mut environment = parts.vault.open(&plan.environment)?;
    if plan.kind == Kind::Elf {
        environment.insert(RESTARTS.to_owned(), work.restarts.to_string());
    }
    let again = work.restarts > 0;
    let some = |number: u64| (number > 0).then_some(number);
    Ok(AgentDeployRequest {
        argv: plan.argv.clone(),
        description: Some(plan.description.clone()),
        environment: Some(environment),
        essential: plan.essential,
        hash: held.digest.clone(),
        namespace: plan.namespace.clone(),
        retried_at: again.then(chrono::Utc::now),
        retry_count: again.then_some(work.restarts.into()),
        total_bytes: held.size,
        trigger_subjects: Some(plan.triggers.clone()),
        workload_name: plan.name.clone(),
        workload_type: plan.kind.as_str().to_owned(),
        generation: Some(work.generation.number()),
        limits: Some(AgentLimits {
            memory_bytes: some(plan.resources.memory.get()),
            pids: (plan.pids > 0).then_some(plan.pids),
            ..AgentLimits::default()
        }),
        // Put onto the agent's clock right before it is sent.
        lease: None,
    })
}
