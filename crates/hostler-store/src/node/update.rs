//! What an operator changes of a node, and what silence makes of it.

use hostler_core::id::NodeId;
use hostler_core::node::Availability;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use super::row::{Column, Entity, Model};
use super::{NodeChange, NodeRow};
use crate::column::json;
use crate::error::During;
use crate::tx::{Tx, event};
use crate::word::Word;
use crate::{By, Store, StoreError};

impl Store {
    /// Changes what an operator may change. Returns the node as it is then;
    /// `None` if there is none.
    pub async fn node_update(
        &self,
        by: &By<'_>,
        id: NodeId,
        change: NodeChange,
    ) -> Result<Option<NodeRow>, StoreError> {
        let mut tx = self.begin(by).await?;
        let changed = node_change(&mut tx, id, &change).await?;
        tx.commit().await?;
        Ok(changed)
    }

    /// Writes the event of a change of availability, once for each change,
    /// whoever notices it; whether it was one.
    pub async fn node_availability_note(
        &self,
        by: &By<'_>,
        id: NodeId,
        availability: Availability,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin(by).await?;
        let Some(row) = held(&tx, id).await? else {
            return Ok(false);
        };
        let word = availability.word();
        if row.noted == word {
            return Ok(false);
        }
        let update = Entity::update_many()
            .col_expr(Column::Noted, Expr::value(word))
            .filter(Column::Id.eq(row.id));
        update
            .exec(tx.db())
            .await
            .during("noting a node's availability")?;
        let text = format!("node {} is {word}", row.name);
        let mut told = event(&format!("node.{word}"), &id, text);
        told.data = serde_json::json!({"from": row.noted});
        tx.note(told);
        tx.commit().await?;
        Ok(true)
    }
}

/// The change, within a transaction.
pub(crate) async fn node_change(
    tx: &mut Tx<'_>,
    id: NodeId,
    change: &NodeChange,
) -> Result<Option<NodeRow>, StoreError> {
    let Some(before) = held(tx, id).await? else {
        return Ok(None);
    };
    let mut row = before.clone();
    if let Some(scheduling) = change.scheduling {
        scheduling.word().clone_into(&mut row.scheduling);
    }
    if let Some(labels) = &change.labels {
        row.labels = json(labels);
    }
    if row != before {
        let update = Entity::update_many()
            .col_expr(Column::Scheduling, Expr::value(row.scheduling.clone()))
            .col_expr(Column::Labels, Expr::value(row.labels.clone()))
            .filter(Column::Id.eq(row.id));
        update.exec(tx.db()).await.during("updating a node")?;
        tx.note(updated(&row));
    }
    NodeRow::try_from(row).map(Some)
}

fn updated(row: &Model) -> crate::NewEvent {
    let text = format!("node {} was changed; it is {}", row.name, row.scheduling);
    let mut updated = event("node.updated", &row.id, text);
    updated.data = serde_json::json!({"scheduling": row.scheduling, "labels": row.labels});
    updated
}

/// The row, held against change until the transaction ends.
pub(super) async fn held(tx: &Tx<'_>, id: NodeId) -> Result<Option<Model>, StoreError> {
    let row = Entity::find_by_id(id.uuid())
        .lock_exclusive()
        .one(tx.db())
        .await;
    row.during("reading a node")
}
