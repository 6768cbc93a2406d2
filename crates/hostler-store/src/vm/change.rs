//! The owner's columns: what is wanted of a VM.

use std::collections::BTreeSet;

use hostler_core::access::Usage;
use hostler_core::id::VmId;
use hostler_core::{Generation, Name, Timestamp};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QuerySelect,
};

use super::list::seen_by;
use super::row::{Column, Entity, Model};
use super::{VmChange, VmChanged, VmRow, room};
use crate::column::{json, moment, signed};
use crate::error::During;
use crate::lease::fence;
use crate::project::quota::Rooms;
use crate::tx::event;
use crate::word::Word;
use crate::{By, ChangeOutcome, Fence, FencedError, NewEvent, QuotaExceeded, Store, StoreError};

impl Store {
    /// Changes what is wanted of a VM and raises its generation, if it still
    /// is of generation `expected`. More room in its project's quota and on its
    /// node is taken in the same transaction, or nothing is changed.
    pub async fn vm_change(
        &self,
        by: &By<'_>,
        (id, expected): (VmId, Generation),
        change: VmChange,
    ) -> Result<VmChanged, StoreError> {
        let mut tx = self.begin(by).await?;
        let current = |row: &Model| row.generation == signed(expected.number());
        let Some(before) = seen_by(tx.db(), id).await?.filter(current) else {
            return Ok(VmChanged::Stale);
        };
        if let Some(excess) = excess(tx.db(), &before, &change, by.now).await? {
            // While the project was waited for, another may have done the same.
            let same = seen_by(tx.db(), id).await?.as_ref().is_some_and(current);
            return Ok(if same {
                VmChanged::QuotaExceeded(excess)
            } else {
                VmChanged::Stale
            });
        }
        if let Some(name) = &change.name
            && is_taken(tx.db(), &before, name).await?
        {
            return Ok(VmChanged::NameTaken);
        }
        if !make_room(tx.db(), &before, &change).await? {
            return Ok(VmChanged::NoRoom);
        }
        // The node's row is held by now, and then the VM's: its generation
        // says that all that was wanted of it, and its seat, are as before.
        let Some(held) = held(tx.db(), id).await?.filter(current) else {
            return Ok(VmChanged::Stale);
        };
        let after = changed(held, &change);
        write(tx.db(), after.clone()).await?;
        let after = VmRow::try_from(after)?;
        tx.note(told(&after, change.kind));
        tx.commit().await?;
        Ok(VmChanged::Changed(Box::new(after)))
    }

    /// Raises a VM's generation to `to`, if it still is `expected`.
    pub async fn vm_raise(
        &self,
        by: &By<'_>,
        id: VmId,
        (expected, to): (Generation, Generation),
        fence: Option<&Fence>,
    ) -> Result<ChangeOutcome, FencedError> {
        let mut tx = self.begin(by).await?;
        fence::check(tx.db(), fence).await?;
        let current = |row: &Model| row.generation == signed(expected.number()) && to > expected;
        let Some(mut row) = held(tx.db(), id).await?.filter(current) else {
            return Ok(ChangeOutcome::Stale);
        };
        row.generation = signed(to.number());
        write(tx.db(), row.clone()).await?;
        tx.note(told(&VmRow::try_from(row)?, "raised"));
        tx.commit().await?;
        Ok(ChangeOutcome::Changed)
    }

    /// Writes down why a VM waits for a seat. An event tells only that it
    /// began to wait.
    pub async fn vm_reason_set(
        &self,
        by: &By<'_>,
        id: VmId,
        reason: &str,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin(by).await?;
        let waits = |row: &Model| row.seat.is_none() && row.reason.as_deref() != Some(reason);
        let Some(mut row) = held(tx.db(), id).await?.filter(waits) else {
            return Ok(());
        };
        let first = row.reason.replace(reason.to_owned()).is_none();
        write(tx.db(), row.clone()).await?;
        if first {
            let text = format!("VM {} waits for a seat: {reason}", row.name);
            let mut queued = event("vm.queued", &id, text);
            queued.project = Some(row.project);
            tx.note(queued);
        }
        tx.commit().await
    }
}

