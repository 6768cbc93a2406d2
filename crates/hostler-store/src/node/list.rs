//! Reading nodes and their keys.

use hostler_core::Name;
use hostler_core::id::NodeId;
use hostler_core::runner::RunnerId;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::NodeRow;
use super::register::key_place;
use super::row::{Column, Entity, Model};
use crate::error::{During, corrupt};
use crate::secret::digest;
use crate::{Secret, Store, StoreError};

impl Store {
    /// All nodes, by name.
    pub async fn node_list(&self) -> Result<Vec<NodeRow>, StoreError> {
        let rows = Entity::find()
            .order_by_asc(Column::Name)
            .all(self.db())
            .await;
        rows.during("listing nodes")?
            .into_iter()
            .map(NodeRow::try_from)
            .collect()
    }

    /// The node with this id.
    pub async fn node_get(&self, id: NodeId) -> Result<Option<NodeRow>, StoreError> {
        self.node_row(id).await?.map(NodeRow::try_from).transpose()
    }

    /// The node of this name.
    pub async fn node_by_name(&self, name: &Name) -> Result<Option<NodeRow>, StoreError> {
        let row = Entity::find()
            .filter(Column::Name.eq(name.as_str()))
            .one(self.db())
            .await;
        row.during("reading a node")?
            .map(NodeRow::try_from)
            .transpose()
    }

    /// The node of this runner.
    pub async fn node_by_runner(&self, id: &RunnerId) -> Result<Option<NodeRow>, StoreError> {
        let row = Entity::find()
            .filter(Column::Runner.eq(id.as_str()))
            .one(self.db())
            .await;
        row.during("reading a node")?
            .map(NodeRow::try_from)
            .transpose()
    }

    /// The node whose key was presented.
    pub async fn node_by_key(&self, secret: &str) -> Result<Option<NodeRow>, StoreError> {
        let row = Entity::find()
            .filter(Column::KeyDigest.eq(digest(secret)))
            .one(self.db())
            .await;
        row.during("finding a node by its key")?
            .map(NodeRow::try_from)
            .transpose()
    }

    /// The key to present to a node.
    pub async fn node_key(&self, id: NodeId) -> Result<Option<Secret>, StoreError> {
        let Some(row) = self.node_row(id).await? else {
            return Ok(None);
        };
        let plain = self.inner.key.open(&key_place(id), &row.key_sealed)?;
        let text = String::from_utf8(plain).map_err(|_| corrupt("key of node", &id))?;
        Ok(Some(Secret::new(text)))
    }

    async fn node_row(&self, id: NodeId) -> Result<Option<Model>, StoreError> {
        Entity::find_by_id(id.uuid())
            .one(self.db())
            .await
            .during("reading a node")
    }
}
