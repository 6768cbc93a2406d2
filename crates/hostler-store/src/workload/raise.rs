//! Raising a generation without changing anything else, for a row that comes
//! from an older copy of the database than what its node was told.

use hostler_core::Generation;
use hostler_core::id::WorkloadId;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::ChangeOutcome;
use super::list::held;
use super::row::{Column, Entity};
use crate::column::signed;
use crate::error::During;
use crate::lease::fence;
use crate::tx::event;
use crate::{By, Fence, FencedError, Store};

impl Store {
    /// Raises a workload's generation to `to`, if it still is `expected`.
    pub async fn workload_raise(
        &self,
        by: &By<'_>,
        id: WorkloadId,
        (expected, to): (Generation, Generation),
        fence: Option<&Fence>,
    ) -> Result<ChangeOutcome, FencedError> {
        let mut tx = self.begin(by).await?;
        fence::check(tx.db(), fence).await?;
        let Some(row) = held(tx.db(), id).await? else {
            return Ok(ChangeOutcome::Stale);
        };
        if row.generation != signed(expected.number()) || to <= expected {
            return Ok(ChangeOutcome::Stale);
        }
        let change = Entity::update_many()
            .col_expr(Column::Generation, Expr::value(signed(to.number())))
            .filter(Column::Id.eq(row.id));
        change.exec(tx.db()).await.during("raising a generation")?;
        let text = format!("{} overtakes what its node was told before", row.name);
        let mut told = event("workload.raised", &id, text);
        told.project = Some(row.project);
        told.data = serde_json::json!({"from": expected, "to": to});
        tx.note(told);
        tx.commit().await?;
        Ok(ChangeOutcome::Changed)
    }
}
