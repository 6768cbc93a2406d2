//! Reading VMs, and opening their seeds.

use hostler_core::id::{NodeId, VmId};
use hostler_core::{Name, Timestamp};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use serde_json::Value;

use super::insert::seed_place;
use super::row::{Column, Entity, Model};
use super::{VmFilter, VmRow};
use crate::column::moment;
use crate::error::{During, corrupt};
use crate::migration::VM_UNSETTLED;
use crate::rows::filled;
use crate::{Store, StoreError};

impl Store {
    /// The VM with this id.
    pub async fn vm_get(&self, id: VmId) -> Result<Option<VmRow>, StoreError> {
        let row = Entity::find_by_id(id.uuid()).one(self.db()).await;
        let row = row.during("reading a VM")?;
        row.map(VmRow::try_from).transpose()
    }

    /// At most `limit` VMs in the order of their ids, which is that of their
    /// making, from the one after `after`.
    pub async fn vm_list(
        &self,
        filter: &VmFilter,
        after: Option<VmId>,
        limit: u64,
    ) -> Result<Vec<VmRow>, StoreError> {
        self.vms(paged(filtered(filter), after, limit)).await
    }

    /// The VMs with these ids that are known, in no order.
    pub async fn vm_many(&self, ids: &[VmId]) -> Result<Vec<VmRow>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        for ids in ids.chunks(1_000) {
            let ids = filled(ids.iter().map(|id| id.uuid()));
            let chosen = Entity::find().filter(Column::Id.is_in(ids));
            found.extend(self.vms(chosen).await?);
        }
        Ok(found)
    }

    /// At most `limit` VMs that are not as wanted by their own facts, in the
    /// order of their ids, from the one after `after`. Those on nodes that are
    /// lost are not among them: [`Self::vm_on_node`].
    pub async fn vm_unsettled(
        &self,
        after: Option<VmId>,
        limit: u64,
    ) -> Result<Vec<VmRow>, StoreError> {
        let chosen = Entity::find().filter(Expr::cust(VM_UNSETTLED));
        self.vms(paged(chosen, after, limit)).await
    }

    /// All VMs that sit on these nodes.
    pub async fn vm_on_node(&self, nodes: &[NodeId]) -> Result<Vec<VmRow>, StoreError> {
        let nodes = filled(nodes.iter().map(|id| id.uuid()));
        self.vms(Entity::find().filter(Column::Seat.is_in(nodes)))
            .await
    }

    /// VMs that were put into the trash at `before` or earlier, and are not
    /// being deleted yet.
    pub async fn vm_trashed(&self, before: Timestamp) -> Result<Vec<VmRow>, StoreError> {
        let chosen = Entity::find()
            .filter(Column::TrashedAt.lte(moment(before)))
            .filter(Column::Goal.ne("gone"));
        self.vms(chosen).await
    }

    /// What a VM's guest is told, in clear: for its node, and for nobody else.
    pub async fn vm_seed(&self, id: VmId) -> Result<Option<Value>, StoreError> {
        let row = Entity::find_by_id(id.uuid()).one(self.db()).await;
        let Some(row) = row.during("reading a seed")? else {
            return Ok(None);
        };
        let plain = self.inner.key.open(&seed_place(id), &row.seed)?;
        let seed = serde_json::from_slice(&plain);
        seed.map(Some).map_err(|_| corrupt("seed of", &id))
    }

    async fn vms(&self, chosen: Select<Entity>) -> Result<Vec<VmRow>, StoreError> {
        let rows = chosen.all(self.db()).await.during("listing VMs")?;
        rows.into_iter().map(VmRow::try_from).collect()
    }
}

fn paged(chosen: Select<Entity>, after: Option<VmId>, limit: u64) -> Select<Entity> {
    let chosen = chosen.order_by_asc(Column::Id).limit(limit);
    match after {
        Some(id) => chosen.filter(Column::Id.gt(id.uuid())),
        None => chosen,
    }
}

fn filtered(filter: &VmFilter) -> Select<Entity> {
    let is =
        |column: Column, name: &Option<Name>| name.as_ref().map(|name| column.eq(name.as_str()));
    let trashed = |trashed: bool| {
        if trashed {
            Column::TrashedAt.is_not_null()
        } else {
            Column::TrashedAt.is_null()
        }
    };
    let conditions = [
        is(Column::Project, &filter.project),
        is(Column::Name, &filter.name),
        filter.node.map(|node| Column::Seat.eq(node.uuid())),
        filter.trashed.map(trashed),
    ];
    let narrow = |chosen: Select<Entity>, condition| chosen.filter(condition);
    conditions
        .into_iter()
        .flatten()
        .fold(Entity::find(), narrow)
}

/// The row, as this transaction sees it.
pub(super) async fn seen_by(
    tx: &sea_orm::DatabaseTransaction,
    id: VmId,
) -> Result<Option<Model>, StoreError> {
    let row = Entity::find_by_id(id.uuid()).one(tx).await;
    row.during("reading a VM")
}
