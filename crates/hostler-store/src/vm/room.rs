//! The room of VMs on nodes: one conditional update takes what a change needs
//! more and gives back what it needs less.

use hostler_core::id::NodeId;
use hostler_core::vm::VmRoom;
use sea_orm::{ConnectionTrait, DatabaseTransaction, Statement};

use crate::column::signed;
use crate::error::During;
use crate::{Limits, StoreError};

/// What is bounded is only what is taken: a node that is too full already may
/// always give back.
const MOVE: &str = "UPDATE node SET vms_cpu = vms_cpu + $2, vms_memory = vms_memory + $3, \
     vms_disk = vms_disk + $4 WHERE id = $1 \
     AND ($2 <= 0 OR (reserved_cpu + unclaimed_cpu + vms_cpu + $2) * 100 <= cpu * $5) \
     AND ($3 <= 0 OR (reserved_memory + unclaimed_memory + vms_memory + $3) * 100 \
         <= memory * $6) \
     AND ($4 <= 0 OR vms_disk + $4 <= vm_disk)";

/// Takes and gives back the difference between two rooms; whether there was
/// enough. Holds the node's row until the transaction ends.
pub(super) async fn shift(
    tx: &DatabaseTransaction,
    node: NodeId,
    (before, after): (VmRoom, VmRoom),
    limits: Limits,
) -> Result<bool, StoreError> {
    let amounts = |room: VmRoom| {
        let resources = room.resources;
        [
            resources.cpu.as_millis(),
            resources.memory.get(),
            room.disk.get(),
        ]
        .map(signed)
    };
    let (before, after) = (amounts(before), amounts(after));
    let more = |at: usize| after[at].saturating_sub(before[at]);
    let values = [
        node.uuid().into(),
        more(0).into(),
        more(1).into(),
        more(2).into(),
        i64::from(limits.cpu_percent).into(),
        i64::from(limits.memory_percent).into(),
    ];
    let shift = Statement::from_sql_and_values(tx.get_database_backend(), MOVE, values);
    let shifted = tx.execute_raw(shift).await.during("moving room of a VM")?;
    Ok(shifted.rows_affected() == 1)
}

/// Whether a node takes new seats; a share of the same lock.
pub(super) async fn is_open(tx: &DatabaseTransaction, node: NodeId) -> Result<bool, StoreError> {
    const OPEN: &str = "UPDATE node SET seated = seated WHERE id = $1 AND scheduling = 'open'";
    let values = [node.uuid().into()];
    let open = Statement::from_sql_and_values(tx.get_database_backend(), OPEN, values);
    let open = tx
        .execute_raw(open)
        .await
        .during("holding a node to seat on")?;
    Ok(open.rows_affected() == 1)
}
