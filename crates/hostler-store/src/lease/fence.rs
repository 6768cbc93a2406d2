//! The check that keeps a former holder from changing anything.

use sea_orm::{DatabaseTransaction, EntityTrait, QuerySelect};

use super::Fence;
use super::row::Entity;
use crate::FencedError;
use crate::column::signed;
use crate::error::During;

/// Refuses unless the lease still has the fence's number. The row stays
/// locked against a taker until this transaction ends, so whoever takes the
/// lease next sees everything that was written under it before.
pub(crate) async fn check(
    tx: &DatabaseTransaction,
    fence: Option<&Fence>,
) -> Result<(), FencedError> {
    let Some(fence) = fence else {
        return Ok(());
    };
    let lease = Entity::find_by_id(fence.name.as_str())
        .lock_shared()
        .one(tx)
        .await;
    match lease.during("checking a lease")? {
        Some(lease) if lease.number == signed(fence.number) => Ok(()),
        _ => Err(FencedError::Fenced {
            lease: fence.name.clone(),
        }),
    }
}
