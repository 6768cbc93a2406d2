//! Describing artifacts and finding their descriptions.

use hostler_core::Name;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Select, SelectTwo,
};

use super::row::{self, holding, shown};
use super::{ArtifactRow, NewArtifact};
use crate::column::{moment, signed};
use crate::error::{During, corrupt};
use crate::tx::event;
use crate::word::Word;
use crate::{By, Store, StoreError};

impl Store {
    /// Writes down that a project holds an artifact; once more changes nothing.
    /// Its bytes must be in their place before, so that no description is
    /// ever without them.
    pub async fn artifact_insert(
        &self,
        by: &By<'_>,
        new: NewArtifact,
    ) -> Result<ArtifactRow, StoreError> {
        let mut tx = self.begin(by).await?;
        let artifact = row::ActiveModel {
            digest: Set(new.digest.clone()),
            kind: Set(new.kind.word().to_owned()),
            size: Set(signed(new.size)),
        };
        let holding = holding::ActiveModel {
            project: Set(new.project.to_string()),
            digest: Set(new.digest.clone()),
            created_at: Set(moment(by.now)),
        };
        let unless_known = || OnConflict::new().do_nothing().to_owned();
        row::Entity::insert(artifact)
            .on_conflict(unless_known())
            .try_insert()
            .exec_without_returning(tx.db())
            .await
            .during("describing an artifact")?;
        let held = holding::Entity::insert(holding)
            .on_conflict(unless_known())
            .try_insert()
            .exec_without_returning(tx.db())
            .await
            .during("describing an artifact")?;
        if matches!(held, sea_orm::TryInsertResult::Inserted(1)) {
            let text = format!("artifact {} was uploaded", short(&new.digest));
            let mut uploaded = event("artifact.uploaded", &new.digest, text);
            uploaded.project = Some(new.project.to_string());
            uploaded.data = serde_json::json!({"kind": new.kind, "size": new.size});
            tx.note(uploaded);
        }
        tx.commit().await?;
        let found = self.artifact_get(&new.project, &new.digest).await?;
        found.ok_or_else(|| corrupt("artifact, gone as soon as it came", &new.digest))
    }

    /// A project's artifact.
    pub async fn artifact_get(
        &self,
        project: &Name,
        digest: &str,
    ) -> Result<Option<ArtifactRow>, StoreError> {
        let chosen = held_by(Some(project)).filter(holding::Column::Digest.eq(digest));
        Ok(self
            .artifacts(chosen.find_also_related(row::Entity))
            .await?
            .pop())
    }

    /// The artifacts of a project, or of all, oldest first.
    pub async fn artifact_list(
        &self,
        project: Option<&Name>,
    ) -> Result<Vec<ArtifactRow>, StoreError> {
        let chosen = held_by(project)
            .order_by_asc(holding::Column::CreatedAt)
            .order_by_asc(holding::Column::Digest);
        self.artifacts(chosen.find_also_related(row::Entity)).await
    }

    async fn artifacts(
        &self,
        chosen: SelectTwo<holding::Entity, row::Entity>,
    ) -> Result<Vec<ArtifactRow>, StoreError> {
        let rows = chosen.all(self.db()).await.during("listing artifacts")?;
        let described = |(held, row): (holding::Model, Option<row::Model>)| {
            let row = row.ok_or_else(|| corrupt("artifact without description", &held.digest))?;
            shown(row, held)
        };
        rows.into_iter().map(described).collect()
    }
}

fn held_by(project: Option<&Name>) -> Select<holding::Entity> {
    match project {
        Some(project) => {
            holding::Entity::find().filter(holding::Column::Project.eq(project.as_str()))
        }
        None => holding::Entity::find(),
    }
}

/// Enough of a digest for people.
pub(super) fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}
