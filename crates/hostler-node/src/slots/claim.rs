//! Handing out a slot.

use std::sync::Arc;
use std::time::Duration;

use hostler_core::Cpu;
use hostler_core::id::SlotId;
use tokio::time::{Instant, timeout_at};

use super::release;
use super::shared::Shared;
use super::{ClaimError, SlotNeed};
use crate::hypervisor::Limits;

/// Hands out a ready slot, waiting for one if there is none.
pub(crate) async fn claim(shared: &Arc<Shared>, need: &SlotNeed) -> Result<SlotId, ClaimError> {
    let slot = wait(shared).await?;
    let limits = Limits {
        cpu: need.resources.cpu,
        memory: need.resources.memory,
        pids: need.pids,
    };
    if let Err(error) = prepare(shared, slot, limits).await {
        // A slot that cannot be prepared is of no more use.
        let ended = release::release(shared, slot, Duration::ZERO).await;
        if let Err(error) = ended {
            tracing::error!(%slot, %error, "could not end a slot that could not be prepared");
        }
        return Err(error);
    }
    Ok(slot)
}

/// Takes a ready slot, which nobody else gets from then on.
async fn wait(shared: &Shared) -> Result<SlotId, ClaimError> {
    let patience = shared.options.pool.claim;
    let until = Instant::now() + patience;
    shared.table.asked(shared.options.pool.demand_window);
    loop {
        let changed = shared.table.changed();
        tokio::pin!(changed);
        // Enabled before looking, so that nothing between the two is missed.
        changed.as_mut().enable();
        if let Some(slot) = shared.table.claim() {
            shared.wake.notify_one();
            return Ok(slot);
        }
        check_room(shared)?;
        shared.wake.notify_one();
        tokio::select! {
            late = timeout_at(until, changed) => late.map_err(|_| late_error(shared, patience))?,
            () = shared.filling.cancelled() => return Err(ClaimError::Stopping),
        }
    }
}

/// Notes the claim and limits the slot. Processor time is limited only when
/// something runs: fetching, checking and compiling are ours to pay.
async fn prepare(shared: &Shared, slot: SlotId, limits: Limits) -> Result<(), ClaimError> {
    shared
        .claims
        .insert(slot, limits)
        .map_err(ClaimError::Record)?;
    shared.table.limits_set(slot, limits);
    // A quick agent shakes hands while its machine is still being settled in
    // its groups; limits and work wait for the end of that.
    let making = shared.table.closing(slot);
    let _made = match &making {
        Some(lock) => Some(lock.lock().await),
        None => None,
    };
    let start = Limits {
        cpu: Cpu::millis(0),
        ..limits
    };
    shared.vms.limit(slot, start).await?;
    Ok(())
}

fn check_room(shared: &Shared) -> Result<(), ClaimError> {
    let max = shared.options.pool.max;
    if shared.filling.is_cancelled() {
        Err(ClaimError::Stopping)
    } else if shared.table.counts().claimed >= max {
        Err(ClaimError::Full { max })
    } else {
        Ok(())
    }
}

fn late_error(shared: &Shared, waited: Duration) -> ClaimError {
    ClaimError::Late {
        waited_ms: waited.as_millis(),
        problem: shared.problem(),
    }
}
