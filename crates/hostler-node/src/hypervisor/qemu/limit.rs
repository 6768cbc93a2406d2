//! Taking memory from a guest and giving it back, with the balloon in it. It is
//! the guest's driver that gives memory up; so it is looked whether it did.

use std::path::Path;
use std::time::Duration;

use hostler_core::Bytes;
use hostler_core::microvm::{GuestLimit, GuestSize};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::arguments::CONTROL;
use super::qmp::{Qmp, QmpError};
use crate::hypervisor::{LimitError, Limits};

/// How long a guest may take; an emulated one on a busy machine takes seconds.
const PATIENCE: Duration = Duration::from_mins(2);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Makes the guest whose monitor is in this folder as large as its limits say;
/// what its control group is to be told.
pub(in crate::hypervisor) async fn balloon(
    work: &Path,
    size: GuestSize,
    limits: Limits,
) -> Result<Limits, LimitError> {
    let GuestLimit { guest, host } = size.limit(limits.memory)?;
    let shrunk = tokio::time::timeout(PATIENCE, shrink(work, guest)).await;
    match shrunk {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return Err(LimitError::Monitor(error)),
        Err(_) => return Err(LimitError::Balloon { asked: guest }),
    }
    Ok(Limits {
        memory: host,
        // Those of the guest are its own affair, and bounded by its memory.
        pids: 0,
        ..limits
    })
}

async fn shrink(work: &Path, guest: Bytes) -> Result<(), QmpError> {
    let mut monitor = Qmp::connect(work, CONTROL).await?;
    if actual(&mut monitor).await? == Some(guest.get()) {
        return Ok(());
    }
    let target = json!({ "value": guest.get() });
    monitor.call("balloon", target).await?;
    let began = Instant::now();
    while actual(&mut monitor)
        .await?
        .is_none_or(|actual| actual > guest.get())
    {
        sleep(LOOK_EVERY).await;
    }
    tracing::debug!(%guest, took = ?began.elapsed(), "a guest has its size");
    Ok(())
}

/// What the guest has now, if its balloon says.
async fn actual(monitor: &mut Qmp) -> Result<Option<u64>, QmpError> {
    let answer = monitor.call("query-balloon", Value::Null).await?;
    Ok(answer.get("actual").and_then(Value::as_u64))
}
