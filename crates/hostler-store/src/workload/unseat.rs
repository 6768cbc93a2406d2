//! Taking a seat away: the capacity goes back in the same transaction.

use hostler_core::Timestamp;
use hostler_core::id::NodeId;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};

use super::row::{Column, Entity};
use super::seat::reserve;
use super::{ChangeOutcome, Unseat};
use crate::column::{moment, signed};
use crate::error::During;
use crate::lease::fence;
use crate::node::row as node;
use crate::tx::event;
use crate::{By, Fence, FencedError, Store, StoreError};

impl Store {
    /// Takes a workload's seat away and raises its generation, if it still
    /// sits where the decision saw it.
    pub async fn workload_unseat(
        &self,
        by: &By<'_>,
        unseat: Unseat<'_>,
        fence: Option<&Fence>,
    ) -> Result<ChangeOutcome, FencedError> {
        self.unseat(by, unseat, UnseatIf::Anyhow, fence).await
    }

    /// The same, decided because the node was lost: refused as stale when the
    /// node's lease does not end before `by.now`. A heartbeat may have renewed
    /// it between the decision and this transaction.
    pub async fn workload_unseat_lost(
        &self,
        by: &By<'_>,
        unseat: Unseat<'_>,
        fence: Option<&Fence>,
    ) -> Result<ChangeOutcome, FencedError> {
        self.unseat(by, unseat, UnseatIf::LeaseOver(by.now), fence)
            .await
    }

    /// The same, decided because the node was not among those that were read:
    /// refused as stale when it is registered. It may have joined and been
    /// given the seat after the nodes were read and before the workloads were.
    pub async fn workload_unseat_unregistered(
        &self,
        by: &By<'_>,
        unseat: Unseat<'_>,
        fence: Option<&Fence>,
    ) -> Result<ChangeOutcome, FencedError> {
        self.unseat(by, unseat, UnseatIf::Unregistered, fence).await
    }

    async fn unseat(
        &self,
        by: &By<'_>,
        unseat: Unseat<'_>,
        provided: UnseatIf,
        fence: Option<&Fence>,
    ) -> Result<ChangeOutcome, FencedError> {
        let mut tx = self.begin(by).await?;
        fence::check(tx.db(), fence).await?;
        let row = Entity::find_by_id(unseat.workload.uuid())
            .one(tx.db())
            .await;
        let Some(row) = row.during("reading a workload")? else {
            return Ok(ChangeOutcome::Stale);
        };
        // Takes the node's row for this transaction, which makes the look at
        // it the last word.
        reserve::give_back(tx.db(), unseat.node, (row.cpu, row.memory)).await?;
        if !provided.is_so(tx.db(), unseat.node).await? {
            return Ok(ChangeOutcome::Stale);
        }
        let change = Entity::update_many()
            .col_expr(Column::Seat, Expr::value(None::<uuid::Uuid>))
            .col_expr(Column::Generation, Expr::col(Column::Generation).add(1))
            .filter(Column::Id.eq(row.id))
            .filter(Column::Seat.eq(unseat.node.uuid()))
            .filter(Column::Generation.eq(signed(unseat.expected.number())));
        let changed = change.exec(tx.db()).await.during("unseating")?;
        if changed.rows_affected == 0 {
            // Dropped, and with it what was given back.
            return Ok(ChangeOutcome::Stale);
        }
        let text = format!("{} lost its seat: {}", row.name, unseat.why);
        let mut told = event("workload.unseated", &row.id, text);
        told.project = Some(row.project);
        told.data = serde_json::json!({"node": unseat.node, "why": unseat.why});
        tx.note(told);
        tx.commit().await?;
        Ok(ChangeOutcome::Changed)
    }
}

/// What must still be so of the node in the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnseatIf {
    /// Nothing: the node itself gave the seat up.
    Anyhow,
    /// Its lease has ended at this moment, or it is not there.
    LeaseOver(Timestamp),
    /// It is not there.
    Unregistered,
}

impl UnseatIf {
    pub(crate) async fn is_so(
        self,
        tx: &DatabaseTransaction,
        id: NodeId,
    ) -> Result<bool, StoreError> {
        if matches!(self, Self::Anyhow) {
            return Ok(true);
        }
        let row = node::Entity::find_by_id(id.uuid()).one(tx).await;
        let row = row.during("looking at a node that was lost")?;
        Ok(row.is_none_or(|row| match self {
            Self::Anyhow => true,
            Self::LeaseOver(now) => row.lease_until.is_some_and(|until| until <= moment(now)),
            Self::Unregistered => false,
        }))
    }
}
