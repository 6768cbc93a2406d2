//! Taking a VM's seat away: its room goes back in the same transaction, and
//! its disk is lost unless it was to be gone anyway.

use hostler_core::vm::{VmGoal, VmRoom};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::list::seen_by;
use super::row::{Column, Entity};
use super::{VmRow, VmUnseat, room};
use crate::column::signed;
use crate::error::During;
use crate::lease::fence;
use crate::tx::event;
use crate::{By, ChangeOutcome, Fence, FencedError, Limits, Store};

impl Store {
    /// Takes a VM's seat away and raises its generation, if it still sits
    /// where the decision saw it and its node is as it has to be.
    pub async fn vm_unseat(
        &self,
        by: &By<'_>,
        unseat: VmUnseat<'_>,
        fence: Option<&Fence>,
    ) -> Result<ChangeOutcome, FencedError> {
        let mut tx = self.begin(by).await?;
        fence::check(tx.db(), fence).await?;
        let Some(row) = seen_by(tx.db(), unseat.vm).await? else {
            return Ok(ChangeOutcome::Stale);
        };
        let row = VmRow::try_from(row)?;
        // Takes the node's row for this transaction, which makes the look at
        // it the last word.
        let back = (row.room(), VmRoom::default());
        room::shift(tx.db(), unseat.node, back, Limits::default()).await?;
        if !unseat.provided.is_so(tx.db(), unseat.node).await? {
            return Ok(ChangeOutcome::Stale);
        }
        let lost = row.facts.goal != VmGoal::Gone;
        let change = Entity::update_many()
            .col_expr(Column::Seat, Expr::value(None::<uuid::Uuid>))
            .col_expr(Column::DiskLost, Expr::value(lost))
            .col_expr(Column::Generation, Expr::col(Column::Generation).add(1))
            .filter(Column::Id.eq(unseat.vm.uuid()))
            .filter(Column::Seat.eq(unseat.node.uuid()))
            .filter(Column::Generation.eq(signed(unseat.expected.number())));
        let changed = change.exec(tx.db()).await.during("unseating a VM")?;
        if changed.rows_affected == 0 {
            // Dropped, and with it what was given back.
            return Ok(ChangeOutcome::Stale);
        }
        let text = format!("VM {} lost its seat: {}", row.spec.name, unseat.why);
        let mut told = event("vm.unseated", &unseat.vm, text);
        told.project = Some(row.spec.project.to_string());
        told.data = serde_json::json!({"node": unseat.node, "why": unseat.why, "disk_lost": lost});
        tx.note(told);
        tx.commit().await?;
        Ok(ChangeOutcome::Changed)
    }
}
