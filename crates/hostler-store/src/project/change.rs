//! Making, changing and deleting projects.

use hostler_core::Name;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QuerySelect,
    TryInsertResult,
};

use super::row::{Column, Entity, Model, member};
use super::{NewProject, ProjectChange, ProjectRow};
use crate::artifact::row::holding;
use crate::column::{json, moment};
use crate::error::During;
use crate::guard::Guard;
use crate::image::row as image;
use crate::token::row as token;
use crate::tx::{Tx, event};
use crate::vm::row as vm;
use crate::workload::row as workload;
use crate::{AccessError, By, Store, StoreError};

impl Store {
    /// Makes a project with a name that no other has.
    pub async fn project_insert(
        &self,
        by: &By<'_>,
        new: NewProject,
    ) -> Result<ProjectRow, AccessError> {
        let mut tx = self.begin(by).await?;
        let row = Model {
            name: new.name.to_string(),
            description: new.description,
            quota: json(&new.quota),
            created_at: moment(by.now),
        };
        let free = OnConflict::column(Column::Name).do_nothing().to_owned();
        let insert = Entity::insert(row.clone().into_active_model())
            .on_conflict(free)
            .try_insert();
        let made = insert.exec_without_returning(tx.db()).await;
        let made = made.during("making a project")?;
        if !matches!(made, TryInsertResult::Inserted(1)) {
            return Err(AccessError::NameTaken {
                kind: "project",
                name: row.name,
            });
        }
        told(&mut tx, "project.created", &row);
        tx.commit().await?;
        Ok(ProjectRow::try_from(row)?)
    }

    /// Changes a project; the project as it is then, `None` if there is none.
    /// What there is more of than a new quota allows stays.
    pub async fn project_change(
        &self,
        by: &By<'_>,
        name: &Name,
        change: ProjectChange,
    ) -> Result<Option<ProjectRow>, StoreError> {
        let mut tx = self.begin(by).await?;
        let Some(mut row) = held(&tx, name).await? else {
            return Ok(None);
        };
        if let Some(description) = change.description {
            row.description = description;
        }
        if let Some(quota) = change.quota {
            row.quota = json(&quota);
        }
        let write = Entity::update_many()
            .col_expr(Column::Description, Expr::value(row.description.clone()))
            .col_expr(Column::Quota, Expr::value(row.quota.clone()))
            .filter(Column::Name.eq(name.as_str()));
        write.exec(tx.db()).await.during("changing a project")?;
        told(&mut tx, "project.changed", &row);
        tx.commit().await?;
        ProjectRow::try_from(row).map(Some)
    }

    /// Deletes a project in which there is nothing; whether there was one.
    pub async fn project_delete(&self, by: &By<'_>, name: &Name) -> Result<bool, AccessError> {
        let mut tx = self.begin(by).await?;
        Guard::take(&tx).await?;
        let Some(row) = held(&tx, name).await? else {
            return Ok(false);
        };
        is_empty(&tx, name).await?;
        let members = member::Entity::delete_many();
        let members = members.filter(member::Column::Project.eq(name.as_str()));
        members.exec(tx.db()).await.during("deleting memberships")?;
        let deleted = Entity::delete_by_id(name.to_string()).exec(tx.db()).await;
        deleted.during("deleting a project")?;
        told(&mut tx, "project.deleted", &row);
        tx.commit().await?;
        Ok(true)
    }
}

/// Says what is in the way. Whatever belongs to projects is counted here.
async fn is_empty(tx: &Tx<'_>, name: &Name) -> Result<(), AccessError> {
    let doing = "counting what a project has";
    let name = name.as_str();
    let work = workload::Entity::find().filter(workload::Column::Project.eq(name));
    let held = holding::Entity::find().filter(holding::Column::Project.eq(name));
    let keys = token::Entity::find().filter(token::Column::Project.eq(name));
    let vms = vm::Entity::find().filter(vm::Column::Project.eq(name));
    let images = image::Entity::find().filter(image::Column::Project.eq(name));
    let counts = [
        ("workloads", work.count(tx.db()).await.during(doing)?),
        ("VMs", vms.count(tx.db()).await.during(doing)?),
        ("images", images.count(tx.db()).await.during(doing)?),
        ("artifacts", held.count(tx.db()).await.during(doing)?),
        ("tokens", keys.count(tx.db()).await.during(doing)?),
    ];
    let left = counts.iter().filter(|(_, count)| *count > 0);
    let left: Vec<_> = left
        .map(|(what, count)| format!("{count} {what}"))
        .collect();
    if left.is_empty() {
        return Ok(());
    }
    let text = format!("the project '{name}' has {}", left.join(", "));
    Err(AccessError::InUse(text))
}

pub(super) async fn held(tx: &Tx<'_>, name: &Name) -> Result<Option<Model>, StoreError> {
    let row = Entity::find_by_id(name.to_string()).lock_exclusive();
    row.one(tx.db()).await.during("reading a project")
}

fn told(tx: &mut Tx<'_>, kind: &str, row: &Model) {
    let mut told = event(
        kind,
        &row.name,
        kind.replace('.', &format!(" {} was ", row.name)),
    );
    told.project = Some(row.name.clone());
    told.data = serde_json::json!({"quota": row.quota});
    tx.note(told);
}
