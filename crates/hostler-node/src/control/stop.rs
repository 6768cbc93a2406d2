//! STOP (protocol 1.7). Work in another namespace looks like no work, so the
//! namespace comes before the token.

use std::sync::Arc;

use hostler_core::workload::SeenState;
use hostler_wire::nats::envelope::{failure, success};
use hostler_wire::nats::stop::stop_allowed;
use hostler_wire::nats::{Claims, Message, ReplyType, StopRefusal, StopReply, StopRequest};

use super::ControlApi;
use crate::ledger::Origin;
use crate::report::report;
use crate::workloads::View;

impl ControlApi {
    pub(super) async fn stop(&self, namespace: &str, payload: &[u8]) -> Vec<u8> {
        match self.stop_checked(namespace, payload).await {
            Ok(reply) => success(ReplyType::Stop, &reply),
            Err(refusal) => {
                tracing::info!(namespace, %refusal, "refused a stop over NATS");
                failure(ReplyType::Stop, &refusal.to_string())
            }
        }
    }

    async fn stop_checked(
        &self,
        namespace: &str,
        payload: &[u8],
    ) -> Result<StopReply, StopRefusal> {
        let request = StopRequest::decode(payload)?;
        let view = self
            .known(namespace, &request.workload_id)
            .ok_or(StopRefusal::NoSuchWorkload)?;
        let asked = Claims::decode(&request.workload_jwt)?;
        // What the control plane ordered was issued by nobody with an nkey.
        let Origin::Local { claims } = &view.work.origin else {
            return Err(StopRefusal::OtherIssuer);
        };
        stop_allowed(claims, &asked)?;
        self.workloads
            .stop_local(view.work.id)
            .await
            .map_err(|error| StopRefusal::Failed(report(&error).to_string()))?;
        Ok(StopReply {
            stopped: true,
            id: request.workload_id,
            issuer: claims.iss.clone(),
            name: claims.sub.clone(),
        })
    }

    /// Work by the id it has on this API, in this namespace, case and all.
    fn known(&self, namespace: &str, id: &str) -> Option<Arc<View>> {
        let slot = id.parse().ok()?;
        let roster = self.workloads.roster();
        let view = Arc::clone(roster.borrow().by_slot(slot)?);
        let plan = view.work.plan.clone()?;
        let gone = view.state == SeenState::Absent;
        (plan.namespace == namespace && !gone).then_some(view)
    }
}
