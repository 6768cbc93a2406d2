//! The tables of workloads, tombstones and idempotency keys.

use hostler_core::id::{NodeId, WorkloadId};
use hostler_core::workload::{Goal, Kind, OnNodeLoss, Seen, SeenState, WorkloadFacts};
use hostler_core::{Bytes, Cpu, Generation, Resources};
use sea_orm::entity::prelude::{
    ActiveModelBehavior, DateTimeUtc, DeriveEntityModel, DerivePrimaryKey, DeriveRelation,
    EntityTrait, EnumIter, Json, PrimaryKeyTrait, Uuid,
};

use super::{SeenReport, WorkloadRow, WorkloadSpec};
use crate::StoreError;
use crate::column::{from_json, name, small, timestamp, unsigned};
use crate::word::Word;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "workload")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub project: String,
    pub name: String,
    pub kind: String,
    pub artifact: String,
    pub argv: Json,
    pub triggers: Json,
    pub essential: bool,
    pub cpu: i64,
    pub memory: i64,
    pub pids: i64,
    pub labels: Json,
    pub rules: Json,
    pub on_node_loss: String,
    pub description: String,
    pub environment: Option<Vec<u8>>,
    pub environment_names: Json,
    pub goal: String,
    pub generation: i64,
    pub seat: Option<Uuid>,
    pub seen_generation: Option<i64>,
    pub seen_state: Option<String>,
    pub seen_slot: Option<String>,
    pub seen_restarts: i64,
    pub seen_problem: Option<String>,
    pub seen_at: Option<DateTimeUtc>,
    pub reason: Option<String>,
    pub created_at: DateTimeUtc,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// What it needs, which is what its seat takes.
    pub(crate) fn needs(&self) -> Resources {
        Resources {
            cpu: Cpu::millis(unsigned(self.cpu)),
            memory: Bytes::new(unsigned(self.memory)),
        }
    }

    fn facts(&self) -> Result<WorkloadFacts, StoreError> {
        let state = self
            .seen_state
            .as_deref()
            .map(SeenState::read)
            .transpose()?;
        let seen = self.seen_generation.zip(state).map(|(number, state)| Seen {
            generation: Generation::new(unsigned(number)),
            state,
        });
        Ok(WorkloadFacts {
            id: WorkloadId::from_uuid(self.id),
            goal: Goal::read(&self.goal)?,
            generation: Generation::new(unsigned(self.generation)),
            seat: self.seat.map(NodeId::from_uuid),
            seen,
            on_node_loss: OnNodeLoss::read(&self.on_node_loss)?,
        })
    }
}

impl TryFrom<Model> for WorkloadRow {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        let facts = row.facts()?;
        let seen = facts.seen.zip(row.seen_at).map(|(seen, at)| SeenReport {
            generation: seen.generation,
            state: seen.state,
            slot: row.seen_slot.clone(),
            restarts: small(row.seen_restarts),
            problem: row.seen_problem.clone(),
            at: timestamp(at),
        });
        let resources = row.needs();
        let spec = WorkloadSpec {
            project: name(row.project)?,
            name: name(row.name)?,
            kind: Kind::read(&row.kind)?,
            artifact: row.artifact,
            argv: from_json("list of arguments", row.argv)?,
            triggers: from_json("list of triggers", row.triggers)?,
            essential: row.essential,
            resources,
            pids: small(row.pids),
            labels: from_json("map of labels", row.labels)?,
            rules: row.rules,
            on_node_loss: facts.on_node_loss,
            description: row.description,
        };
        Ok(Self {
            facts,
            spec,
            environment_names: from_json("list of names", row.environment_names)?,
            seen,
            reason: row.reason,
            created_at: timestamp(row.created_at),
        })
    }
}

/// What a deleted workload leaves.
pub(crate) mod tombstone {
    use sea_orm::entity::prelude::{
        ActiveModelBehavior, DateTimeUtc, DeriveEntityModel, DerivePrimaryKey, DeriveRelation,
        EntityTrait, EnumIter, PrimaryKeyTrait, Uuid,
    };

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "tombstone")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub generation: i64,
        pub at: DateTimeUtc,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Which request made which workload.
pub(crate) mod key {
    use sea_orm::entity::prelude::{
        ActiveModelBehavior, DateTimeUtc, DeriveEntityModel, DerivePrimaryKey, DeriveRelation,
        EntityTrait, EnumIter, PrimaryKeyTrait, Uuid,
    };

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "idempotency_key")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub actor: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub key: String,
        pub request_hash: Vec<u8>,
        pub workload: Uuid,
        pub created_at: DateTimeUtc,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
