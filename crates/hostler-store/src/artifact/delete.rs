//! Deleting artifacts, never under a workload that uses them.

use hostler_core::Name;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect};

use super::ArtifactDeleted;
use super::list::short;
use super::row::{self, holding};
use crate::error::During;
use crate::image::row as image;
use crate::tx::{Tx, event};
use crate::workload::row as workload;
use crate::{By, Store, StoreError};

impl Store {
    /// Takes an artifact from a project. After [`ArtifactDeleted::Last`] its
    /// bytes may go, unless they are being uploaded again.
    pub async fn artifact_delete(
        &self,
        by: &By<'_>,
        project: &Name,
        digest: &str,
    ) -> Result<ArtifactDeleted, StoreError> {
        let mut tx = self.begin(by).await?;
        // The lock first, then the look: an insert that uses it holds the row.
        let place = (project.to_string(), digest.to_owned());
        let held = holding::Entity::find_by_id(place.clone())
            .lock_exclusive()
            .one(tx.db())
            .await;
        if held.during("reading an artifact")?.is_none() {
            return Ok(ArtifactDeleted::Unknown);
        }
        let (workloads, images) = users(&tx, project, digest).await?;
        if workloads + images > 0 {
            return Ok(ArtifactDeleted::InUse { workloads, images });
        }
        let given_up = holding::Entity::delete_by_id(place).exec(tx.db()).await;
        given_up.during("deleting an artifact")?;
        let others = holding::Entity::find().filter(holding::Column::Digest.eq(digest));
        let last = others.count(tx.db()).await.during("deleting an artifact")? == 0;
        if last {
            let forgotten = row::Entity::delete_by_id(digest).exec(tx.db()).await;
            forgotten.during("deleting an artifact")?;
        }
        let text = format!("artifact {} was deleted", short(digest));
        let mut deleted = event("artifact.deleted", &digest, text);
        deleted.project = Some(project.to_string());
        tx.note(deleted);
        tx.commit().await?;
        Ok(if last {
            ArtifactDeleted::Last
        } else {
            ArtifactDeleted::Shared
        })
    }
}

async fn users(tx: &Tx<'_>, project: &Name, digest: &str) -> Result<(u64, u64), StoreError> {
    let using = workload::Entity::find()
        .filter(workload::Column::Project.eq(project.as_str()))
        .filter(workload::Column::Artifact.eq(digest));
    let workloads = using.count(tx.db()).await;
    let over = image::Entity::find()
        .filter(image::Column::Project.eq(project.as_str()))
        .filter(image::Column::Digest.eq(digest));
    let images = over.count(tx.db()).await;
    Ok((
        workloads.during("counting who uses an artifact")?,
        images.during("counting who uses an artifact")?,
    ))
}
