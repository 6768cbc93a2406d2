//! The owner's column: what is wanted.

use hostler_core::id::WorkloadId;
use hostler_core::workload::Goal;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::WorkloadRow;
use super::list::held;
use super::row::{Column, Entity, Model};
use crate::error::During;
use crate::tx::event;
use crate::word::Word;
use crate::{By, Store, StoreError};

impl Store {
    /// Sets what is wanted of a workload and raises its generation if that is
    /// another than before. *Gone* is final: nothing calls it back. Returns
    /// the workload as it is then; `None` if there is none.
    pub async fn workload_goal_set(
        &self,
        by: &By<'_>,
        id: WorkloadId,
        goal: Goal,
    ) -> Result<Option<WorkloadRow>, StoreError> {
        let mut tx = self.begin(by).await?;
        let Some(mut row) = held(tx.db(), id).await? else {
            return Ok(None);
        };
        let before = Goal::read(&row.goal)?;
        if before == goal || before == Goal::Gone {
            return WorkloadRow::try_from(row).map(Some);
        }
        goal.word().clone_into(&mut row.goal);
        row.generation += 1;
        let change = Entity::update_many()
            .col_expr(Column::Goal, Expr::value(goal.word()))
            .col_expr(Column::Generation, Expr::value(row.generation))
            .filter(Column::Id.eq(row.id));
        change.exec(tx.db()).await.during("setting a goal")?;
        tx.note(told(&row, before, goal));
        tx.commit().await?;
        WorkloadRow::try_from(row).map(Some)
    }

    /// Writes down why a workload waits for a seat. An event tells only that
    /// it began to wait; the words may change with every pass.
    pub async fn workload_reason_set(
        &self,
        by: &By<'_>,
        id: WorkloadId,
        reason: Option<&str>,
    ) -> Result<(), StoreError> {
        let row = Entity::find_by_id(id.uuid()).one(self.db()).await;
        let Some(row) = row.during("reading a workload")? else {
            return Ok(());
        };
        if row.reason.as_deref() == reason {
            return Ok(());
        }
        let mut tx = self.begin(by).await?;
        let change = Entity::update_many()
            .col_expr(Column::Reason, Expr::value(reason))
            .filter(Column::Id.eq(row.id))
            .filter(Column::Seat.is_null());
        let changed = change.exec(tx.db()).await.during("setting a reason")?;
        if let (1, None, Some(reason)) = (changed.rows_affected, &row.reason, reason) {
            let text = format!("{} waits for a seat: {reason}", row.name);
            let mut queued = event("workload.queued", &id, text);
            queued.project = Some(row.project);
            tx.note(queued);
        }
        tx.commit().await
    }
}

fn told(row: &Model, before: Goal, goal: Goal) -> crate::NewEvent {
    let text = format!("{} should be {}", row.name, goal.word());
    let mut told = event("workload.goal", &row.id, text);
    told.project = Some(row.project.clone());
    told.data = serde_json::json!({"from": before, "to": goal, "generation": row.generation});
    told
}
