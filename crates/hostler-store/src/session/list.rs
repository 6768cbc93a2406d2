//! Beginning, finding, using and ending sessions.

use hostler_core::Timestamp;
use hostler_core::id::{SessionId, UserId};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};

use super::row::{Column, Entity, Model};
use super::{NewSession, SessionRow};
use crate::column::moment;
use crate::error::During;
use crate::secret::digest;
use crate::tx::event;
use crate::{By, Store, StoreError};

impl Store {
    /// Begins a session of a user.
    pub async fn session_insert(
        &self,
        by: &By<'_>,
        new: NewSession,
    ) -> Result<SessionRow, StoreError> {
        let unix_ms = by.now.ms().max(0).unsigned_abs();
        let row = Model {
            id: SessionId::from_parts(unix_ms, rand::random()).uuid(),
            account: new.user.uuid(),
            digest: digest(new.secret.expose()),
            created_at: moment(by.now),
            expires_at: moment(new.expires_at),
            last_used: moment(by.now),
            origin: by.origin.unwrap_or_default().to_owned(),
        };
        let mut tx = self.begin(by).await?;
        let insert = Entity::insert(row.clone().into_active_model());
        let made = insert.exec_without_returning(tx.db()).await;
        made.during("beginning a session")?;
        Self::user_seen(tx.db(), new.user, by.now).await?;
        let mut told = event(
            "session.begun",
            &new.user,
            format!("{} signed in", by.actor),
        );
        told.data = serde_json::json!({"session": row.id, "method": new.method});
        tx.note(told);
        tx.commit().await?;
        Ok(row.into())
    }

    /// The session whose secret was presented, unless it is over by itself.
    pub async fn session_by_secret(
        &self,
        secret: &str,
        now: Timestamp,
    ) -> Result<Option<SessionRow>, StoreError> {
        let row = Entity::find()
            .filter(Column::Digest.eq(digest(secret)))
            .filter(Column::ExpiresAt.gt(moment(now)));
        let row = row.one(self.db()).await.during("finding a session")?;
        Ok(row.map(SessionRow::from))
    }

    /// The session with this id.
    pub async fn session_get(&self, id: SessionId) -> Result<Option<SessionRow>, StoreError> {
        let row = Entity::find_by_id(id.uuid()).one(self.db()).await;
        Ok(row.during("reading a session")?.map(SessionRow::from))
    }

    /// The user's sessions, oldest first.
    pub async fn session_list(&self, user: UserId) -> Result<Vec<SessionRow>, StoreError> {
        let rows = Entity::find()
            .filter(Column::Account.eq(user.uuid()))
            .order_by_asc(Column::Id);
        let rows = rows.all(self.db()).await.during("listing sessions")?;
        Ok(rows.into_iter().map(SessionRow::from).collect())
    }

    /// Writes down that a session was used. No event: that would be one for
    /// every look.
    pub async fn session_used(
        &self,
        session: &SessionRow,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let tx = self.begin(&By::new("hostler", now)).await?;
        let change = Entity::update_many()
            .col_expr(Column::LastUsed, Expr::value(moment(now)))
            .filter(Column::Id.eq(session.id.uuid()))
            .filter(Column::LastUsed.lt(moment(now)));
        change.exec(tx.db()).await.during("using a session")?;
        Self::user_seen(tx.db(), session.user, now).await?;
        tx.commit().await
    }

    /// Ends one of the user's sessions; whether there was one.
    pub async fn session_delete(
        &self,
        by: &By<'_>,
        user: UserId,
        id: SessionId,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin(by).await?;
        let ended = Entity::delete_many()
            .filter(Column::Id.eq(id.uuid()))
            .filter(Column::Account.eq(user.uuid()));
        let ended = ended.exec(tx.db()).await.during("ending a session")?;
        if ended.rows_affected == 0 {
            return Ok(false);
        }
        let mut told = event("session.ended", &user, format!("{} signed out", by.actor));
        told.data = serde_json::json!({"session": id.uuid()});
        tx.note(told);
        tx.commit().await?;
        Ok(true)
    }

    /// Forgets sessions that are over, by themselves or since they were used
    /// last before `idle_since`; how many.
    pub async fn session_sweep(
        &self,
        now: Timestamp,
        idle_since: Timestamp,
    ) -> Result<u64, StoreError> {
        let tx = self.begin(&By::new("hostler", now)).await?;
        let over = Condition::any()
            .add(Column::ExpiresAt.lte(moment(now)))
            .add(Column::LastUsed.lt(moment(idle_since)));
        let swept = Entity::delete_many().filter(over).exec(tx.db()).await;
        let swept = swept.during("sweeping sessions")?;
        tx.commit().await?;
        Ok(swept.rows_affected)
    }
}
