//! Registering, reading and deleting images.

use hostler_core::Name;
use hostler_core::id::ImageId;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, TryInsertResult,
};

use super::row::{Column, Entity, Model};
use super::{ImageDeleted, ImageInsertError, ImageRow, ImageSpec};
use crate::artifact::row::holding;
use crate::column::{json, moment, signed};
use crate::error::During;
use crate::tx::{Tx, event};
use crate::vm::row as vm;
use crate::{By, Store, StoreError};

impl Store {
    /// Registers an image over an artifact that its project holds. The same
    /// again changes nothing.
    pub async fn image_insert(
        &self,
        by: &By<'_>,
        spec: ImageSpec,
    ) -> Result<ImageRow, ImageInsertError> {
        let unix_ms = by.now.ms().max(0).unsigned_abs();
        let id = ImageId::from_parts(unix_ms, rand::random());
        let row = draft(by, id, &spec);
        let mut tx = self.begin(by).await?;
        hold_artifact(&tx, &spec).await?;
        let insert = Entity::insert(row.clone().into_active_model())
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .try_insert();
        let written = insert.exec_without_returning(tx.db()).await;
        if !matches!(
            written.during("writing an image")?,
            TryInsertResult::Inserted(1)
        ) {
            return same(&tx, spec).await;
        }
        let text = format!("image {}:{} was registered", spec.name, spec.version);
        let mut told = event("image.registered", &id, text);
        told.project = Some(row.project.clone());
        told.data = serde_json::json!({"digest": row.digest});
        tx.note(told);
        tx.commit().await?;
        Ok(ImageRow::try_from(row)?)
    }

    /// The image with this id.
    pub async fn image_get(&self, id: ImageId) -> Result<Option<ImageRow>, StoreError> {
        let row = Entity::find_by_id(id.uuid()).one(self.db()).await;
        let row = row.during("reading an image")?;
        row.map(ImageRow::try_from).transpose()
    }

    /// The images of a project, or of all, and of one name, or of all: by
    /// project and name, the newest first.
    pub async fn image_list(
        &self,
        project: Option<&Name>,
        name: Option<&Name>,
    ) -> Result<Vec<ImageRow>, StoreError> {
        let mut chosen = Entity::find();
        if let Some(project) = project {
            chosen = chosen.filter(Column::Project.eq(project.as_str()));
        }
        if let Some(name) = name {
            chosen = chosen.filter(Column::Name.eq(name.as_str()));
        }
        let chosen = chosen
            .order_by_asc(Column::Project)
            .order_by_asc(Column::Name)
            .order_by_desc(Column::Id);
        let rows = chosen.all(self.db()).await.during("listing images")?;
        rows.into_iter().map(ImageRow::try_from).collect()
    }

    /// Takes an image out of the catalogue, unless VMs were made from it.
    pub async fn image_delete(&self, by: &By<'_>, id: ImageId) -> Result<ImageDeleted, StoreError> {
        let mut tx = self.begin(by).await?;
        // The lock first, then the look: an insert that uses it holds the row.
        let held = Entity::find_by_id(id.uuid()).lock_exclusive();
        let held = held.one(tx.db()).await.during("reading an image")?;
        let Some(row) = held else {
            return Ok(ImageDeleted::Unknown);
        };
        let users = vm::Entity::find().filter(vm::Column::Image.eq(row.id));
        let vms = users.count(tx.db()).await.during("counting VMs")?;
        if vms > 0 {
            return Ok(ImageDeleted::InUse { vms });
        }
        let deleted = Entity::delete_by_id(row.id).exec(tx.db()).await;
        deleted.during("deleting an image")?;
        let text = format!("image {}:{} was deleted", row.name, row.version);
        let mut told = event("image.deleted", &id, text);
        told.project = Some(row.project);
        tx.note(told);
        tx.commit().await?;
        Ok(ImageDeleted::Deleted)
    }
}

fn draft(by: &By<'_>, id: ImageId, spec: &ImageSpec) -> Model {
    Model {
        id: id.uuid(),
        project: spec.project.to_string(),
        name: spec.name.to_string(),
        version: spec.version.clone(),
        digest: spec.digest.clone(),
        format: spec.format.clone(),
        bytes: signed(spec.bytes),
        virtual_size: signed(spec.virtual_size.get()),
        about: json(&spec.about),
        created_at: moment(by.now),
    }
}

/// Keeps the artifact from being deleted until the commit.
async fn hold_artifact(tx: &Tx<'_>, spec: &ImageSpec) -> Result<(), ImageInsertError> {
    let place = (spec.project.to_string(), spec.digest.clone());
    let held = holding::Entity::find_by_id(place)
        .lock_shared()
        .one(tx.db())
        .await;
    let held = held.during("holding an artifact")?;
    held.map(drop)
        .ok_or_else(|| ImageInsertError::ArtifactUnknown {
            project: spec.project.clone(),
            digest: spec.digest.clone(),
        })
}

/// The image of this name and version, if it is of the same content.
async fn same(tx: &Tx<'_>, spec: ImageSpec) -> Result<ImageRow, ImageInsertError> {
    let there = Entity::find()
        .filter(Column::Project.eq(spec.project.as_str()))
        .filter(Column::Name.eq(spec.name.as_str()))
        .filter(Column::Version.eq(spec.version.as_str()));
    let there = there.one(tx.db()).await.during("reading an image")?;
    match there.filter(|row| row.digest == spec.digest) {
        Some(row) => Ok(ImageRow::try_from(row)?),
        None => Err(ImageInsertError::Taken {
            project: spec.project,
            name: spec.name,
            version: spec.version,
        }),
    }
}
