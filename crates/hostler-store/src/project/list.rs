//! Reading projects.

use hostler_core::Name;
use hostler_core::access::Usage;
use sea_orm::{EntityTrait, QueryOrder};

use super::ProjectRow;
use super::quota::used;
use super::row::{Column, Entity};
use crate::error::During;
use crate::{Store, StoreError};

impl Store {
    /// All projects, by name.
    pub async fn project_list(&self) -> Result<Vec<ProjectRow>, StoreError> {
        let rows = Entity::find().order_by_asc(Column::Name).all(self.db());
        let rows = rows.await.during("listing projects")?;
        rows.into_iter().map(ProjectRow::try_from).collect()
    }

    /// The project of this name.
    pub async fn project_get(&self, name: &Name) -> Result<Option<ProjectRow>, StoreError> {
        let row = Entity::find_by_id(name.to_string()).one(self.db()).await;
        let row = row.during("reading a project")?;
        row.map(ProjectRow::try_from).transpose()
    }

    /// How much a project has, counted now.
    pub async fn project_usage(&self, name: &Name) -> Result<Usage, StoreError> {
        used(self.db(), name.as_str()).await
    }
}
