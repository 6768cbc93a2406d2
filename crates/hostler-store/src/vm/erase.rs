//! Forgetting VMs, and the marks they leave: those of workloads, since ids
//! never meet.

use hostler_core::Generation;
use hostler_core::id::{VmId, WorkloadId};
use hostler_core::vm::VmGoal;
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::VmRow;
use super::change::{held, told};
use super::row::{Entity, Model, snapshot};
use crate::column::{moment, signed};
use crate::error::During;
use crate::lease::fence;
use crate::share::row as share;
use crate::word::Word;
use crate::workload::row::tombstone;
use crate::{By, ChangeOutcome, Fence, FencedError, Store, StoreError, Tombstone};

impl Store {
    /// Forgets a VM that nobody wants and that has no seat, with its snapshots
    /// and shares, leaving a tombstone of its generation.
    pub async fn vm_erase(
        &self,
        by: &By<'_>,
        id: VmId,
        expected: Generation,
        fence: Option<&Fence>,
    ) -> Result<ChangeOutcome, FencedError> {
        let mut tx = self.begin(by).await?;
        fence::check(tx.db(), fence).await?;
        let gone = |row: &Model| {
            row.goal == VmGoal::Gone.word()
                && row.seat.is_none()
                && row.generation == signed(expected.number())
        };
        let Some(row) = held(tx.db(), id).await?.filter(gone) else {
            return Ok(ChangeOutcome::Stale);
        };
        let snapshots = snapshot::Entity::delete_many().filter(snapshot::Column::Vm.eq(row.id));
        snapshots.exec(tx.db()).await.during("erasing snapshots")?;
        let shares = share::Entity::delete_many().filter(share::Column::Vm.eq(row.id));
        shares.exec(tx.db()).await.during("erasing shares")?;
        let erased = Entity::delete_by_id(row.id).exec(tx.db()).await;
        erased.during("erasing a VM")?;
        let mark = tombstone::Model {
            id: row.id,
            generation: row.generation,
            at: moment(by.now),
        };
        let marked = tombstone::Entity::insert(mark.into_active_model());
        let marked = marked.exec_without_returning(tx.db()).await;
        marked.during("leaving a tombstone")?;
        tx.note(told(&VmRow::try_from(row)?, "erased"));
        tx.commit().await?;
        Ok(ChangeOutcome::Changed)
    }

    /// The tombstones of those of these VMs that were erased.
    pub async fn vm_tombstones(&self, ids: &[VmId]) -> Result<Vec<Tombstone>, StoreError> {
        let ids: Vec<_> = ids
            .iter()
            .map(|id| WorkloadId::from_uuid(id.uuid()))
            .collect();
        self.tombstones(&ids).await
    }
}
