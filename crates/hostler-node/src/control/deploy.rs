//! DEPLOY (protocol 2): the checks of 2.6 in their order, cheap ones first,
//! and only then the work. The first check that fails is the answer, and
//! nothing has happened.

use std::collections::BTreeMap;

use chrono::Utc;
use hostler_core::Name;
use hostler_core::workload::{Kind, OnNodeLoss};
use hostler_wire::agent::AgentDeployRequest;
use hostler_wire::nats::TriggerSubject;
use hostler_wire::nats::envelope::{failure, success};
use hostler_wire::nats::subject::overlaps;
use hostler_wire::nats::{Claims, DeployRefusal, DeployReply, DeployRequest, ReplyType};

use super::ControlApi;
use crate::agents::LinkError;
use crate::artifacts::Held;
use crate::ledger::{ArtifactRef, ArtifactSource, ObjectRef, Plan};
use crate::report::report;
use crate::slots::{ClaimError, DeployError};
use crate::workloads::{LocalDeploy, StartError};

/// A request that passed the checks that need no artifact.
struct Admitted {
    namespace: Name,
    name: Name,
    kind: Kind,
    environment: BTreeMap<String, String>,
    claims: Claims,
}

impl ControlApi {
    pub(super) async fn deploy(&self, namespace: &str, payload: &[u8]) -> Vec<u8> {
        match self.deploy_checked(namespace, payload).await {
            Ok(reply) => success(ReplyType::Run, &reply),
            Err(refusal) => {
                tracing::info!(namespace, %refusal, "refused a deploy over NATS");
                failure(ReplyType::Run, &refusal.to_string())
            }
        }
    }

    async fn deploy_checked(
        &self,
        namespace: &str,
        payload: &[u8],
    ) -> Result<DeployReply, DeployRefusal> {
        let namespace = namespace.parse().map_err(|_| DeployRefusal::Subject)?;
        if self.workloads.roster().borrow().lame_duck {
            return Err(DeployRefusal::LameDuck);
        }
        let request = DeployRequest::read(payload)?;
        let admitted = self.admit(namespace, &request)?;
        let token = self
            .replay
            .begin(&request.workload_jwt)
            .ok_or(DeployRefusal::Replayed)?;
        let held = self.artifact(&request, &admitted.claims).await?;
        let plan = self.plan(&request, &admitted, &held)?;
        let Admitted { claims, .. } = admitted;
        let (issuer, name) = (claims.iss.clone(), claims.sub.clone());
        let started = self
            .workloads
            .start_local(LocalDeploy {
                plan,
                claims,
                artifact: held,
                mark: token.mark().to_owned(),
            })
            .await;
        let used = started
            .as_ref()
            .map_or_else(StartError::may_have_run, |_| true);
        if used {
            token.keep();
        }
        let slot = started.map_err(|error| refusal(&error))?;
        Ok(DeployReply {
            started: true,
            id: slot.to_string(),
            issuer,
            name,
        })
    }

