//! Snapshots of VMs: a set that is wanted, and how far each of it is.

use std::collections::HashMap;

use hostler_core::Generation;
use hostler_core::id::{SnapshotId, VmId};
use hostler_core::vm::SnapshotState;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    TryInsertResult,
};

use super::change::{held, told, write};
use super::row::Model as Vm;
use super::row::snapshot::{Column, Entity, Model};
use super::{NewSnapshot, SnapshotRow, SnapshotSeen, VmChanged, VmRow, VmSeenEntry};
use crate::column::{moment, signed};
use crate::error::During;
use crate::rows::filled;
use crate::tx::Tx;
use crate::word::Word;
use crate::{By, Store, StoreError};

impl Store {
    /// Wants a snapshot of a VM, if the VM still is of the generation that was
    /// looked at; its id. `NameTaken` if its VM has one of that name.
    pub async fn vm_snapshot_insert(
        &self,
        by: &By<'_>,
        new: NewSnapshot,
    ) -> Result<Result<SnapshotId, VmChanged>, StoreError> {
        let mut tx = self.begin(by).await?;
        let Some(vm) = expected(&tx, new.vm, new.expected).await? else {
            return Ok(Err(VmChanged::Stale));
        };
        let unix_ms = by.now.ms().max(0).unsigned_abs();
        let id = SnapshotId::from_parts(unix_ms, rand::random());
        let row = Model {
            id: id.uuid(),
            vm: vm.id,
            name: new.name.into(),
            memory: new.memory,
            wanted: true,
            state: SnapshotState::Taking.word().to_owned(),
            problem: None,
            taken_at: None,
            created_at: moment(by.now),
        };
        let insert = Entity::insert(row.into_active_model())
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .try_insert();
        let written = insert.exec_without_returning(tx.db()).await;
        if !matches!(
            written.during("writing a snapshot")?,
            TryInsertResult::Inserted(1)
        ) {
            return Ok(Err(VmChanged::NameTaken));
        }
        raise(&mut tx, vm, "snapshot-wanted").await?;
        tx.commit().await?;
        Ok(Ok(id))
    }

    /// Wants a snapshot no more; whether there was one and its VM still is of
    /// the generation that was looked at.
    pub async fn vm_snapshot_remove(
        &self,
        by: &By<'_>,
        (vm, generation): (VmId, Generation),
        id: SnapshotId,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin(by).await?;
        let Some(vm) = expected(&tx, vm, generation).await? else {
            return Ok(false);
        };
        let unwanted = Entity::update_many()
            .col_expr(Column::Wanted, Expr::value(false))
            .filter(Column::Id.eq(id.uuid()))
            .filter(Column::Vm.eq(vm.id));
        let unwanted = unwanted
            .exec(tx.db())
            .await
            .during("giving up a snapshot")?;
        if unwanted.rows_affected == 0 {
            return Ok(false);
        }
        raise(&mut tx, vm, "snapshot-unwanted").await?;
        tx.commit().await?;
        Ok(true)
    }

    /// The snapshots of these VMs, oldest first.
    pub async fn vm_snapshots(&self, vms: &[VmId]) -> Result<Vec<SnapshotRow>, StoreError> {
        if vms.is_empty() {
            return Ok(Vec::new());
        }
        let rows = Entity::find()
            .filter(Column::Vm.is_in(filled(vms.iter().map(|id| id.uuid()))))
            .order_by_asc(Column::Id)
            .all(self.db())
            .await;
        let rows = rows.during("reading snapshots")?;
        rows.into_iter().map(SnapshotRow::try_from).collect()
    }
}

async fn expected(tx: &Tx<'_>, vm: VmId, generation: Generation) -> Result<Option<Vm>, StoreError> {
    let row = held(tx.db(), vm).await?;
    Ok(row.filter(|row| row.generation == signed(generation.number())))
}

async fn raise(tx: &mut Tx<'_>, mut vm: Vm, kind: &str) -> Result<(), StoreError> {
    vm.generation += 1;
    write(tx.db(), vm.clone()).await?;
    tx.note(told(&VmRow::try_from(vm)?, kind));
    Ok(())
}

/// Takes over what a node says of the snapshots of a VM at its present
/// generation. One that is not wanted any more and not listed is gone.
pub(super) async fn seen(tx: &DatabaseTransaction, entry: &VmSeenEntry) -> Result<(), StoreError> {
    let rows = Entity::find().filter(Column::Vm.eq(entry.id.uuid()));
    let rows = rows.all(tx).await.during("reading snapshots")?;
    let said: HashMap<_, _> = entry
        .snapshots
        .iter()
        .map(|seen| (seen.id.uuid(), seen))
        .collect();
    for row in rows {
        match said.get(&row.id) {
            None if !row.wanted => {
                let gone = Entity::delete_by_id(row.id).exec(tx).await;
                gone.during("forgetting a snapshot")?;
            }
            Some(seen) if is_news(&row, seen) => update(tx, &row, seen).await?,
            None | Some(_) => {}
        }
    }
    Ok(())
}

fn is_news(row: &Model, seen: &SnapshotSeen) -> bool {
    row.state != seen.state.word()
        || row.problem != seen.problem
        || row.taken_at != seen.taken_at.map(moment)
}

async fn update(
    tx: &DatabaseTransaction,
    row: &Model,
    seen: &SnapshotSeen,
) -> Result<(), StoreError> {
    let update = Entity::update_many()
        .col_expr(Column::State, Expr::value(seen.state.word()))
        .col_expr(Column::Problem, Expr::value(seen.problem.clone()))
        .col_expr(Column::TakenAt, Expr::value(seen.taken_at.map(moment)))
        .filter(Column::Id.eq(row.id));
    update.exec(tx).await.map(drop).during("writing a snapshot")
}
