//! The calls that change something. Each may be repeated; none touches what
//! does not carry this manager's labels.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hostler_core::runner::{RunnerId, RunnerPool};
use hostler_runners::provider::{Check, Order, Provider, ProviderError, ProviderInfo, Snapshot};
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use kube::{Api, Client};
use serde_json::json;
use tokio::sync::watch;

use crate::api::{Failure, names, placeholder, within};
use crate::doctor;
use crate::settings::Settings;
use crate::watch::{Hub, placeholder as slim};

/// How far a snapshot may be behind an answer.
const LAG: Duration = Duration::from_secs(5);
/// The pause when something of this name is still ending.
const ENDING: Duration = Duration::from_secs(1);

/// A provider of runners on Kubernetes.
pub struct Kubernetes {
    client: Client,
    settings: Arc<Settings>,
    hub: Arc<Hub>,
    seen: Arc<watch::Sender<Arc<Snapshot>>>,
}

impl Kubernetes {
    pub(crate) fn new(
        client: Client,
        settings: Arc<Settings>,
        hub: Arc<Hub>,
        seen: Arc<watch::Sender<Arc<Snapshot>>>,
    ) -> Self {
        Self {
            client,
            settings,
            hub,
            seen,
        }
    }

    fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.client.clone(), &self.settings.namespace)
    }

    async fn call<T>(
        &self,
        call: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T, Failure> {
        within(self.settings.patience, call).await
    }

    /// The pod of this name, if there is one and it is ours.
    async fn own(&self, id: &RunnerId) -> Result<Option<Pod>, ProviderError> {
        let found = self.call(self.pods().get_opt(id.as_str())).await;
        let found = found.map_err(|failure| failure.provider())?;
        match found {
            Some(pod) if !self.is_own(&pod) => {
                let text = format!("pod {id} is there, and is not this manager's");
                Err(ProviderError::Invalid(text))
            }
            other => Ok(other),
        }
    }

    fn is_own(&self, pod: &Pod) -> bool {
        let Some(labels) = &pod.metadata.labels else {
            return false;
        };
        let is_placeholder = labels
            .get(names::APP.0)
            .is_some_and(|app| app == names::APP.1);
        let manager = labels.get(names::MANAGER);
        is_placeholder && manager.is_none_or(|manager| *manager == self.settings.manager)
    }

    /// The name is taken: by this very order, made before, or by something else.
    async fn taken(&self, order: &Order) -> Result<(), ProviderError> {
        let pause = |text: String| ProviderError::Throttled {
            retry_after: Some(ENDING),
            text,
        };
        let Some(pod) = self.own(&order.id).await? else {
            return Err(pause(format!("pod {} has just ended", order.id)));
        };
        let job = pod
            .metadata
            .labels
            .as_ref()
            .and_then(|labels| labels.get(names::JOB));
        if job.is_none_or(|job| *job != order.mark.job.to_string()) {
            let text = format!("pod {} is there, of another job", order.id);
            return Err(ProviderError::Invalid(text));
        }
        if pod.metadata.deletion_timestamp.is_some() {
            return Err(pause(format!("pod {} is still ending", order.id)));
        }
        self.born(pod);
        Ok(())
    }

    /// Shown at once: our own answer is as good as the watch's word.
    fn born(&self, pod: Pod) {
        let (key, row) = slim(pod);
        self.hub
            .change(|world, now| world.placeholders.bear(key, row, now));
    }

    /// Without the right to, the pins just go with the pod.
    async fn unpin(&self, id: &RunnerId) -> Result<(), ProviderError> {
        let pins = json!({names::SAFE_TO_EVICT: "true", names::DO_NOT_DISRUPT: null});
        let patch = Patch::Merge(json!({"metadata": {"annotations": pins}}));
        let params = PatchParams::default();
        let pods = self.pods();
        let patched = self.call(pods.patch(id.as_str(), &params, &patch)).await;
        match self.optional(PATCH, patched.map(|_| ())) {
            Err(failure) if !failure.is_denied() => Err(failure.provider()),
            _ => Ok(()),
        }
    }

    /// What came of a call that can be done without; what is gone needs none.
    fn optional(&self, right: &'static str, done: Result<(), Failure>) -> Result<(), Failure> {
        match done {
            Err(failure) if failure.is_missing() => Ok(()),
            Err(failure) => {
                if failure.is_denied() {
                    self.hub.lacks(right, true);
                }
                Err(failure)
            }
            Ok(()) => {
                self.hub.lacks(right, false);
                Ok(())
            }
        }
    }

    /// On a machine that is dead nobody would confirm the end of a pod, and a
    /// pod that does nothing loses nothing by it.
    fn grace(&self, id: &RunnerId) -> Option<u32> {
        let seen = self.seen.borrow();
        let machine = seen.runners.get(id)?.machine.as_ref()?;
        let is_dead = machine.is_ready == Some(false) || machine.exists == Some(false);
        is_dead.then_some(0)
    }
}

