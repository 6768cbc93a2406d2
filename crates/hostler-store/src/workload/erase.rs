//! Forgetting workloads, and the marks they leave.

use hostler_core::id::WorkloadId;
use hostler_core::workload::Goal;
use hostler_core::{Generation, Timestamp};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::list::held;
use super::row::{Entity, tombstone};
use super::{ChangeOutcome, Tombstone};
use crate::column::{moment, signed, timestamp, unsigned};
use crate::error::During;
use crate::lease::fence;
use crate::rows::filled;
use crate::tx::event;
use crate::word::Word;
use crate::{By, Fence, FencedError, Store, StoreError};

impl Store {
    /// Forgets a workload that nobody wants and that has no seat, leaving a
    /// tombstone of its generation. Its name is free from then on.
    pub async fn workload_erase(
        &self,
        by: &By<'_>,
        id: WorkloadId,
        expected: Generation,
        fence: Option<&Fence>,
    ) -> Result<ChangeOutcome, FencedError> {
        let mut tx = self.begin(by).await?;
        fence::check(tx.db(), fence).await?;
        let Some(row) = held(tx.db(), id).await? else {
            return Ok(ChangeOutcome::Stale);
        };
        let gone = row.goal == Goal::Gone.word() && row.seat.is_none();
        if !gone || row.generation != signed(expected.number()) {
            return Ok(ChangeOutcome::Stale);
        }
        let erased = Entity::delete_by_id(row.id).exec(tx.db()).await;
        erased.during("erasing a workload")?;
        let mark = tombstone::Model {
            id: row.id,
            generation: row.generation,
            at: moment(by.now),
        };
        let marked = tombstone::Entity::insert(mark.into_active_model());
        marked
            .exec_without_returning(tx.db())
            .await
            .during("leaving a tombstone")?;
        let mut told = event("workload.erased", &id, format!("{} was deleted", row.name));
        told.project = Some(row.project);
        tx.note(told);
        tx.commit().await?;
        Ok(ChangeOutcome::Changed)
    }

    /// The tombstones of those of these workloads that were erased.
    pub async fn tombstones(&self, ids: &[WorkloadId]) -> Result<Vec<Tombstone>, StoreError> {
        let mut found = Vec::new();
        for ids in ids.chunks(1_000) {
            let ids = ids.iter().map(|id| id.uuid());
            let marks = tombstone::Entity::find().filter(tombstone::Column::Id.is_in(filled(ids)));
            found.extend(marks.all(self.db()).await.during("reading tombstones")?);
        }
        let mark = |row: tombstone::Model| Tombstone {
            id: WorkloadId::from_uuid(row.id),
            generation: Generation::new(unsigned(row.generation)),
            at: timestamp(row.at),
        };
        Ok(found.into_iter().map(mark).collect())
    }

    /// Puts off the sweep of these workloads' tombstones: a node reported at
    /// `now` that it still holds them. No event: nothing has changed.
    pub async fn tombstone_needed(
        &self,
        now: Timestamp,
        ids: &[WorkloadId],
    ) -> Result<(), StoreError> {
        for ids in ids.chunks(1_000) {
            let tx = self.begin(&By::new("hostler", now)).await?;
            tombstone::Entity::update_many()
                .col_expr(tombstone::Column::At, Expr::value(moment(now)))
                .filter(tombstone::Column::Id.is_in(filled(ids.iter().map(|id| id.uuid()))))
                .filter(tombstone::Column::At.lt(moment(now)))
                .exec(tx.db())
                .await
                .during("keeping tombstones")?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Forgets tombstones that were last needed before `before`; how many. A
    /// node that still holds such a workload shows it as unclaimed from then
    /// on, so `before` is what [`hostler_core::workload::burial_over`] allows.
    pub async fn tombstone_sweep(&self, before: Timestamp) -> Result<u64, StoreError> {
        let tx = self.begin(&By::new("hostler", before)).await?;
        let old = tombstone::Column::At.lt(moment(before));
        let swept = tombstone::Entity::delete_many()
            .filter(old)
            .exec(tx.db())
            .await;
        let swept = swept.during("sweeping tombstones")?;
        tx.commit().await?;
        Ok(swept.rows_affected)
    }
}
