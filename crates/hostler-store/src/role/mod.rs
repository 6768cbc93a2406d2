//! Own roles: named sets of policies. The built-in ones are in the program.
//! Policies of a newer version that this one does not know allow nothing.

mod change;
pub(crate) mod row;

use hostler_core::access::{OwnRoles, PolicySet};
use hostler_core::{Name, Timestamp};
use sea_orm::{ConnectionTrait, EntityTrait, QueryOrder};
use serde_json::Value;

use crate::error::During;
use crate::{Store, StoreError};

/// A role somebody made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleRow {
    /// Its name.
    pub name: Name,
    /// What it is for.
    pub description: String,
    /// What it allows.
    pub policies: PolicySet,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Store {
    /// All own roles, by name.
    pub async fn role_list(&self) -> Result<Vec<RoleRow>, StoreError> {
        let rows = row::Entity::find().order_by_asc(row::Column::Name);
        let rows = rows.all(self.db()).await.during("listing roles")?;
        rows.into_iter().map(RoleRow::try_from).collect()
    }

    /// What own roles allow.
    pub async fn role_book(&self) -> Result<OwnRoles, StoreError> {
        own_roles(self.db()).await
    }
}

/// What own roles allow.
pub(crate) async fn own_roles(db: &impl ConnectionTrait) -> Result<OwnRoles, StoreError> {
    let rows = row::Entity::find().all(db).await.during("reading roles")?;
    let role = |row| RoleRow::try_from(row).map(|role: RoleRow| (role.name, role.policies));
    rows.into_iter().map(role).collect()
}

/// The policies in a column.
pub(crate) fn known(words: &Value) -> PolicySet {
    let words = words.as_array().into_iter().flatten();
    let words = words.filter_map(Value::as_str);
    words.filter_map(|word| word.parse().ok()).collect()
}