/// The row, held against change until the transaction ends.
pub(super) async fn held(tx: &DatabaseTransaction, id: VmId) -> Result<Option<Model>, StoreError> {
    let row = Entity::find_by_id(id.uuid()).lock_exclusive().one(tx).await;
    row.during("holding a VM")
}

pub(super) async fn write(tx: &DatabaseTransaction, row: Model) -> Result<(), StoreError> {
    let row = row.into_active_model().reset_all();
    row.update(tx).await.map(drop).during("changing a VM")
}

async fn is_taken(tx: &DatabaseTransaction, row: &Model, name: &Name) -> Result<bool, StoreError> {
    let others = Entity::find()
        .filter(Column::Project.eq(row.project.as_str()))
        .filter(Column::Name.eq(name.as_str()))
        .filter(Column::Id.ne(row.id));
    Ok(others.count(tx).await.during("looking for a name")? > 0)
}

/// What the change would make too much of in its project. Holds the project's
/// row from then on, if the change makes anything grow.
async fn excess(
    tx: &DatabaseTransaction,
    before: &Model,
    change: &VmChange,
    now: Timestamp,
) -> Result<Option<QuotaExceeded>, StoreError> {
    let after = VmRow::try_from(changed(before.clone(), change))?;
    let before = VmRow::try_from(before.clone())?;
    let more = after.usage().beyond(before.usage());
    if more == Usage::default() {
        return Ok(None);
    }
    let project = before.spec.project;
    let mut rooms = Rooms::of(tx, BTreeSet::from([project.to_string()]), now).await?;
    Ok(rooms.take(&project, more).err())
}

/// Takes and gives back what the change makes a difference of on its node.
async fn make_room(
    tx: &DatabaseTransaction,
    before: &Model,
    change: &VmChange,
) -> Result<bool, StoreError> {
    let after = VmRow::try_from(changed(before.clone(), change))?;
    let Some(node) = after.facts.seat else {
        return Ok(true);
    };
    let before = VmRow::try_from(before.clone())?;
    let rooms = (before.room(), after.room());
    room::shift(tx, node, rooms, change.limits).await
}

fn put<T>(column: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *column = value;
    }
}

fn changed(mut row: Model, change: &VmChange) -> Model {
    let change = change.clone();
    put(
        &mut row.goal,
        change.goal.map(|goal| goal.word().to_owned()),
    );
    let trashed = change.trashed_at.map(|at| at.map(moment));
    put(&mut row.trashed_at, trashed);
    put(&mut row.name, change.name.map(Into::into));
    put(&mut row.labels, change.labels.map(|labels| json(&labels)));
    put(&mut row.cpus, change.size.map(|size| size.cpus.into()));
    put(
        &mut row.memory,
        change.size.map(|size| signed(size.memory.get())),
    );
    put(
        &mut row.disk,
        change.size.map(|size| signed(size.disk.get())),
    );
    let loss = change.on_node_loss.map(|loss| loss.word().to_owned());
    put(&mut row.on_node_loss, loss);
    let loss = change.disk_on_loss.map(|loss| loss.word().to_owned());
    put(&mut row.disk_on_loss, loss);
    put(&mut row.description, change.description);
    put(&mut row.protected, change.is_protected);
    put(&mut row.shape, change.shape);
    row.reboots += i64::from(change.reboot);
    if let Some(to) = change.rollback_to {
        row.rollback_number += 1;
        row.rollback_to = Some(to.uuid());
    }
    row.generation += 1;
    row
}

pub(super) fn told(row: &VmRow, kind: &str) -> NewEvent {
    let text = format!("VM {}: {kind}", row.spec.name);
    let mut told = event(&format!("vm.{kind}"), &row.facts.id, text);
    told.project = Some(row.spec.project.to_string());
    let (goal, generation) = (row.facts.goal, row.facts.generation);
    told.data = serde_json::json!({"goal": goal, "generation": generation});
    told
}
