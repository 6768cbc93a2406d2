//! Runners' nodes while their removal has a way back: closed, and opened again.

use hostler_core::id::NodeId;
use hostler_core::node::Scheduling;
use hostler_core::runner::RunnerId;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{Book, book, job};
use crate::error::During;
use crate::node::row::{Column, Entity, Model};
use crate::operation::{ask, call_off};
use crate::tx::{Tx, event};
use crate::word::Word;
use crate::{By, NewOperation, Store, StoreError};

impl Store {
    /// Asks for the operation on a runner's node, if the runner's removal is
    /// still under way; whether it is. `Ok(true)` for a runner that is no node.
    pub async fn runner_drain(
        &self,
        by: &By<'_>,
        id: &RunnerId,
        operation: impl FnOnce(NodeId) -> NewOperation + Send,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin(by).await?;
        if Book::hold(&tx).await?.removal(id).is_none() {
            return Ok(false);
        }
        if let Some(node) = node_of(&tx, id).await? {
            let new = operation(NodeId::from_uuid(node.id));
            ask(&mut tx, by, new).await?;
            tx.commit().await?;
        }
        Ok(true)
    }

    /// Calls the removal of a runner off: it is taken out of its job, and its
    /// node is open again. `false`: there is none, or no way back.
    pub async fn runner_keep(
        &self,
        by: &By<'_>,
        id: &RunnerId,
        why: &str,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin(by).await?;
        let book = Book::hold(&tx).await?;
        let removal = book.removal(id).filter(|_| !book.is_final(id));
        let Some((found, _)) = removal else {
            return Ok(false);
        };
        let mut kept = found.clone();
        kept.items.retain(|item| item.id != *id);
        kept.revision += 1;
        job::write(&tx, &kept).await?;
        open(&mut tx, id).await?;
        tx.note(event("runner.kept", id, format!("{id} stays: {why}")));
        tx.commit().await?;
        Ok(true)
    }

    /// Opens a runner's node again, whatever becomes of the runner.
    pub async fn runner_open(&self, by: &By<'_>, id: &RunnerId) -> Result<(), StoreError> {
        let mut tx = self.begin(by).await?;
        book::lock(&tx).await?;
        open(&mut tx, id).await?;
        tx.commit().await
    }
}

async fn open(tx: &mut Tx<'_>, id: &RunnerId) -> Result<(), StoreError> {
    let Some(node) = node_of(tx, id).await? else {
        return Ok(());
    };
    call_off(tx, "node.drain", &NodeId::from_uuid(node.id).to_string()).await?;
    let update = Entity::update_many()
        .col_expr(Column::Scheduling, Expr::value(Scheduling::Open.word()))
        .filter(Column::Id.eq(node.id));
    let opened = update.exec(tx.db()).await;
    opened.during("opening a node")?;
    let text = format!("node {} was changed; it is open", node.name);
    tx.note(event("node.updated", &node.id, text));
    Ok(())
}

pub(super) async fn node_of(tx: &Tx<'_>, id: &RunnerId) -> Result<Option<Model>, StoreError> {
    let found = Entity::find().filter(Column::Runner.eq(id.as_str()));
    found.one(tx.db()).await.during("finding a runner's node")
}
