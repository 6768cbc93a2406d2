//! Registering a node, by hand or with a join token.
//!
//! A machine whose answer was lost asks again, with the key that it has made:
//! it is the same node then, and no further use of its token is spent. Without
//! that its own name would be taken for good.

use hostler_core::id::NodeId;
use hostler_core::node::{Availability, Scheduling};
use hostler_core::runner::RunnerId;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, TryInsertResult};

use super::row::{Column, Entity, Model};
use super::{NewNode, NodeRegisterError, NodeRegistration, NodeRow};
use crate::column::{json, moment};
use crate::error::During;
use crate::join_token::spend;
use crate::runner::Book;
use crate::secret::digest;
use crate::tx::{Tx, event};
use crate::word::Word;
use crate::{By, Secret, Store, StoreError};

impl Store {
    /// Registers a node. With `join`, one use of that join token is spent in
    /// the same transaction: a refused registration costs none.
    pub async fn node_register(
        &self,
        by: &By<'_>,
        new: NewNode,
        join: Option<&Secret>,
    ) -> Result<NodeRegistration, NodeRegisterError> {
        let row = self.node_draft(by, &new)?;
        let mut tx = self.begin(by).await?;
        if let Some(runner) = &new.runner {
            welcome(&tx, runner).await?;
        }
        if let Some(node) = again(&tx, &row).await? {
            tx.commit().await?;
            let is_new = false;
            return Ok(NodeRegistration { node, is_new });
        }
        if let Some(secret) = join {
            let spent = spend::one_use(&mut tx, secret.expose(), by.now).await?;
            spent.ok_or(NodeRegisterError::JoinRefused)?;
        }
        let insert = Entity::insert(row.clone().into_active_model())
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .try_insert();
        let written = insert.exec_without_returning(tx.db()).await;
        if !matches!(
            written.during("registering a node")?,
            TryInsertResult::Inserted(1)
        ) {
            return Err(NodeRegisterError::NameTaken(new.name));
        }
        let text = format!("node {} registered", new.name);
        let mut told = event("node.registered", &row.id, text);
        told.data = serde_json::json!({"hostname": new.hostname, "port": new.port});
        tx.note(told);
        tx.commit().await?;
        let node = NodeRow::try_from(row)?;
        let is_new = true;
        Ok(NodeRegistration { node, is_new })
    }

    /// A node that was never heard: nothing in it, and its lease over.
    fn node_draft(&self, by: &By<'_>, new: &NewNode) -> Result<Model, StoreError> {
        let unix_ms = by.now.ms().max(0).unsigned_abs();
        let id = NodeId::from_parts(unix_ms, rand::random());
        let key = new.key.expose();
        Ok(Model {
            id: id.uuid(),
            name: new.name.to_string(),
            runner: new.runner.as_ref().map(ToString::to_string),
            hostname: new.hostname.clone(),
            port: new.port.into(),
            key_digest: digest(key),
            key_sealed: self.inner.key.seal(&key_place(id), key.as_bytes())?,
            labels: json(&new.labels),
            tags: serde_json::json!({}),
            version: String::new(),
            boot: None,
            sequence: 0,
            cpu: 0,
            memory: 0,
            slots: 0,
            reserved_cpu: 0,
            reserved_memory: 0,
            seated: 0,
            unclaimed: serde_json::json!([]),
            unclaimed_cpu: 0,
            unclaimed_memory: 0,
            unclaimed_slots: 0,
            scheduling: Scheduling::Open.word().to_owned(),
            noted: Availability::Pending.word().to_owned(),
            last_heard: None,
            lease_until: Some(moment(by.now)),
            created_at: moment(by.now),
            nats_key: None,
            vm_disk: 0,
            vms_cpu: 0,
            vms_memory: 0,
            vms_disk: 0,
            unclaimed_vms: "[]".to_owned(),
        })
    }
}

/// The node that has this name and key already, now at the address it says.
async fn again(tx: &Tx<'_>, row: &Model) -> Result<Option<NodeRow>, StoreError> {
    let known = Entity::find()
        .filter(Column::KeyDigest.eq(row.key_digest.clone()))
        .filter(Column::Name.eq(row.name.as_str()))
        .one(tx.db())
        .await;
    let Some(known) = known.during("looking for a node that registers again")? else {
        return Ok(None);
    };
    let change = Entity::update_many()
        .col_expr(Column::Hostname, Expr::value(row.hostname.clone()))
        .col_expr(Column::Port, Expr::value(row.port))
        .filter(Column::Id.eq(known.id));
    change.exec(tx.db()).await.during("moving a node")?;
    let moved = Model {
        hostname: row.hostname.clone(),
        port: row.port,
        ..known
    };
    NodeRow::try_from(moved).map(Some)
}

/// A machine that nobody answers for would be swept with work on it, and one
/// that is being given back would take work to its end.
async fn welcome(tx: &Tx<'_>, runner: &RunnerId) -> Result<(), NodeRegisterError> {
    let book = Book::hold(tx).await?;
    if book.is_wanted(runner) && !book.is_final(runner) {
        return Ok(());
    }
    Err(NodeRegisterError::Unwanted(runner.clone()))
}

/// What a node's key is sealed for.
pub(super) fn key_place(id: NodeId) -> String {
    format!("node/{id}/key")
}
