//! Making users.

use hostler_core::Name;
use hostler_core::access::{BuiltIn, UserName};
use hostler_core::id::UserId;
use sea_orm::sea_query::OnConflict;
use sea_orm::{EntityTrait, IntoActiveModel};

use super::row::{Column, Entity, Model};
use super::{NewUser, UserRow};
use crate::column::{json, moment};
use crate::error::During;
use crate::guard::Guard;
use crate::role::own_roles;
use crate::tx::{Tx, event};
use crate::{AccessError, By, Store};

impl Store {
    /// Makes a user with a name that no other has.
    pub async fn user_insert(&self, by: &By<'_>, new: NewUser) -> Result<UserRow, AccessError> {
        let mut tx = self.begin(by).await?;
        Guard::take(&tx).await?;
        let row = insert(&mut tx, by, new).await?;
        tx.commit().await?;
        Ok(row)
    }
}

/// Makes a user within a transaction that holds the guard.
pub(super) async fn insert(
    tx: &mut Tx<'_>,
    by: &By<'_>,
    new: NewUser,
) -> Result<UserRow, AccessError> {
    known_roles(tx, &new.grants.roles).await?;
    let unix_ms = by.now.ms().max(0).unsigned_abs();
    let (issuer, subject) = match new.identity {
        Some(identity) => (Some(identity.issuer), Some(identity.subject)),
        None => (None, None),
    };
    let row = Model {
        id: UserId::from_parts(unix_ms, rand::random()).uuid(),
        name: new.name.to_string(),
        password: new.password,
        policies: json(&new.grants.policies),
        roles: json(&new.grants.roles),
        disabled: false,
        issuer,
        subject,
        settings: serde_json::json!({}),
        created_at: moment(by.now),
        created_by: by.actor.to_owned(),
        last_activity: None,
    };
    write(tx, &row)
        .await?
        .then_some(())
        .ok_or_else(|| taken(&new.name))?;
    let mut told = event(
        "user.created",
        &row.id,
        format!("user {} was made", new.name),
    );
    told.data = serde_json::json!({"name": row.name, "roles": row.roles, "policies": row.policies});
    tx.note(told);
    Ok(UserRow::try_from(row)?)
}

/// Whether the name was free.
async fn write(tx: &Tx<'_>, row: &Model) -> Result<bool, crate::StoreError> {
    let free = OnConflict::column(Column::Name).do_nothing().to_owned();
    let written = Entity::insert(row.clone().into_active_model())
        .on_conflict(free)
        .try_insert();
    let written = written.exec_without_returning(tx.db()).await;
    let written = written.during("making a user")?;
    Ok(matches!(written, sea_orm::TryInsertResult::Inserted(1)))
}

/// The answer to a name that another has.
pub(super) fn taken(name: &UserName) -> AccessError {
    AccessError::NameTaken {
        kind: "user",
        name: name.to_string(),
    }
}

/// Refuses roles that are not there.
pub(crate) async fn known_roles(tx: &Tx<'_>, roles: &[Name]) -> Result<(), AccessError> {
    let own = own_roles(tx.db()).await?;
    let is_there =
        |role: &&Name| BuiltIn::named(role.as_str()).is_some() || own.contains_key(*role);
    match roles.iter().find(|role| !is_there(role)) {
        Some(unknown) => Err(AccessError::RoleUnknown(unknown.clone())),
        None => Ok(()),
    }
}
