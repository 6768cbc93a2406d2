//! Making one slot ready.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use hostler_core::id::SlotId;
use tokio::time::{Instant, timeout_at};

use super::place::Stage;
use super::release;
use super::shared::Shared;
use crate::hypervisor::{BootError, BootSpec};
use crate::inner::InnerError;

/// A slot did not become ready.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotReady {
    #[error("could not make credentials for the agent")]
    Credentials(#[from] InnerError),
    #[error("could not start the agent")]
    Boot(#[from] BootError),
    #[error("the agent did not shake hands within {0} ms")]
    Late(u128),
    #[error("the agent ended before it shook hands")]
    Died,
    #[error("no more slots are made")]
    Closing,
}

/// Enters a new slot, which counts from now on.
pub(crate) fn boot_begin(shared: &Shared) -> SlotId {
    let slot = slot_id();
    shared.table.insert(slot, Stage::Booting);
    slot
}

/// Starts the slot's machine and returns when its agent has shaken hands. A
/// slot that does not get that far is removed.
pub(crate) async fn boot(shared: &Arc<Shared>, slot: SlotId) -> Result<SlotId, NotReady> {
    let ready = match make(shared, slot).await {
        Ok(()) => handshake(shared, slot).await,
        Err(error) => Err(error),
    };
    if let Err(not_ready) = ready {
        if let Err(error) = release::release(shared, slot, Duration::ZERO).await {
            tracing::error!(%slot, %error, "could not end a slot that did not become ready");
        }
        return Err(not_ready);
    }
    Ok(slot)
}

/// Starts the machine. Nobody can end the slot meanwhile, so that nothing is
/// made after the end.
async fn make(shared: &Arc<Shared>, slot: SlotId) -> Result<(), NotReady> {
    let closing = shared.table.closing(slot).ok_or(NotReady::Closing)?;
    let _closing = closing.lock().await;
    if shared.filling.is_cancelled() {
        return Err(NotReady::Closing);
    }
    let spec = BootSpec {
        nats_host: "127.0.0.1".to_owned(),
        nats_port: shared.inner.port(),
        credentials: shared.inner.agent_credentials(slot)?,
    };
    shared.vms.boot(slot, &spec).await?;
    shared.tasks.spawn(release::watch(Arc::clone(shared), slot));
    Ok(())
}

async fn handshake(shared: &Shared, slot: SlotId) -> Result<(), NotReady> {
    let patience = shared.options.pool.boot;
    let until = Instant::now() + patience;
    let late = || NotReady::Late(patience.as_millis());
    loop {
        let changed = shared.table.changed();
        tokio::pin!(changed);
        // Enabled before looking, so that nothing between the two is missed.
        changed.as_mut().enable();
        match shared.table.stage(slot) {
            Some(Stage::Ready | Stage::Claimed) => return Ok(()),
            // The keeper gives up one that is late, at the same moment as we.
            Some(Stage::Releasing) if Instant::now() >= until => return Err(late()),
            Some(Stage::Releasing) | None => return Err(NotReady::Died),
            Some(Stage::Found | Stage::Booting) => {}
        }
        tokio::select! {
            in_time = timeout_at(until, changed) => in_time.map_err(|_| late())?,
            () = shared.filling.cancelled() => return Err(NotReady::Closing),
        }
    }
}

fn slot_id() -> SlotId {
    let seconds = u32::try_from(Utc::now().timestamp()).unwrap_or(u32::MAX);
    SlotId::from_parts(seconds, rand::random())
}
