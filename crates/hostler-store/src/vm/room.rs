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

/// What is there already is counted, whether or not it fits.
const OCCUPY: &str = "UPDATE node SET vms_cpu = vms_cpu + $2, vms_memory = vms_memory + $3, \
     vms_disk = vms_disk + $4 WHERE id = $1";

/// Takes a room that is taken in fact; whether there is such a node.
pub(super) async fn occupy(
    tx: &DatabaseTransaction,
    node: NodeId,
    room: VmRoom,
) -> Result<bool, StoreError> {
    let [cpu, memory, disk] = amounts(room).map(Into::into);
    let values = [node.uuid().into(), cpu, memory, disk];
    let take = Statement::from_sql_and_values(tx.get_database_backend(), OCCUPY, values);
    let taken = tx.execute_raw(take).await.during("taking room of a VM")?;
    Ok(taken.rows_affected() == 1)
}

fn amounts(room: VmRoom) -> [i64; 3] {
    let resources = room.resources;
    [
        resources.cpu.as_millis(),
        resources.memory.get(),
        room.disk.get(),
    ]
    .map(signed)
}

/// Takes and gives back the difference between two rooms; whether there was
/// enough. Holds the node's row until the transaction ends.
pub(super) async fn shift(
    tx: &DatabaseTransaction,
    node: NodeId,
    (before, after): (VmRoom, VmRoom),
    limits: Limits,
) -> Result<bool, StoreError> {
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
