//! Making VMs: the key first, then the row; unique indexes decide every race.

use std::collections::BTreeSet;

use hostler_core::Generation;
use hostler_core::Timestamp;
use hostler_core::id::VmId;
use sea_orm::sea_query::OnConflict;
use sea_orm::{EntityTrait, IntoActiveModel, QuerySelect, TryInsertResult};
use serde_json::Value;

use super::row::{Entity, Model};
use super::{NewVm, VmInsertError, VmInserted, VmRow};
use crate::column::{json, moment, signed};
use crate::error::During;
use crate::image::row as image;
use crate::project::quota::Rooms;
use crate::tx::{Tx, event};
use crate::word::Word;
use crate::workload::row::key;
use crate::{By, IdempotencyKey, Store, StoreError};

impl Store {
    /// Makes a VM, once per idempotency key, with a name that no other VM of
    /// its project has, of an image that its project has, within its quota.
    pub async fn vm_insert(
        &self,
        by: &By<'_>,
        new: NewVm,
        idempotency: Option<IdempotencyKey>,
    ) -> Result<VmInserted, VmInsertError> {
        let (project, name) = (new.spec.project.clone(), new.spec.name.clone());
        let id = VmId::from_parts(by.now.ms().max(0).unsigned_abs(), rand::random());
        let row = self.vm_draft(by.now, id, new)?;
        let mut tx = self.begin(by).await?;
        let mut rooms = Rooms::of(tx.db(), BTreeSet::from([row.project.clone()]), by.now).await?;
        if let Some(asked) = idempotency
            && !claim(&tx, &asked, &row, by.now).await?
        {
            return replayed(&tx, asked).await;
        }
        if let Some(id) = row.image {
            let held = image::Entity::find_by_id(id)
                .lock_shared()
                .one(tx.db())
                .await;
            let held = held.during("holding an image")?;
            held.filter(|held| held.project == row.project)
                .ok_or(VmInsertError::ImageGone(project.clone()))?;
        }
        if !row_insert(&tx, row.clone()).await? {
            return Err(VmInsertError::NameTaken { project, name });
        }
        let row = VmRow::try_from(row)?;
        rooms.take(&project, row.usage())?;
        tx.note(created(&row));
        tx.commit().await?;
        Ok(VmInserted::New(row))
    }

    /// The row as it is at first: without a seat, unseen.
    pub(super) fn vm_draft(
        &self,
        now: Timestamp,
        id: VmId,
        new: NewVm,
    ) -> Result<Model, StoreError> {
        let NewVm { spec, seed, goal } = new;
        Ok(Model {
            id: id.uuid(),
            project: spec.project.into(),
            name: spec.name.into(),
            labels: json(&spec.labels),
            rules: spec.rules,
            pinned: spec.pinned.map(hostler_core::id::NodeId::uuid),
            cpus: spec.size.cpus.into(),
            memory: signed(spec.size.memory.get()),
            disk: signed(spec.size.disk.get()),
            extra_disk: signed(spec.extra_disk.get()),
            image: spec.image.map(hostler_core::id::ImageId::uuid),
            shape: spec.shape,
            seed: self.seal_seed(id, &seed)?,
            on_node_loss: spec.on_node_loss.word().to_owned(),
            disk_on_loss: spec.disk_on_loss.word().to_owned(),
            description: spec.description,
            protected: spec.is_protected,
            goal: goal.word().to_owned(),
            generation: signed(Generation::FIRST.number()),
            reboots: 0,
            rollback_number: 0,
            rollback_to: None,
            trashed_at: None,
            created_at: moment(now),
            seat: None,
            disk_lost: false,
            reason: None,
            seen_generation: None,
            seen_state: None,
            seen: None,
            seen_at: None,
        })
    }

    fn seal_seed(&self, id: VmId, seed: &Value) -> Result<Vec<u8>, StoreError> {
        let plain = seed.to_string();
        Ok(self.inner.key.seal(&seed_place(id), plain.as_bytes())?)
    }
}

/// Writes a row; whether its id and its name were free.
pub(super) async fn row_insert(tx: &Tx<'_>, row: Model) -> Result<bool, StoreError> {
    let insert = Entity::insert(row.into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .try_insert();
    let written = insert.exec_without_returning(tx.db()).await;
    let written = written.during("writing a VM")?;
    Ok(matches!(written, TryInsertResult::Inserted(1)))
}

/// What a seed is sealed for.
pub(super) fn seed_place(id: VmId) -> String {
    format!("vm/{id}/seed")
}

fn created(row: &VmRow) -> crate::NewEvent {
    let text = format!("VM {} was created", row.spec.name);
    let mut created = event("vm.created", &row.facts.id, text);
    created.project = Some(row.spec.project.to_string());
    created.data = serde_json::json!({"name": row.spec.name, "goal": row.facts.goal});
    created
}

/// Claims a key for this row, unless an earlier request has it.
async fn claim(
    tx: &Tx<'_>,
    asked: &IdempotencyKey,
    row: &Model,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let model = key::Model {
        actor: asked.actor.clone(),
        key: asked.key.clone(),
        request_hash: asked.request_hash.to_vec(),
        workload: row.id,
        created_at: moment(now),
    };
    let insert = key::Entity::insert(model.into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .try_insert();
    let claimed = insert.exec_without_returning(tx.db()).await;
    let claimed = claimed.during("claiming an idempotency key")?;
    Ok(matches!(claimed, TryInsertResult::Inserted(1)))
}

async fn replayed(tx: &Tx<'_>, asked: IdempotencyKey) -> Result<VmInserted, VmInsertError> {
    let place = (asked.actor, asked.key.clone());
    let stored = key::Entity::find_by_id(place).one(tx.db()).await;
    let stored = stored.during("reading an idempotency key")?;
    let stored = stored
        .filter(|stored| stored.request_hash == asked.request_hash)
        .ok_or(VmInsertError::KeyReused { key: asked.key })?;
    let row = Entity::find_by_id(stored.workload).one(tx.db()).await;
    match row.during("reading a VM")? {
        Some(row) => Ok(VmInserted::Replayed(VmRow::try_from(row)?)),
        None => Err(VmInsertError::Erased(VmId::from_uuid(stored.workload))),
    }
}
