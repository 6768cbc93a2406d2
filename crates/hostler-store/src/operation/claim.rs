//! A worker's right to an operation: claimed, kept, given back.

use std::time::Duration;

use hostler_core::Timestamp;
use sea_orm::sea_query::{Expr, LockBehavior, LockType};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, UpdateMany};

use super::row::{Column, Entity};
use super::{ClaimError, OperationClaim, OperationRow};
use crate::column::{moment, signed, unsigned};
use crate::error::During;
use crate::{By, Store, StoreError};

impl Store {
    /// Claims for `ttl` the operation that has been due longest, if any is.
    pub async fn operation_claim(
        &self,
        worker: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Option<OperationClaim>, StoreError> {
        let tx = self.begin(&By::new(worker, now)).await?;
        let due = Entity::find()
            .filter(Column::Outcome.is_null())
            .filter(Column::DueAt.lte(moment(now)))
            .order_by_asc(Column::DueAt)
            .order_by_asc(Column::Id)
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
            .one(tx.db())
            .await;
        let Some(mut row) = due.during("looking for an operation")? else {
            return Ok(None);
        };
        row.holder = Some(worker.to_owned());
        row.number += 1;
        row.due_at = moment(now + ttl);
        let claim = Entity::update_many()
            .col_expr(Column::Holder, Expr::value(worker))
            .col_expr(Column::Number, Expr::value(row.number))
            .col_expr(Column::DueAt, Expr::value(row.due_at))
            .filter(Column::Id.eq(row.id));
        claim.exec(tx.db()).await.during("claiming an operation")?;
        tx.commit().await?;
        let number = unsigned(row.number);
        Ok(Some(OperationClaim {
            row: OperationRow::try_from(row)?,
            number,
        }))
    }

    /// Keeps a claim until `due`. No event.
    pub async fn operation_renew(
        &self,
        claim: &OperationClaim,
        due: Timestamp,
    ) -> Result<(), ClaimError> {
        let change = Entity::update_many().col_expr(Column::DueAt, Expr::value(moment(due)));
        self.operation_write(claim, change).await
    }

    /// Gives a claim back and says where the operation is, in words; it may
    /// be claimed again from `due`. No event.
    pub async fn operation_release(
        &self,
        claim: &OperationClaim,
        due: Timestamp,
        progress: &str,
    ) -> Result<(), ClaimError> {
        let change = Entity::update_many()
            .col_expr(Column::Holder, Expr::value(None::<String>))
            .col_expr(Column::DueAt, Expr::value(moment(due)))
            .col_expr(Column::Progress, Expr::value(progress));
        self.operation_write(claim, change).await
    }

    async fn operation_write(
        &self,
        claim: &OperationClaim,
        change: UpdateMany<Entity>,
    ) -> Result<(), ClaimError> {
        let tx = self.begin(&By::new("hostler", claim.row.due_at)).await?;
        let changed = under(claim, change)
            .exec(tx.db())
            .await
            .during("keeping a claim")?;
        if changed.rows_affected == 0 {
            return Err(ClaimError::Lost(claim.row.id));
        }
        Ok(tx.commit().await?)
    }
}

/// The change, only while the claim is the latest and the operation lives.
pub(super) fn under(claim: &OperationClaim, change: UpdateMany<Entity>) -> UpdateMany<Entity> {
    change
        .filter(Column::Id.eq(claim.row.id.uuid()))
        .filter(Column::Number.eq(signed(claim.number)))
        .filter(Column::Holder.is_not_null())
        .filter(Column::Outcome.is_null())
}
