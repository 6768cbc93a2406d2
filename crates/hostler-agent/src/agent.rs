//! The agent and its one workload: the orders it takes, one at a time.
//!
//! An order of the node may come twice, because the answer to the first was
//! lost or because the node was restarted: the same deploy gets the same
//! answer and starts nothing, a second undeploy confirms what is so already.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_nats::Client;
use hostler_wire::agent::{
    AgentDeployRequest, AgentLevel, AgentRefusal, DeployResponse, EventData, Message as _,
    WorkloadStarted, WorkloadStopped,
};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::deploy::{self, Workload};
use crate::lease::Lease;
use crate::outbox::Outbox;
use crate::service::{Leftover, Reaper, Surroundings, family_end};
use crate::status::Status;

/// Everything the agent is.
pub(crate) struct Agent {
    pub(crate) slot: String,
    /// The service's working folder.
    pub(crate) work: PathBuf,
    pub(crate) client: Client,
    pub(crate) outbox: Outbox,
    pub(crate) status: Arc<Status>,
    pub(crate) reaper: Reaper,
    /// Held while an order is carried out.
    pub(crate) desk: Mutex<Desk>,
    /// Cancelled by the first undeploy, or the end of the lease: there will be no workload any more.
    pub(crate) closing: CancellationToken,
    /// Until when there may be a workload.
    pub(crate) lease: Lease,
}

/// What was ordered and what came of it.
#[derive(Default)]
pub(crate) struct Desk {
    given: Option<Given>,
    workload: Option<Workload>,
}

/// The one deploy of the agent's life.
struct Given {
    identity: Identity,
    response: DeployResponse,
}

/// What makes two deploy requests the same.
#[derive(PartialEq, Eq)]
struct Identity {
    namespace: String,
    name: String,
    hash: String,
    generation: Option<u64>,
}

impl Agent {
    /// Follows a deploy request, or says why not.
    pub(crate) async fn deploy(&self, payload: &[u8]) -> DeployResponse {
        let request = match AgentDeployRequest::decode(payload) {
            Ok(request) => request,
            Err(error) => {
                let refusal = AgentRefusal::Unreadable(error.to_string());
                return DeployResponse::refused(&refusal);
            }
        };
        // Before anything runs, so that nothing ever runs without an end.
        if let Some(lease) = &request.lease {
            self.lease.hear(lease);
        }
        let mut desk = self.desk.lock().await;
        if self.closing.is_cancelled() || self.lease.is_over() {
            return occupied();
        }
        let identity = Identity::of(&request);
        if let Some(given) = &desk.given {
            let same = given.identity == identity;
            return if same {
                given.response.clone()
            } else {
                occupied()
            };
        }
        if let Err(refusal) = request.check() {
            return DeployResponse::refused(&refusal);
        }
        self.status.starting(&request);
        let response = match self.run(&request).await {
            Ok(workload) => {
                desk.workload = Some(workload);
                self.started(&request);
                DeployResponse::accepted()
            }
            Err(refusal) => {
                self.not_started(&request, &refusal);
                DeployResponse::refused(&refusal)
            }
        };
        desk.given = Some(Given {
            identity,
            response: response.clone(),
        });
        response
    }

    /// Ends the workload; nothing of it is left when this returns without an
    /// error. There is no other workload afterwards.
    pub(crate) async fn undeploy(&self, grace: Duration) -> Result<(), Leftover> {
        self.closing.cancel();
        let mut desk = self.desk.lock().await;
        match &mut desk.workload {
            Some(Workload::Service(service)) => service.stop(grace).await?,
            Some(Workload::Function(function)) => function.stop().await,
            None => family_end(&self.reaper).await?,
        }
        self.status.exited(None);
        Ok(())
    }

    /// The lease has ended: kills the workload at once, and returns when
    /// nothing of it is left. A function that computes on ends with the agent.
    pub(crate) async fn fence(&self) {
        self.closing.cancel();
        let text = "Workload stopped: its lease has ended".to_owned();
        self.outbox.say(AgentLevel::WARN, text);
        // Not waited for: an order under way holds it for all of its grace.
        if let Ok(desk) = self.desk.try_lock() {
            match &desk.workload {
                Some(Workload::Service(service)) => service.kill(),
                Some(Workload::Function(function)) => function.close(),
                None => {}
            }
        }
        while let Err(left) = family_end(&self.reaper).await {
            tracing::error!(%left, "the lease has ended; killing again");
        }
        self.status.exited(None);
    }

    /// What a service touches of the agent.
    pub(crate) fn surroundings(&self) -> Surroundings {
        Surroundings {
            slot: self.slot.clone(),
            outbox: self.outbox.clone(),
            status: Arc::clone(&self.status),
            reaper: self.reaper.clone(),
            closing: self.closing.clone(),
        }
    }

    async fn run(&self, request: &AgentDeployRequest) -> Result<Workload, AgentRefusal> {
        let undeployed = || AgentRefusal::Start("it was undeployed meanwhile".to_owned());
        let prepared = tokio::select! {
            prepared = deploy::prepare(self, request) => prepared?,
            () = self.closing.cancelled() => return Err(undeployed()),
        };
        // Both may be so at once. Nothing is started once this was cancelled.
        if self.closing.is_cancelled() {
            return Err(undeployed());
        }
        deploy::start(self, request, prepared).await
    }

    fn started(&self, request: &AgentDeployRequest) {
        let name = &request.workload_name;
        self.outbox
            .say(AgentLevel::INFO, format!("Workload {name} deployed"));
        self.outbox
            .event(EventData::WorkloadStarted(WorkloadStarted {
                workload_name: name.clone(),
                code: 0,
            }));
    }

    /// The original says this of failed starts only; what is refused before
    /// is known by the answer alone.
    fn not_started(&self, request: &AgentDeployRequest, refusal: &AgentRefusal) {
        let name = &request.workload_name;
        tracing::warn!(%refusal, "the workload does not run");
        if matches!(refusal, AgentRefusal::Start(_)) && !self.closing.is_cancelled() {
            let text = format!("Workload {name} failed to deploy");
            self.outbox.say(AgentLevel::ERROR, text);
            self.outbox
                .event(EventData::WorkloadStopped(WorkloadStopped {
                    workload_name: name.clone(),
                    code: -1,
                    message: hostler_wire::nats::event::start_failed_message(name, &self.slot),
                }));
        }
        self.status.exited(Some(-1));
    }
}

fn occupied() -> DeployResponse {
    DeployResponse::refused(&AgentRefusal::Occupied)
}

impl Identity {
    fn of(request: &AgentDeployRequest) -> Self {
        Self {
            namespace: request.namespace.clone(),
            name: request.workload_name.clone(),
            hash: request.hash.to_ascii_lowercase(),
            generation: request.generation,
        }
    }
}
