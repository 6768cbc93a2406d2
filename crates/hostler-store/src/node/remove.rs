//! Taking a node out of the fleet.

use hostler_core::id::{NodeId, WorkloadId};
use hostler_core::node::StillSeated;
use hostler_core::vm::VmGoal;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use super::NodeLeaveError;
use super::row::Entity;
use super::update::held;
use crate::column::small;
use crate::error::During;
use crate::tx::{Tx, event};
use crate::vm::row as vm;
use crate::word::Word;
use crate::workload::row as workload;
use crate::{By, Store, StoreError};

impl Store {
    /// Removes a node on which nothing sits, looked at in the transaction that
    /// removes it.
    pub async fn node_leave(&self, by: &By<'_>, id: NodeId) -> Result<(), NodeLeaveError> {
        let mut tx = self.begin(by).await?;
        let row = held(&tx, id).await?.ok_or(NodeLeaveError::Unknown(id))?;
        if row.seated > 0 {
            return Err(StillSeated(small(row.seated)).into());
        }
        let vms = vm::Entity::find().filter(vm::Column::Seat.eq(id.uuid()));
        let vms = vms.count(tx.db()).await;
        let vms = vms.during("counting VMs on a node")?;
        if vms > 0 {
            return Err(NodeLeaveError::Vms(vms));
        }
        remove(&mut tx, id, &row.name).await?;
        Ok(tx.commit().await?)
    }

    /// Removes a node that a person says is off for good; what sits there loses its seat in the same transaction,
    /// each at a new generation; VMs lose their disks with it. Returns those
    /// workloads; `None` if there is no such node.
    pub async fn node_remove(
        &self,
        by: &By<'_>,
        id: NodeId,
    ) -> Result<Option<Vec<WorkloadId>>, StoreError> {
        let mut tx = self.begin(by).await?;
        let Some(row) = held(&tx, id).await? else {
            return Ok(None);
        };
        let unseated = unseat_all(&mut tx, id, &row.name).await?;
        unseat_vms(&mut tx, id, &row.name).await?;
        remove(&mut tx, id, &row.name).await?;
        tx.commit().await?;
        Ok(Some(unseated))
    }
}

async fn remove(tx: &mut Tx<'_>, id: NodeId, name: &str) -> Result<(), StoreError> {
    let removed = Entity::delete_by_id(id.uuid()).exec(tx.db()).await;
    removed.during("removing a node")?;
    tx.note(event(
        "node.removed",
        &id,
        format!("node {name} was removed"),
    ));
    Ok(())
}

async fn unseat_vms(tx: &mut Tx<'_>, node: NodeId, name: &str) -> Result<(), StoreError> {
    let here = vm::Column::Seat.eq(node.uuid());
    let seated = vm::Entity::find()
        .filter(here.clone())
        .order_by_asc(vm::Column::Id)
        .lock_exclusive()
        .all(tx.db())
        .await
        .during("reading the VMs of a node")?;
    let wanted = Expr::col(vm::Column::Goal).ne(VmGoal::Gone.word());
    let next = Expr::col(vm::Column::Generation).add(1);
    vm::Entity::update_many()
        .col_expr(vm::Column::Seat, Expr::value(None::<uuid::Uuid>))
        .col_expr(vm::Column::DiskLost, wanted)
        .col_expr(vm::Column::Generation, next)
        .filter(here)
        .exec(tx.db())
        .await
        .during("unseating the VMs of a node")?;
    for row in seated {
        let text = format!("VM {} lost its disk: node {name} was removed", row.name);
        let mut told = event("vm.unseated", &row.id, text);
        told.project = Some(row.project);
        told.data = serde_json::json!({"node": node, "why": "its node was removed"});
        tx.note(told);
    }
    Ok(())
}

async fn unseat_all(
    tx: &mut Tx<'_>,
    node: NodeId,
    name: &str,
) -> Result<Vec<WorkloadId>, StoreError> {
    let here = workload::Column::Seat.eq(node.uuid());
    let seated = workload::Entity::find()
        .filter(here.clone())
        .order_by_asc(workload::Column::Id)
        .lock_exclusive()
        .all(tx.db())
        .await
        .during("reading what sits on a node")?;
    let next = Expr::col(workload::Column::Generation).add(1);
    workload::Entity::update_many()
        .col_expr(workload::Column::Seat, Expr::value(None::<uuid::Uuid>))
        .col_expr(workload::Column::Generation, next)
        .filter(here)
        .exec(tx.db())
        .await
        .during("unseating what sits on a node")?;
    for row in &seated {
        let text = format!("{} lost its seat: node {name} was removed", row.name);
        let mut told = event("workload.unseated", &row.id, text);
        told.project = Some(row.project.clone());
        told.data = serde_json::json!({"node": node, "why": "its node was removed"});
        tx.note(told);
    }
    Ok(seated
        .into_iter()
        .map(|row| WorkloadId::from_uuid(row.id))
        .collect())
}
