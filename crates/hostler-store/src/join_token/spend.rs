//! Spending a join token: one conditional update, so that of many machines
//! only as many join as it has uses.

use hostler_core::Timestamp;
use hostler_core::id::TokenId;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::row::{Column, Entity};
use crate::column::moment;
use crate::error::During;
use crate::secret::digest;
use crate::tx::{Tx, event};
use crate::{By, Store, StoreError};

impl Store {
    /// Spends one use; the token, or `None` when it is unknown, expired or
    /// used up. A registration spends by itself: [`Self::node_register`].
    pub async fn join_token_spend(
        &self,
        by: &By<'_>,
        secret: &str,
    ) -> Result<Option<TokenId>, StoreError> {
        let mut tx = self.begin(by).await?;
        let spent = one_use(&mut tx, secret, by.now).await?;
        tx.commit().await?;
        Ok(spent)
    }
}

/// Spends one use within a transaction.
pub(crate) async fn one_use(
    tx: &mut Tx<'_>,
    secret: &str,
    now: Timestamp,
) -> Result<Option<TokenId>, StoreError> {
    let spent = Entity::update_many()
        .col_expr(Column::UsesLeft, Expr::col(Column::UsesLeft).sub(1))
        .filter(Column::Digest.eq(digest(secret)))
        .filter(Column::UsesLeft.gt(0))
        .filter(Column::ExpiresAt.gt(moment(now)))
        .exec_with_returning(tx.db())
        .await
        .during("spending a join token")?;
    let Some(row) = spent.into_iter().next() else {
        return Ok(None);
    };
    let text = format!("a join token was used; {} uses are left", row.uses_left);
    tx.note(event("join-token.used", &row.id, text));
    Ok(Some(TokenId::from_uuid(row.id)))
}
