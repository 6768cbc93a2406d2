//! Changing and deleting users. Whoever is disabled, deleted, or given a new
//! password by somebody else is signed out everywhere, in the same transaction.

use hostler_core::Timestamp;
use hostler_core::id::{SessionId, UserId};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};
use serde_json::Value;

use super::insert::{known_roles, taken};
use super::list::whole_one;
use super::row::{Column, Entity, Model};
use super::{UserChange, UserRow};
use crate::column::{json, moment};
use crate::error::During;
use crate::guard::Guard;
use crate::project::row::member;
use crate::session::row as session;
use crate::token::row as token;
use crate::tx::event;
use crate::{AccessError, By, Store, StoreError};

impl Store {
    /// Changes a user; the user as they are then, `None` if there is none.
    pub async fn user_change(
        &self,
        by: &By<'_>,
        id: UserId,
        change: &UserChange,
    ) -> Result<Option<UserRow>, AccessError> {
        let mut tx = self.begin(by).await?;
        let guard = Guard::take(&tx).await?;
        let Some(mut row) = held(tx.db(), id).await? else {
            return Ok(None);
        };
        known_roles(&tx, change.roles.as_deref().unwrap_or_default()).await?;
        if let Some(name) = change
            .name
            .as_ref()
            .filter(|name| name.as_str() != row.name)
        {
            let others = Entity::find().filter(Column::Name.eq(name.as_str()));
            if others
                .one(tx.db())
                .await
                .during("reading a user")?
                .is_some()
            {
                return Err(taken(name));
            }
        }
        apply(&mut row, change);
        write(tx.db(), &row).await?;
        if row.disabled {
            sign_out(tx.db(), id, None).await?;
        }
        guard.check(&tx).await?;
        let mut told = event(
            "user.changed",
            &id,
            format!("user {} was changed", row.name),
        );
        told.data = serde_json::json!({"name": row.name, "roles": row.roles,
            "policies": row.policies, "disabled": row.disabled});
        tx.note(told);
        let user = whole_one(tx.db(), Some(row)).await?;
        tx.commit().await?;
        Ok(user)
    }

    /// Gives a user another password, and signs them out everywhere but in
    /// the session `keep`; whether there is such a user.
    pub async fn user_password_set(
        &self,
        by: &By<'_>,
        id: UserId,
        hash: &str,
        keep: Option<SessionId>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin(by).await?;
        let change = Entity::update_many()
            .col_expr(Column::Password, Expr::value(hash))
            .filter(Column::Id.eq(id.uuid()));
        let changed = change.exec(tx.db()).await.during("setting a password")?;
        if changed.rows_affected == 0 {
            return Ok(false);
        }
        sign_out(tx.db(), id, keep).await?;
        tx.note(event(
            "user.password-set",
            &id,
            "a password was set".to_owned(),
        ));
        tx.commit().await?;
        Ok(true)
    }

    /// Keeps what a user prefers. No event: it is nobody else's affair.
    pub async fn user_settings_set(
        &self,
        by: &By<'_>,
        id: UserId,
        settings: Value,
    ) -> Result<(), StoreError> {
        let tx = self.begin(by).await?;
        let change = Entity::update_many()
            .col_expr(Column::Settings, Expr::value(settings))
            .filter(Column::Id.eq(id.uuid()));
        change.exec(tx.db()).await.during("keeping settings")?;
        tx.commit().await
    }

    /// Deletes a user with their sessions, tokens and memberships; whether
    /// there was one. What they made in projects stays.
    pub async fn user_delete(&self, by: &By<'_>, id: UserId) -> Result<bool, AccessError> {
        let mut tx = self.begin(by).await?;
        let guard = Guard::take(&tx).await?;
        let Some(row) = held(tx.db(), id).await? else {
            return Ok(false);
        };
        sign_out(tx.db(), id, None).await?;
        let tokens = token::Entity::delete_many().filter(token::Column::Owner.eq(row.id));
        tokens
            .exec(tx.db())
            .await
            .during("deleting a user's tokens")?;
        let places = member::Entity::delete_many().filter(member::Column::Account.eq(row.id));
        places.exec(tx.db()).await.during("deleting memberships")?;
        let deleted = Entity::delete_by_id(row.id).exec(tx.db()).await;
        deleted.during("deleting a user")?;
        guard.check(&tx).await?;
        tx.note(event(
            "user.deleted",
            &id,
            format!("user {} was deleted", row.name),
        ));
        tx.commit().await?;
        Ok(true)
    }

    /// Writes down that a user did something.
    pub(crate) async fn user_seen(
        tx: &DatabaseTransaction,
        id: UserId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let change = Entity::update_many()
            .col_expr(Column::LastActivity, Expr::value(moment(now)))
            .filter(Column::Id.eq(id.uuid()));
        let changed = change.exec(tx).await;
        changed.map(drop).during("writing down an activity")
    }
}

fn apply(row: &mut Model, change: &UserChange) {
    if let Some(name) = &change.name {
        row.name = name.to_string();
    }
    if let Some(policies) = &change.policies {
        row.policies = json(policies);
    }
    if let Some(roles) = &change.roles {
        row.roles = json(roles);
    }
    row.disabled = change.disabled.unwrap_or(row.disabled);
}

pub(super) async fn write(tx: &DatabaseTransaction, row: &Model) -> Result<(), StoreError> {
    let change = Entity::update_many()
        .col_expr(Column::Name, Expr::value(row.name.clone()))
        .col_expr(Column::Policies, Expr::value(row.policies.clone()))
        .col_expr(Column::Roles, Expr::value(row.roles.clone()))
        .col_expr(Column::Disabled, Expr::value(row.disabled))
        .filter(Column::Id.eq(row.id));
    change.exec(tx).await.map(drop).during("changing a user")
}

async fn held(tx: &DatabaseTransaction, id: UserId) -> Result<Option<Model>, StoreError> {
    let row = Entity::find_by_id(id.uuid()).lock_exclusive().one(tx).await;
    row.during("reading a user")
}

/// Ends the user's sessions but one.
pub(super) async fn sign_out(
    tx: &DatabaseTransaction,
    id: UserId,
    keep: Option<SessionId>,
) -> Result<(), StoreError> {
    let mut ended = session::Entity::delete_many().filter(session::Column::Account.eq(id.uuid()));
    if let Some(keep) = keep {
        ended = ended.filter(session::Column::Id.ne(keep.uuid()));
    }
    ended.exec(tx).await.map(drop).during("ending sessions")
}
