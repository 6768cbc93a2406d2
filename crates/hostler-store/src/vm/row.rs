//! The tables of VMs and of their snapshots.

use hostler_core::id::{ImageId, NodeId, SnapshotId, VmId};
use hostler_core::vm::{DiskOnLoss, VmFacts, VmGoal, VmSeen, VmSeenState, VmSize};
use hostler_core::workload::OnNodeLoss;
use hostler_core::{Bytes, Generation};
use sea_orm::entity::prelude::{
    ActiveModelBehavior, DateTimeUtc, DeriveEntityModel, DerivePrimaryKey, DeriveRelation,
    EntityTrait, EnumIter, Json, PrimaryKeyTrait, Uuid,
};

use super::{VmRow, VmSeenReport, VmSpec};
use crate::StoreError;
use crate::column::{from_json, name, small, timestamp, unsigned};
use crate::word::Word;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "vm")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub project: String,
    pub name: String,
    pub labels: Json,
    pub rules: Json,
    pub pinned: Option<Uuid>,
    pub cpus: i64,
    pub memory: i64,
    pub disk: i64,
    pub extra_disk: i64,
    pub image: Option<Uuid>,
    pub shape: Json,
    pub seed: Vec<u8>,
    pub on_node_loss: String,
    pub disk_on_loss: String,
    pub description: String,
    pub protected: bool,
    pub goal: String,
    pub generation: i64,
    pub reboots: i64,
    pub rollback_number: i64,
    pub rollback_to: Option<Uuid>,
    pub trashed_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub seat: Option<Uuid>,
    pub disk_lost: bool,
    pub reason: Option<String>,
    pub seen_generation: Option<i64>,
    pub seen_state: Option<String>,
    pub seen: Option<Json>,
    pub seen_at: Option<DateTimeUtc>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    fn facts(&self) -> Result<VmFacts, StoreError> {
        let state = self.seen_state.as_deref().map(VmSeenState::read);
        let seen = self.seen_generation.zip(state.transpose()?);
        Ok(VmFacts {
            id: VmId::from_uuid(self.id),
            goal: VmGoal::read(&self.goal)?,
            generation: Generation::new(unsigned(self.generation)),
            seat: self.seat.map(NodeId::from_uuid),
            seen: seen.map(|(number, state)| VmSeen {
                generation: Generation::new(unsigned(number)),
                state,
            }),
            on_node_loss: OnNodeLoss::read(&self.on_node_loss)?,
            disk_on_loss: DiskOnLoss::read(&self.disk_on_loss)?,
            is_disk_lost: self.disk_lost,
            trashed_at: self.trashed_at.map(timestamp),
        })
    }

    fn seen(&self, facts: &VmFacts) -> Option<VmSeenReport> {
        let (seen, at) = facts.seen.zip(self.seen_at)?;
        Some(VmSeenReport {
            generation: seen.generation,
            state: seen.state,
            details: self.seen.clone().unwrap_or_default(),
            at: timestamp(at),
        })
    }
}

impl TryFrom<Model> for VmRow {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        let facts = row.facts()?;
        let seen = row.seen(&facts);
        let rollback = row.rollback_to.map(SnapshotId::from_uuid);
        Ok(Self {
            facts,
            seen,
            reboots: unsigned(row.reboots),
            rollback: rollback.map(|to| (unsigned(row.rollback_number), to)),
            reason: row.reason,
            created_at: timestamp(row.created_at),
            spec: VmSpec {
                project: name(row.project)?,
                name: name(row.name)?,
                labels: from_json("map of labels", row.labels)?,
                rules: row.rules,
                pinned: row.pinned.map(NodeId::from_uuid),
                size: VmSize {
                    cpus: small(row.cpus),
                    memory: Bytes::new(unsigned(row.memory)),
                    disk: Bytes::new(unsigned(row.disk)),
                },
                extra_disk: Bytes::new(unsigned(row.extra_disk)),
                image: row.image.map(ImageId::from_uuid),
                shape: row.shape,
                on_node_loss: facts.on_node_loss,
                disk_on_loss: facts.disk_on_loss,
                description: row.description,
                is_protected: row.protected,
            },
        })
    }
}

/// Snapshots.
pub(crate) mod snapshot {
    use hostler_core::id::{SnapshotId, VmId};
    use hostler_core::vm::SnapshotState;
    use sea_orm::entity::prelude::{
        ActiveModelBehavior, DateTimeUtc, DeriveEntityModel, DerivePrimaryKey, DeriveRelation,
        EntityTrait, EnumIter, PrimaryKeyTrait, Uuid,
    };

    use crate::column::{name, timestamp};
    use crate::word::Word;
    use crate::{SnapshotRow, StoreError};

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "vm_snapshot")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub vm: Uuid,
        pub name: String,
        pub memory: bool,
        pub wanted: bool,
        pub state: String,
        pub problem: Option<String>,
        pub taken_at: Option<DateTimeUtc>,
        pub created_at: DateTimeUtc,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}

    impl TryFrom<Model> for SnapshotRow {
        type Error = StoreError;

        fn try_from(row: Model) -> Result<Self, StoreError> {
            Ok(Self {
                id: SnapshotId::from_uuid(row.id),
                vm: VmId::from_uuid(row.vm),
                name: name(row.name)?,
                memory: row.memory,
                is_wanted: row.wanted,
                state: SnapshotState::read(&row.state)?,
                problem: row.problem,
                taken_at: row.taken_at.map(timestamp),
                created_at: timestamp(row.created_at),
            })
        }
    }
}
