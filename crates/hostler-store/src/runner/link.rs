//! A node that joined before its provider showed whose machine it is becomes
//! that runner's node.

use hostler_core::id::NodeId;
use hostler_core::runner::RunnerId;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::Book;
use super::drain::node_of;
use crate::error::During;
use crate::node::row::{Column, Entity};
use crate::tx::event;
use crate::{By, Store, StoreError};

impl Store {
    /// Makes a node that is nobody's machine this runner's; whether it is. A
    /// runner that is not wanted, or has a node, gets none.
    pub async fn runner_link(
        &self,
        by: &By<'_>,
        id: &RunnerId,
        node: NodeId,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin(by).await?;
        let book = Book::hold(&tx).await?;
        let is_free = node_of(&tx, id).await?.is_none();
        if !is_free || !book.is_wanted(id) || book.is_final(id) {
            return Ok(false);
        }
        let update = Entity::update_many()
            .col_expr(Column::Runner, Expr::value(id.as_str()))
            .filter(Column::Id.eq(node.uuid()))
            .filter(Column::Runner.is_null());
        let linked = update.exec(tx.db()).await;
        if linked.during("linking a node to its runner")?.rows_affected == 0 {
            return Ok(false);
        }
        tx.note(event(
            "node.linked",
            &node,
            format!("it is the machine of {id}"),
        ));
        tx.commit().await?;
        Ok(true)
    }
}
