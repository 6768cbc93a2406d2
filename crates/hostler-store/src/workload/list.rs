//! Reading workloads, and opening and sealing their environments.

use std::collections::BTreeMap;

use hostler_core::Name;
use hostler_core::id::{NodeId, WorkloadId};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};

use super::row::{Column, Entity, Model};
use super::{WorkloadFilter, WorkloadRow};
use crate::column::json;
use crate::error::{During, corrupt};
use crate::migration::UNSETTLED;
use crate::rows::filled;
use crate::word::Word;
use crate::{Store, StoreError};

impl Store {
    /// The workload with this id.
    pub async fn workload_get(&self, id: WorkloadId) -> Result<Option<WorkloadRow>, StoreError> {
        let row = Entity::find_by_id(id.uuid()).one(self.db()).await;
        row.during("reading a workload")?
            .map(WorkloadRow::try_from)
            .transpose()
    }

    /// The workload of this name in a project.
    pub async fn workload_by_name(
        &self,
        project: &Name,
        name: &Name,
    ) -> Result<Option<WorkloadRow>, StoreError> {
        let chosen = Entity::find()
            .filter(Column::Project.eq(project.as_str()))
            .filter(Column::Name.eq(name.as_str()));
        let row = chosen.one(self.db()).await.during("reading a workload")?;
        row.map(WorkloadRow::try_from).transpose()
    }

    /// At most `limit` workloads in the order of their ids, which is that of
    /// their making, from the one after `after`.
    pub async fn workload_list(
        &self,
        filter: &WorkloadFilter,
        after: Option<WorkloadId>,
        limit: u64,
    ) -> Result<Vec<WorkloadRow>, StoreError> {
        self.workloads(paged(filtered(filter), after, limit)).await
    }

    /// The workloads with these ids that are known, in no order.
    pub async fn workload_many(&self, ids: &[WorkloadId]) -> Result<Vec<WorkloadRow>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        for ids in ids.chunks(1_000) {
            let ids = ids.iter().map(|id| id.uuid());
            found.extend(
                self.workloads(Entity::find().filter(Column::Id.is_in(filled(ids))))
                    .await?,
            );
        }
        Ok(found)
    }

    /// At most `limit` workloads that are not as wanted by their own facts,
    /// in the order of their ids, from the one after `after`. Those on nodes
    /// that are lost or draining are not among them: [`Self::workload_on_node`].
    pub async fn workload_unsettled(
        &self,
        after: Option<WorkloadId>,
        limit: u64,
    ) -> Result<Vec<WorkloadRow>, StoreError> {
        let chosen = Entity::find().filter(Expr::cust(UNSETTLED));
        self.workloads(paged(chosen, after, limit)).await
    }

    /// All workloads that sit on these nodes.
    pub async fn workload_on_node(&self, nodes: &[NodeId]) -> Result<Vec<WorkloadRow>, StoreError> {
        let nodes = nodes.iter().map(|id| id.uuid());
        self.workloads(Entity::find().filter(Column::Seat.is_in(filled(nodes))))
            .await
    }

    /// A workload's environment, in clear: for its node, and for nobody else.
    pub async fn workload_environment(
        &self,
        id: WorkloadId,
    ) -> Result<Option<BTreeMap<String, String>>, StoreError> {
        let row = Entity::find_by_id(id.uuid()).one(self.db()).await;
        let Some(row) = row.during("reading an environment")? else {
            return Ok(None);
        };
        let Some(sealed) = row.environment else {
            return Ok(Some(BTreeMap::new()));
        };
        let plain = self.inner.key.open(&environment_place(id), &sealed)?;
        let environment = serde_json::from_slice(&plain);
        environment
            .map(Some)
            .map_err(|_| corrupt("environment of", &id))
    }

    /// Seals an environment for its row; nothing is kept of an empty one.
    pub(super) fn seal_environment(
        &self,
        id: WorkloadId,
        environment: &BTreeMap<String, String>,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        if environment.is_empty() {
            return Ok(None);
        }
        let plain = json(environment).to_string();
        Ok(Some(
            self.inner
                .key
                .seal(&environment_place(id), plain.as_bytes())?,
        ))
    }

    async fn workloads(&self, chosen: Select<Entity>) -> Result<Vec<WorkloadRow>, StoreError> {
        let rows = chosen.all(self.db()).await.during("listing workloads")?;
        rows.into_iter().map(WorkloadRow::try_from).collect()
    }
}

fn environment_place(id: WorkloadId) -> String {
    format!("workload/{id}/environment")
}

fn paged(chosen: Select<Entity>, after: Option<WorkloadId>, limit: u64) -> Select<Entity> {
    let chosen = chosen.order_by_asc(Column::Id).limit(limit);
    match after {
        Some(id) => chosen.filter(Column::Id.gt(id.uuid())),
        None => chosen,
    }
}

fn filtered(filter: &WorkloadFilter) -> Select<Entity> {
    let conditions = [
        filter
            .project
            .as_ref()
            .map(|project| Column::Project.eq(project.as_str())),
        filter
            .projects
            .as_ref()
            .map(|projects| Column::Project.is_in(projects.iter().map(Name::as_str))),
        filter
            .name
            .as_ref()
            .map(|name| Column::Name.eq(name.as_str())),
        filter.node.map(|node| Column::Seat.eq(node.uuid())),
        filter.goal.map(|goal| Column::Goal.eq(goal.word())),
    ];
    let narrow = |chosen: Select<Entity>, condition| chosen.filter(condition);
    conditions
        .into_iter()
        .flatten()
        .fold(Entity::find(), narrow)
}

/// The row, held against change until the transaction ends.
pub(super) async fn held(
    tx: &sea_orm::DatabaseTransaction,
    id: WorkloadId,
) -> Result<Option<Model>, StoreError> {
    let row = Entity::find_by_id(id.uuid()).lock_exclusive().one(tx).await;
    row.during("reading a workload")
}
