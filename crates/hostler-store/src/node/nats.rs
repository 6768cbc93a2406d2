//! The public keys with which nodes prove themselves to the control NATS. A key
//! goes with its node.

use hostler_core::id::NodeId;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::row::{Column, Entity};
use super::update::held;
use crate::error::During;
use crate::tx::event;
use crate::{By, Store, StoreError};

impl Store {
    /// Keeps a node's public key, in place of an earlier one; whether there is
    /// such a node.
    pub async fn node_nats_key_set(
        &self,
        by: &By<'_>,
        id: NodeId,
        key: &str,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin(by).await?;
        let Some(row) = held(&tx, id).await? else {
            return Ok(false);
        };
        if row.nats_key.as_deref() == Some(key) {
            return Ok(true);
        }
        let update = Entity::update_many()
            .col_expr(Column::NatsKey, Expr::value(key))
            .filter(Column::Id.eq(row.id));
        let updated = update.exec(tx.db()).await;
        updated.during("keeping a node's key for NATS")?;
        let text = format!("node {} has a new key for NATS", row.name);
        let mut told = event("node.nats-key", &id, text);
        told.data = serde_json::json!({"public_key": key});
        tx.note(told);
        tx.commit().await?;
        Ok(true)
    }

    /// The keys of all nodes that have one, in order.
    pub async fn node_nats_keys(&self) -> Result<Vec<String>, StoreError> {
        let keys: Vec<Option<String>> = Entity::find()
            .select_only()
            .column(Column::NatsKey)
            .filter(Column::NatsKey.is_not_null())
            .order_by_asc(Column::NatsKey)
            .into_tuple()
            .all(self.db())
            .await
            .during("reading the nodes' keys for NATS")?;
        Ok(keys.into_iter().flatten().collect())
    }
}
