//! A heartbeat's word about the node itself: one conditional update.

use hostler_core::Timestamp;
use hostler_core::id::NodeId;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, UpdateMany};

use super::row::{Column, Entity};
use super::{HeartbeatOutcome, NodeReport};
use crate::column::{bounded, json, moment, signed};
use crate::error::During;
use crate::{By, Store, StoreError};

impl Store {
    /// Writes down that a node was heard at `now`, and what it said of itself.
    /// No event: that a node went on- or offline is noted by whoever looks.
    pub async fn node_heartbeat(
        &self,
        now: Timestamp,
        id: NodeId,
        report: NodeReport,
    ) -> Result<HeartbeatOutcome, StoreError> {
        let tx = self.begin(&By::new("hostler", now)).await?;
        let update = written(Entity::update_many(), now, &report)
            .filter(Column::Id.eq(id.uuid()))
            .filter(newer(&report));
        let updated = update
            .exec(tx.db())
            .await
            .during("writing down a heartbeat")?;
        if updated.rows_affected == 1 {
            tx.commit().await?;
            return Ok(HeartbeatOutcome::Accepted);
        }
        let row = Entity::find_by_id(id.uuid()).one(tx.db()).await;
        Ok(match row.during("reading a node")? {
            Some(_) => HeartbeatOutcome::Stale,
            None => HeartbeatOutcome::Unknown,
        })
    }
}

/// Of another boot than was heard last, or later in the same.
fn newer(report: &NodeReport) -> Condition {
    Condition::any()
        .add(Column::Boot.is_null())
        .add(Column::Boot.ne(report.boot.uuid()))
        .add(Column::Sequence.lt(signed(report.sequence)))
}

fn written(update: UpdateMany<Entity>, now: Timestamp, report: &NodeReport) -> UpdateMany<Entity> {
    let count = |count: u32| Expr::value(i64::from(count));
    update
        .col_expr(Column::Boot, Expr::value(report.boot.uuid()))
        .col_expr(Column::Sequence, Expr::value(signed(report.sequence)))
        .col_expr(Column::Version, Expr::value(report.version.clone()))
        .col_expr(
            Column::Cpu,
            Expr::value(signed(report.capacity.cpu.as_millis())),
        )
        .col_expr(
            Column::Memory,
            Expr::value(signed(report.capacity.memory.get())),
        )
        .col_expr(Column::Slots, count(report.slots))
        .col_expr(Column::Tags, Expr::value(json(&report.tags)))
        .col_expr(Column::Unclaimed, Expr::value(report.unclaimed.clone()))
        .col_expr(
            Column::UnclaimedCpu,
            Expr::value(signed(report.unclaimed_room.cpu.as_millis())),
        )
        .col_expr(
            Column::UnclaimedMemory,
            Expr::value(signed(report.unclaimed_room.memory.get())),
        )
        .col_expr(Column::UnclaimedSlots, count(report.unclaimed_slots))
        .col_expr(Column::VmDisk, Expr::value(signed(report.vm_disk.get())))
        .col_expr(
            Column::UnclaimedVms,
            Expr::value(report.unclaimed_vms.to_string()),
        )
        .col_expr(Column::LastHeard, Expr::value(moment(now)))
        .col_expr(Column::LeaseUntil, Expr::value(bounded(report.lease_until)))
}
