//! Making, finding and deleting API tokens.

use hostler_core::id::{TokenId, UserId};
use hostler_core::{Name, Timestamp};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};

use super::row::{Column, Entity, Model};
use super::{NewToken, TokenRow};
use crate::column::{bounded, json, moment};
use crate::error::During;
use crate::guard::Guard;
use crate::secret::digest;
use crate::tx::{Tx, event};
use crate::{AccessError, By, Store, StoreError};

impl Store {
    /// Makes a token.
    pub async fn token_insert(&self, by: &By<'_>, new: NewToken) -> Result<TokenRow, StoreError> {
        let mut tx = self.begin(by).await?;
        let row = insert(&mut tx, by.now, new, false).await?;
        tx.commit().await?;
        TokenRow::try_from(row)
    }

    /// The token whose secret was presented, unless it has expired at `now`.
    pub async fn token_by_secret(
        &self,
        secret: &str,
        now: Timestamp,
    ) -> Result<Option<TokenRow>, StoreError> {
        let row = Entity::find()
            .filter(Column::Digest.eq(digest(secret)))
            .one(self.db())
            .await;
        let row = row
            .during("finding a token")?
            .map(TokenRow::try_from)
            .transpose()?;
        Ok(row.filter(|token| token.expires_at.is_none_or(|end| now < end)))
    }

    /// The token with this id.
    pub async fn token_get(&self, id: TokenId) -> Result<Option<TokenRow>, StoreError> {
        let row = Entity::find_by_id(id.uuid()).one(self.db()).await;
        row.during("reading a token")?
            .map(TokenRow::try_from)
            .transpose()
    }

    /// The tokens of a project, or all, oldest first.
    pub async fn token_list(&self, project: Option<&Name>) -> Result<Vec<TokenRow>, StoreError> {
        let mut chosen = Entity::find().order_by_asc(Column::Id);
        if let Some(project) = project {
            chosen = chosen.filter(Column::Project.eq(project.as_str()));
        }
        let rows = chosen.all(self.db()).await.during("listing tokens")?;
        rows.into_iter().map(TokenRow::try_from).collect()
    }

    /// Deletes a token; whether there was one. The last that may do everything
    /// stays.
    pub async fn token_delete(&self, by: &By<'_>, id: TokenId) -> Result<bool, AccessError> {
        let mut tx = self.begin(by).await?;
        let guard = Guard::take(&tx).await?;
        let row = Entity::find_by_id(id.uuid()).one(tx.db()).await;
        let Some(row) = row.during("reading a token")? else {
            return Ok(false);
        };
        delete(&mut tx, row).await?;
        guard.check(&tx).await?;
        tx.commit().await?;
        Ok(true)
    }
}

pub(super) async fn insert(
    tx: &mut Tx<'_>,
    now: Timestamp,
    new: NewToken,
    bootstrap: bool,
) -> Result<Model, StoreError> {
    let row = Model {
        id: TokenId::from_parts(now.ms().max(0).unsigned_abs(), rand::random()).uuid(),
        name: new.name,
        project: new.project.map(String::from),
        policies: json(&new.policies),
        digest: digest(new.secret.expose()),
        bootstrap,
        created_at: moment(now),
        expires_at: new.expires_at.and_then(bounded),
        owner: new.owner.map(UserId::uuid),
    };
    let insert = Entity::insert(row.clone().into_active_model());
    insert
        .exec_without_returning(tx.db())
        .await
        .during("making a token")?;
    let mut told = event(
        "token.created",
        &row.id,
        format!("token {} was made", row.name),
    );
    told.project.clone_from(&row.project);
    told.data = serde_json::json!({"policies": row.policies});
    tx.note(told);
    Ok(row)
}

pub(super) async fn delete(tx: &mut Tx<'_>, row: Model) -> Result<(), StoreError> {
    Entity::delete_by_id(row.id)
        .exec(tx.db())
        .await
        .during("deleting a token")?;
    let mut told = event(
        "token.deleted",
        &row.id,
        format!("token {} was deleted", row.name),
    );
    told.project = row.project;
    tx.note(told);
    Ok(())
}
