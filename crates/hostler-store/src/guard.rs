//! Changes of who may do what, one at a time. Whoever makes one holds a row
//! until the commit; before the commit it is counted whether somebody is left
//! who may do everything. Otherwise two administrators who each remove the
//! other at the same moment would leave none.

use hostler_core::Name;
use hostler_core::access::Policy;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use crate::error::During;
use crate::role::own_roles;
use crate::tx::Tx;
use crate::user::row::Entity as Accounts;
use crate::{StoreError, UserRow, token};

/// Why a change of users, roles, projects or tokens was not made.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// Nobody would be left who may do everything.
    #[error("nobody would be left who may do everything")]
    LastAdmin,
    /// Another has this name.
    #[error("there is a {kind} named '{name}' already")]
    NameTaken {
        /// Of what kind.
        kind: &'static str,
        /// Which name.
        name: String,
    },
    /// There is no such role.
    #[error("there is no role '{0}'")]
    RoleUnknown(Name),
    /// There is no such project.
    #[error("there is no project '{0}'")]
    ProjectUnknown(Name),
    /// It cannot go while others need it.
    #[error("{0}")]
    InUse(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Held by who changes access.
pub(crate) struct Guard {
    governed: bool,
}

const TAKE: &str = "UPDATE access_guard SET turn = turn + 1";

impl Guard {
    /// Waits for its turn.
    pub(crate) async fn take(tx: &Tx<'_>) -> Result<Self, StoreError> {
        let taken = tx.db().execute_unprepared(TAKE).await;
        taken.during("waiting to change access")?;
        let governed = is_governed(tx).await?;
        Ok(Self { governed })
    }

    /// Refuses to leave nobody where there was somebody.
    pub(crate) async fn check(&self, tx: &Tx<'_>) -> Result<(), AccessError> {
        if self.governed && !is_governed(tx).await? {
            return Err(AccessError::LastAdmin);
        }
        Ok(())
    }
}

/// Whether somebody may do everything for good: a token without an end, or a
/// user who can sign in.
async fn is_governed(tx: &Tx<'_>) -> Result<bool, StoreError> {
    let tokens = token::row::Entity::find()
        .filter(token::row::Column::Owner.is_null())
        .filter(token::row::Column::Project.is_null())
        .filter(token::row::Column::ExpiresAt.is_null());
    let tokens = tokens
        .all(tx.db())
        .await
        .during("counting administrators")?;
    let admin = Policy::Admin.as_str();
    let is_admin = |policies: &serde_json::Value| {
        let mut words = policies.as_array().into_iter().flatten();
        words.any(|word| word.as_str() == Some(admin))
    };
    if tokens.iter().any(|row| is_admin(&row.policies)) {
        return Ok(true);
    }
    let roles = own_roles(tx.db()).await?;
    let accounts = Accounts::find().all(tx.db()).await;
    for row in accounts.during("counting administrators")? {
        let user = UserRow::try_from(row)?;
        let rights = user.grants.rights(&roles);
        if user.can_sign_in() && Policy::Admin.is_in(&rights.everywhere) {
            return Ok(true);
        }
    }
    Ok(false)
}
