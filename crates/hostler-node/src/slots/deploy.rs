//! Giving a claimed slot its workload.

use std::sync::Arc;
use std::time::Duration;

use hostler_core::Bytes;
use hostler_core::id::SlotId;

use super::lease;
use super::shared::Shared;
use super::{DeployError, Deployment};
use crate::agents::Artifact;
use crate::hypervisor::Limits;

/// An agent holds the whole artifact for a moment; up to this size that is
/// within what it is given for itself.
const HELD: u64 = 8 << 20;

/// Has the agent fetch, check and start a workload. The artifact can be
/// fetched by this slot only, and only until this returns.
pub(crate) async fn deploy(
    shared: &Shared,
    slot: SlotId,
    mut deployment: Deployment,
) -> Result<(), DeployError> {
    if let Some(word) = deployment.lease {
        deployment.request.lease = lease::placed(&shared.table, slot, word);
    }
    let artifact = Artifact::open(&deployment.artifact, deployment.digest).map_err(|source| {
        DeployError::Artifact {
            path: deployment.artifact,
            source,
        }
    })?;
    if !shared.table.offer(slot, &artifact) {
        return Err(DeployError::NoSlot);
    }
    let offer = Offer {
        shared,
        slot,
        artifact,
    };
    make_room(shared, slot, deployment.request.total_bytes).await;
    let patience = shared.options.deadlines.deploy;
    shared
        .link
        .deploy(slot, &deployment.request, &offer.artifact, patience)
        .await?;
    shared.table.deployed(slot, Duration::ZERO);
    settle(shared, slot).await
}

/// Lets the agent hold a large artifact beside what it is to run.
async fn make_room(shared: &Shared, slot: SlotId, size: u64) {
    let Some(limits) = shared.table.limits(slot) else {
        return;
    };
    if size <= HELD || limits.memory.get() == 0 {
        return;
    }
    let roomy = Limits {
        memory: Bytes::new(limits.memory.get().saturating_add(size)),
        ..limits
    };
    if let Err(error) = shared.vms.limit(slot, roomy).await {
        tracing::warn!(%slot, %error, "could not make room for the artifact");
    }
}

/// Puts on the limits that hold from now on.
async fn settle(shared: &Shared, slot: SlotId) -> Result<(), DeployError> {
    match shared.table.limits(slot) {
        Some(limits) => Ok(shared.vms.limit(slot, limits).await?),
        None => Ok(()),
    }
}

/// Takes the offer back also when the caller goes away.
struct Offer<'a> {
    shared: &'a Shared,
    slot: SlotId,
    artifact: Arc<Artifact>,
}

impl Drop for Offer<'_> {
    fn drop(&mut self) {
        self.shared.table.offer_end(self.slot, &self.artifact);
    }
}