/// What a manager without the right to patch pods goes without.
const PATCH: &str = "pods: patch: a runner's pins are not taken off before it is deleted";
/// What one without the right to patch nodes goes without.
const CORDON: &str = "nodes: patch: the machine of a removed runner is not closed to others";

#[async_trait]
impl Provider for Kubernetes {
    fn info(&self) -> ProviderInfo {
        ProviderInfo {
            name: "kubernetes",
            lag: LAG,
            calls_at_once: 16,
        }
    }

    fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.seen.subscribe()
    }

    async fn create(&self, order: &Order) -> Result<(), ProviderError> {
        let pod = placeholder::placeholder(&self.settings, order);
        let pod = pod.map_err(|error| ProviderError::Invalid(error.to_string()))?;
        match self
            .call(self.pods().create(&PostParams::default(), &pod))
            .await
        {
            Ok(pod) => {
                self.born(pod);
                Ok(())
            }
            Err(failure) if failure.is_taken() => self.taken(order).await,
            Err(failure) => Err(failure.provider()),
        }
    }

    async fn cordon(&self, id: &RunnerId, closed: bool) -> Result<(), ProviderError> {
        let facts = self.seen.borrow().runners.get(id).cloned();
        let Some(machine) = facts.and_then(|facts| facts.machine.clone()) else {
            return Ok(());
        };
        let nodes: Api<Node> = Api::all(self.client.clone());
        let patch = Patch::Merge(json!({"spec": {"unschedulable": closed}}));
        let params = PatchParams::default();
        let patched = nodes.patch(&machine.name, &params, &patch);
        let patched = self.call(patched).await.map(|_| ());
        let closed = self.optional(CORDON, patched);
        closed.map_err(|failure| failure.provider())
    }

    async fn release(&self, id: &RunnerId) -> Result<(), ProviderError> {
        let Some(pod) = self.own(id).await? else {
            return Ok(());
        };
        let grace = self.grace(id);
        if pod.metadata.deletion_timestamp.is_some() && grace.is_none() {
            return Ok(());
        }
        self.unpin(id).await?;
        let params = DeleteParams {
            grace_period_seconds: grace,
            preconditions: Some(Preconditions {
                uid: pod.metadata.uid,
                resource_version: None,
            }),
            ..DeleteParams::default()
        };
        match self.call(self.pods().delete(id.as_str(), &params)).await {
            Ok(_) => Ok(()),
            // Gone, or another pod by now: not the one that was to go.
            Err(failure) if failure.is_missing() || failure.is_conflict() => Ok(()),
            Err(failure) => Err(failure.provider()),
        }
    }

    async fn check(&self, pools: &[Arc<RunnerPool>]) -> Vec<Check> {
        doctor::check(&self.client, &self.settings, pools).await
    }
}