    /// Checks 4 to 10.
    fn admit(&self, namespace: Name, request: &DeployRequest) -> Result<Admitted, DeployRefusal> {
        let kind = self.kind(&request.r#type)?;
        if !request.trigger_subjects.is_empty() && !kind.is_function() {
            return Err(DeployRefusal::TriggersForType(request.r#type.clone()));
        }
        let environment = request.open_environment(self.identity.xkey())?;
        let claims = request.claims()?;
        let name = DeployRequest::name_in(&claims, Utc::now())?;
        let allowed = |list: &[String], key: &String| list.is_empty() || list.contains(key);
        if !allowed(&self.admission.issuers, &claims.iss) {
            return Err(DeployRefusal::Issuer(claims.iss));
        }
        if !allowed(&self.admission.requesters, &request.sender_public_key) {
            let key = request.sender_public_key.clone();
            return Err(DeployRefusal::Requester(key));
        }
        Ok(Admitted {
            namespace,
            name,
            kind,
            environment,
            claims,
        })
    }

    /// Check 4, letter by letter.
    fn kind(&self, text: &str) -> Result<Kind, DeployRefusal> {
        let refused = || DeployRefusal::Type(text.to_owned());
        if !self.admission.types.iter().any(|known| known == text) {
            return Err(refused());
        }
        match text {
            "elf" | "native" => Ok(Kind::Elf),
            "wasm" => Ok(Kind::Wasm),
            "v8" => Ok(Kind::V8),
            _ => Err(refused()),
        }
    }

    /// Check 11.
    async fn artifact(
        &self,
        request: &DeployRequest,
        claims: &Claims,
    ) -> Result<Held, DeployRefusal> {
        let held = self
            .artifacts
            .import(&object(request), self.admission.artifact_bytes)
            .await
            .map_err(|error| DeployRefusal::Artifact(report(&error).to_string()))?;
        match claims.artifact_hash() {
            Some(claimed) if claimed != held.digest => Err(DeployRefusal::ArtifactHash {
                claimed,
                found: held.digest.clone(),
            }),
            _ => Ok(held),
        }
    }

    /// What an agent would refuse is refused before an agent is used up.
    fn plan(
        &self,
        request: &DeployRequest,
        admitted: &Admitted,
        held: &Held,
    ) -> Result<Plan, DeployRefusal> {
        let asked = AgentDeployRequest {
            namespace: admitted.namespace.to_string(),
            workload_name: admitted.name.to_string(),
            hash: held.digest.clone(),
            total_bytes: held.size,
            workload_type: request.r#type.clone(),
            essential: request.essential,
            trigger_subjects: Some(request.trigger_subjects.clone()),
            ..AgentDeployRequest::default()
        };
        asked
            .check()
            .map_err(|refusal| DeployRefusal::Agent(refusal.to_string()))?;
        self.check_triggers(&request.trigger_subjects)?;
        let environment = self
            .identity
            .vault()
            .seal(&admitted.environment)
            .map_err(|error| DeployRefusal::AgentProcess(report(&error).to_string()))?;
        Ok(Plan {
            namespace: admitted.namespace.to_string(),
            name: admitted.name.to_string(),
            kind: admitted.kind,
            artifact: ArtifactRef {
                digest: held.digest.clone(),
                size: held.size,
                source: ArtifactSource::ObjectStore(object(request)),
            },
            argv: request.argv.clone(),
            environment,
            triggers: request.trigger_subjects.clone(),
            essential: request.essential,
            resources: self.admission.need,
            pids: LOCAL_PIDS,
            on_node_loss: OnNodeLoss::Wait,
            description: request.description.clone(),
        })
    }
}

impl ControlApi {
    /// Check 16, as far as it needs no subscription.
    fn check_triggers(&self, subjects: &[String]) -> Result<(), DeployRefusal> {
        for subject in subjects {
            subject
                .parse::<TriggerSubject>()
                .map_err(|error| DeployRefusal::Trigger(error.to_string()))?;
            let mut denied = self.admission.denied_triggers.iter();
            if let Some(denied) = denied.find(|denied| overlaps(subject, denied)) {
                let text = format!("'{subject}' is not allowed as a trigger: it overlaps {denied}");
                return Err(DeployRefusal::Trigger(text));
            }
        }
        Ok(())
    }
}

/// How many processes work may have that was deployed over NATS.
const LOCAL_PIDS: u32 = 256;

fn object(request: &DeployRequest) -> ObjectRef {
    ObjectRef {
        bucket: request.location.bucket().to_owned(),
        key: request.location.key().to_owned(),
        domain: request.jsdomain.clone(),
    }
}

/// Checks 12 to 16.
fn refusal(error: &StartError) -> DeployRefusal {
    let text = report(error).to_string();
    match error {
        StartError::Claim(ClaimError::Full { .. } | ClaimError::Late { .. }) => {
            DeployRefusal::NoAgent
        }
        StartError::Deploy(DeployError::Rejected(text)) => DeployRefusal::Agent(text.clone()),
        StartError::Deploy(DeployError::Link(LinkError::Timeout)) => {
            DeployRefusal::AgentSilent("nats: timeout".to_owned())
        }
        StartError::Deploy(DeployError::NoSlot | DeployError::Link(_)) | StartError::Lost(_) => {
            let text = "nats: no responders available for request";
            DeployRefusal::AgentSilent(text.to_owned())
        }
        StartError::Listen(error) => DeployRefusal::Trigger(report(error).to_string()),
        StartError::Claim(_)
        | StartError::Deploy(_)
        | StartError::Ledger(_)
        | StartError::Environment(_)
        | StartError::Stopped => DeployRefusal::AgentProcess(text),
    }
}
