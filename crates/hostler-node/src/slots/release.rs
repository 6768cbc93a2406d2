//! Ending a slot, on request or because its agent died.
//!
//! Whoever ends a slot holds its lock; a second one waits and then finds
//! nothing left to do. A step that fails leaves the slot where it was, and
//! the next one who asks continues there.

use std::sync::Arc;
use std::time::Duration;

use hostler_core::id::SlotId;
use hostler_daemon::backoff::Backoff;

use super::place::Stage;
use super::shared::Shared;
use super::{ReleaseError, Released, SlotEvent};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Ends a slot to its last file. Goes on when the caller goes away.
pub(crate) async fn release(
    shared: &Arc<Shared>,
    slot: SlotId,
    grace: Duration,
) -> Result<Released, ReleaseError> {
    let task = shared.tasks.spawn(end(Arc::clone(shared), slot, grace));
    task.await
        .unwrap_or_else(|error| Err(ReleaseError::Files(std::io::Error::other(error))))
}

async fn end(shared: Arc<Shared>, slot: SlotId, grace: Duration) -> Result<Released, ReleaseError> {
    let gone = Released {
        already_gone: true,
        graceful: false,
    };
    let Some(closing) = shared.table.closing(slot) else {
        return Ok(gone);
    };
    let _closing = closing.lock().await;
    let Some(stage) = shared.table.release(slot) else {
        return Ok(gone);
    };
    let graceful = stage == Stage::Claimed && !grace.is_zero() && ask(&shared, slot, grace).await;
    shared.vms.kill(slot).await?;
    shared.vms.forget(slot).await.map_err(ReleaseError::Files)?;
    shared.claims.remove(slot).map_err(ReleaseError::Files)?;
    shared.table.remove(slot);
    shared.wake.notify_one();
    Ok(Released {
        already_gone: false,
        graceful,
    })
}

/// Asks the agent to end what it runs; says whether it did in time.
async fn ask(shared: &Shared, slot: SlotId, grace: Duration) -> bool {
    let patience = shared.options.deadlines.undeploy;
    let asked = shared.link.undeploy(slot, grace, patience).await;
    if let Err(error) = &asked {
        tracing::warn!(%slot, %error, "the agent did not confirm its end; killing it");
    }
    asked.is_ok()
}

/// Watches a slot's agent; when it dies unasked, removes what is left and
/// tells, in that order.
pub(crate) async fn watch(shared: Arc<Shared>, slot: SlotId) {
    if shared
        .stop
        .run_until_cancelled(shared.vms.ended(slot))
        .await
        .is_none()
    {
        return;
    }
    let stage = shared.table.stage(slot);
    let claimed = match stage {
        None | Some(Stage::Releasing) => return,
        Some(stage) => stage == Stage::Claimed,
    };
    tracing::warn!(%slot, claimed, "an agent died");
    let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    while let Err(error) = release(&shared, slot, Duration::ZERO).await {
        tracing::error!(%slot, %error, "could not remove what a dead agent left");
        let pause = tokio::time::sleep(backoff.pause());
        if shared.stop.run_until_cancelled(pause).await.is_none() {
            return;
        }
    }
    if claimed {
        let why = "the agent died".to_owned();
        shared.tell(SlotEvent::Lost { slot, why }).await;
    }
}
