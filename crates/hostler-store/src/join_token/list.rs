//! Making, listing and deleting join tokens.

use hostler_core::Timestamp;
use hostler_core::id::TokenId;
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};

use super::row::{Column, Entity, Model};
use super::{JoinTokenRow, NewJoinToken};
use crate::column::moment;
use crate::error::During;
use crate::secret::digest;
use crate::tx::event;
use crate::{By, Store, StoreError};

impl Store {
    /// Makes a join token.
    pub async fn join_token_insert(
        &self,
        by: &By<'_>,
        new: NewJoinToken,
    ) -> Result<JoinTokenRow, StoreError> {
        let unix_ms = by.now.ms().max(0).unsigned_abs();
        let row = Model {
            id: TokenId::from_parts(unix_ms, rand::random()).uuid(),
            digest: digest(new.secret.expose()),
            expires_at: moment(new.expires_at),
            uses_left: new.uses.into(),
            created_at: moment(by.now),
        };
        let mut tx = self.begin(by).await?;
        let insert = Entity::insert(row.clone().into_active_model());
        insert
            .exec_without_returning(tx.db())
            .await
            .during("making a join token")?;
        let text = format!("a join token for {} nodes was made", new.uses);
        tx.note(event("join-token.created", &row.id, text));
        tx.commit().await?;
        Ok(row.into())
    }

    /// The join token with this secret, if a node could join with it at `now`.
    /// Only a registration says for sure: it spends one use.
    pub async fn join_token_by_secret(
        &self,
        secret: &str,
        now: Timestamp,
    ) -> Result<Option<JoinTokenRow>, StoreError> {
        let usable = Entity::find()
            .filter(Column::Digest.eq(digest(secret)))
            .filter(Column::UsesLeft.gt(0))
            .filter(Column::ExpiresAt.gt(moment(now)));
        let row = usable
            .one(self.db())
            .await
            .during("looking up a join token")?;
        Ok(row.map(JoinTokenRow::from))
    }

    /// All join tokens, oldest first, those that are used up included.
    pub async fn join_token_list(&self) -> Result<Vec<JoinTokenRow>, StoreError> {
        let rows = Entity::find().order_by_asc(Column::Id).all(self.db()).await;
        Ok(rows
            .during("listing join tokens")?
            .into_iter()
            .map(JoinTokenRow::from)
            .collect())
    }

    /// Deletes a join token; whether there was one.
    pub async fn join_token_delete(&self, by: &By<'_>, id: TokenId) -> Result<bool, StoreError> {
        let mut tx = self.begin(by).await?;
        let deleted = Entity::delete_by_id(id.uuid()).exec(tx.db()).await;
        if deleted.during("deleting a join token")?.rows_affected == 0 {
            return Ok(false);
        }
        tx.note(event(
            "join-token.deleted",
            &id,
            "a join token was deleted".to_owned(),
        ));
        tx.commit().await?;
        Ok(true)
    }

    /// Forgets join tokens that expired before `before`; how many.
    pub async fn join_token_sweep(&self, before: Timestamp) -> Result<u64, StoreError> {
        let tx = self.begin(&By::new("hostler", before)).await?;
        let old = Entity::delete_many().filter(Column::ExpiresAt.lt(moment(before)));
        let swept = old.exec(tx.db()).await.during("sweeping join tokens")?;
        tx.commit().await?;
        Ok(swept.rows_affected)
    }
}
