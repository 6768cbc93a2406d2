//! Reading users, with what was given to them.

use std::collections::HashMap;

use hostler_core::Name;
use hostler_core::access::UserName;
use hostler_core::id::UserId;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use super::UserRow;
use super::row::{Column, Entity, Model};
use crate::column::name;
use crate::error::During;
use crate::project::row::member;
use crate::{Secret, Store, StoreError};

impl Store {
    /// The user with this id, with all that was given to them.
    pub async fn user_get(&self, id: UserId) -> Result<Option<UserRow>, StoreError> {
        let row = Entity::find_by_id(id.uuid()).one(self.db()).await;
        let row = row.during("reading a user")?;
        whole_one(self.db(), row).await
    }

    /// The user of this name, with the hash of their password. For signing in.
    pub async fn user_by_name(
        &self,
        name: &UserName,
    ) -> Result<Option<(UserRow, Option<Secret>)>, StoreError> {
        let row = Entity::find().filter(Column::Name.eq(name.as_str()));
        let row = row.one(self.db()).await.during("reading a user")?;
        let hash = row.as_ref().and_then(|row| row.password.clone());
        let user = whole_one(self.db(), row).await?;
        Ok(user.map(|user| (user, hash.map(Secret::new))))
    }

    /// All users, by name.
    pub async fn user_list(&self) -> Result<Vec<UserRow>, StoreError> {
        let rows = Entity::find().order_by_asc(Column::Name).all(self.db());
        let rows = rows.await.during("listing users")?;
        let all = member::Entity::find().all(self.db()).await;
        let mut memberships = HashMap::<Uuid, Vec<(Name, Name)>>::new();
        for row in all.during("listing members")? {
            let place = memberships.entry(row.account).or_default();
            place.push((name(row.project)?, name(row.role)?));
        }
        let whole = |row: Model| {
            let memberships = memberships.remove(&row.id).unwrap_or_default();
            let mut user = UserRow::try_from(row)?;
            user.grants.memberships = memberships;
            Ok(user)
        };
        rows.into_iter().map(whole).collect()
    }
}

/// The user in a row, with their memberships.
pub(crate) async fn whole_one(
    db: &impl ConnectionTrait,
    row: Option<Model>,
) -> Result<Option<UserRow>, StoreError> {
    let Some(row) = row else {
        return Ok(None);
    };
    let theirs = member::Entity::find()
        .filter(member::Column::Account.eq(row.id))
        .order_by_asc(member::Column::Project);
    let theirs = theirs.all(db).await.during("reading memberships")?;
    let pair = |row: member::Model| Ok::<_, StoreError>((name(row.project)?, name(row.role)?));
    let mut user = UserRow::try_from(row)?;
    user.grants.memberships = theirs.into_iter().map(pair).collect::<Result<_, _>>()?;
    Ok(Some(user))
}
