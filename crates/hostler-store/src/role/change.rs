//! Making, changing and deleting own roles.

use hostler_core::Name;
use hostler_core::access::{BuiltIn, PolicySet};
use sea_orm::sea_query::OnConflict;
use sea_orm::{EntityTrait, IntoActiveModel};

use super::RoleRow;
use super::row::{Column, Entity, Model};
use crate::column::{json, moment};
use crate::error::During;
use crate::guard::Guard;
use crate::project::row::member;
use crate::tx::{Tx, event};
use crate::user::row::Entity as Accounts;
use crate::{AccessError, By, Store, StoreError, UserRow};

impl Store {
    /// Makes a role of this name, or changes what it allows.
    pub async fn role_set(
        &self,
        by: &By<'_>,
        name: &Name,
        description: String,
        policies: PolicySet,
    ) -> Result<RoleRow, AccessError> {
        if BuiltIn::named(name.as_str()).is_some() {
            return Err(AccessError::NameTaken {
                kind: "built-in role",
                name: name.to_string(),
            });
        }
        let mut tx = self.begin(by).await?;
        let guard = Guard::take(&tx).await?;
        let row = Model {
            name: name.to_string(),
            description,
            policies: json(&policies),
            created_at: moment(by.now),
        };
        write(&tx, row.clone()).await?;
        guard.check(&tx).await?;
        let mut told = event("role.set", name, format!("role {name} was set"));
        told.data = serde_json::json!({"policies": policies});
        tx.note(told);
        tx.commit().await?;
        Ok(RoleRow::try_from(row)?)
    }

    /// Deletes a role that nobody has; whether there was one.
    pub async fn role_delete(&self, by: &By<'_>, name: &Name) -> Result<bool, AccessError> {
        let mut tx = self.begin(by).await?;
        Guard::take(&tx).await?;
        let holders = holders(&tx, name).await?;
        if holders > 0 {
            let text = format!("the role '{name}' is given {holders} times");
            return Err(AccessError::InUse(text));
        }
        let deleted = Entity::delete_by_id(name.to_string()).exec(tx.db()).await;
        if deleted.during("deleting a role")?.rows_affected == 0 {
            return Ok(false);
        }
        tx.note(event(
            "role.deleted",
            name,
            format!("role {name} was deleted"),
        ));
        tx.commit().await?;
        Ok(true)
    }
}

async fn write(tx: &Tx<'_>, row: Model) -> Result<(), StoreError> {
    let known = OnConflict::column(Column::Name)
        .update_columns([Column::Description, Column::Policies])
        .to_owned();
    let written = Entity::insert(row.into_active_model()).on_conflict(known);
    let written = written.exec_without_returning(tx.db()).await;
    written.map(drop).during("writing a role")
}

/// How often the role was given.
async fn holders(tx: &Tx<'_>, name: &Name) -> Result<usize, StoreError> {
    let doing = "counting who has a role";
    let accounts = Accounts::find().all(tx.db()).await.during(doing)?;
    let mut count = 0;
    for row in accounts {
        let user = UserRow::try_from(row)?;
        count += usize::from(user.grants.roles.contains(name));
    }
    let members = member::Entity::find().all(tx.db()).await.during(doing)?;
    let given = members.iter().filter(|member| member.role == name.as_str());
    Ok(count + given.count())
}
