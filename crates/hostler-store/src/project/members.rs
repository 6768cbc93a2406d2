//! Who is a member of a project, and in which role.

use hostler_core::Name;
use hostler_core::access::UserName;
use hostler_core::id::UserId;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::Member;
use super::change::held;
use super::row::member::{Column, Entity, Model};
use crate::column::name as role_name;
use crate::error::{During, corrupt};
use crate::guard::Guard;
use crate::rows::filled;
use crate::tx::{Tx, event};
use crate::user::insert::known_roles;
use crate::user::row::{self as account, Entity as Accounts};
use crate::{AccessError, By, Store, StoreError};

impl Store {
    /// The members of a project, by name.
    pub async fn member_list(&self, project: &Name) -> Result<Vec<Member>, StoreError> {
        let doing = "listing members";
        let rows = Entity::find().filter(Column::Project.eq(project.as_str()));
        let rows = rows.all(self.db()).await.during(doing)?;
        let ids = filled(rows.iter().map(|row| row.account));
        let accounts = Accounts::find().filter(account::Column::Id.is_in(ids));
        let accounts = accounts.all(self.db()).await.during(doing)?;
        let mut members = Vec::with_capacity(rows.len());
        for account in accounts {
            let row = rows.iter().find(|row| row.account == account.id);
            let Some(row) = row else { continue };
            let name = account.name.parse::<UserName>();
            members.push(Member {
                user: UserId::from_uuid(account.id),
                name: name.map_err(|error| corrupt("user's name", &error.0))?,
                role: role_name(row.role.clone())?,
            });
        }
        members.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(members)
    }

    /// Makes a user a member in this role, or gives them another; whether
    /// there is such a user.
    pub async fn member_set(
        &self,
        by: &By<'_>,
        project: &Name,
        user: UserId,
        role: &Name,
    ) -> Result<bool, AccessError> {
        let mut tx = self.begin(by).await?;
        Guard::take(&tx).await?;
        if held(&tx, project).await?.is_none() {
            return Err(AccessError::ProjectUnknown(project.clone()));
        }
        known_roles(&tx, std::slice::from_ref(role)).await?;
        let account = Accounts::find_by_id(user.uuid()).one(tx.db()).await;
        let Some(account) = account.during("reading a user")? else {
            return Ok(false);
        };
        let row = Model {
            project: project.to_string(),
            account: account.id,
            role: role.to_string(),
        };
        write(&tx, row).await?;
        let text = format!("{} is {role} in {project}", account.name);
        let mut told = event("member.set", &user, text);
        told.project = Some(project.to_string());
        told.data = serde_json::json!({"name": account.name, "role": role});
        tx.note(told);
        tx.commit().await?;
        Ok(true)
    }

    /// Ends a membership; whether there was one.
    pub async fn member_delete(
        &self,
        by: &By<'_>,
        project: &Name,
        user: UserId,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin(by).await?;
        Guard::take(&tx).await?;
        let place = (project.to_string(), user.uuid());
        let ended = Entity::delete_by_id(place).exec(tx.db()).await;
        if ended.during("ending a membership")?.rows_affected == 0 {
            return Ok(false);
        }
        let mut told = event("member.deleted", &user, format!("a member left {project}"));
        told.project = Some(project.to_string());
        tx.note(told);
        tx.commit().await?;
        Ok(true)
    }
}

async fn write(tx: &Tx<'_>, row: Model) -> Result<(), StoreError> {
    let known = OnConflict::columns([Column::Project, Column::Account])
        .update_column(Column::Role)
        .to_owned();
    let insert = Entity::insert(row.into_active_model()).on_conflict(known);
    let written = insert.exec_without_returning(tx.db()).await;
    written.map(drop).during("making a member")
}
