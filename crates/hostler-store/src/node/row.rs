//! The table of nodes.

use hostler_core::id::{BootId, NodeId};
use hostler_core::node::{Beat, NodeFacts, Scheduling};
use hostler_core::vm::VmRoom;
use hostler_core::{Bytes, Cpu, Labels, Resources, Timestamp};
use sea_orm::entity::prelude::{
    ActiveModelBehavior, DateTimeUtc, DeriveEntityModel, DerivePrimaryKey, DeriveRelation,
    EntityTrait, EnumIter, Json, PrimaryKeyTrait, Uuid,
};

use super::NodeRow;
use crate::StoreError;
use crate::column::{from_json, name, small, timestamp, unsigned};
use crate::word::Word;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "node")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    pub runner: Option<String>,
    pub hostname: String,
    pub port: i64,
    pub key_digest: String,
    pub key_sealed: Vec<u8>,
    pub labels: Json,
    pub tags: Json,
    pub version: String,
    pub boot: Option<Uuid>,
    pub sequence: i64,
    pub cpu: i64,
    pub memory: i64,
    pub slots: i64,
    pub reserved_cpu: i64,
    pub reserved_memory: i64,
    pub seated: i64,
    pub unclaimed: Json,
    pub unclaimed_cpu: i64,
    pub unclaimed_memory: i64,
    pub unclaimed_slots: i64,
    pub scheduling: String,
    pub noted: String,
    pub last_heard: Option<DateTimeUtc>,
    pub lease_until: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub nats_key: Option<String>,
    pub vm_disk: i64,
    pub vms_cpu: i64,
    pub vms_memory: i64,
    pub vms_disk: i64,
    pub unclaimed_vms: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

fn resources(cpu: i64, memory: i64) -> Resources {
    Resources {
        cpu: Cpu::millis(unsigned(cpu)),
        memory: Bytes::new(unsigned(memory)),
    }
}

impl Model {
    /// What its operator says outranks what it says of itself.
    fn facts(&self, tags: &Labels, labels: &Labels) -> Result<NodeFacts, StoreError> {
        let seats = resources(self.reserved_cpu, self.reserved_memory);
        let seats = seats.plus(resources(self.vms_cpu, self.vms_memory));
        let mut merged = tags.clone();
        merged.extend(labels.clone());
        Ok(NodeFacts {
            id: NodeId::from_uuid(self.id),
            capacity: resources(self.cpu, self.memory),
            reserved: seats.plus(resources(self.unclaimed_cpu, self.unclaimed_memory)),
            slots: small(self.slots),
            seated: small(self.seated.saturating_add(self.unclaimed_slots)),
            labels: merged,
            scheduling: Scheduling::read(&self.scheduling)?,
            last_heard: self.last_heard.map(timestamp),
            lease_until: self.lease_until.map_or(Timestamp::NEVER, timestamp),
        })
    }
}

impl TryFrom<Model> for NodeRow {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        let tags = from_json("map of tags", row.tags.clone())?;
        let labels = from_json("map of labels", row.labels.clone())?;
        Ok(Self {
            facts: row.facts(&tags, &labels)?,
            name: name(row.name)?,
            runner: row.runner.and_then(|id| id.parse().ok()),
            hostname: row.hostname,
            port: u16::try_from(row.port).unwrap_or_default(),
            version: row.version,
            tags,
            labels,
            unclaimed: row.unclaimed,
            vm_disk: Bytes::new(unsigned(row.vm_disk)),
            vms: VmRoom {
                resources: resources(row.vms_cpu, row.vms_memory),
                disk: Bytes::new(unsigned(row.vms_disk)),
            },
            unclaimed_vms: serde_json::from_str(&row.unclaimed_vms).unwrap_or_default(),
            unclaimed_room: resources(row.unclaimed_cpu, row.unclaimed_memory),
            unclaimed_slots: small(row.unclaimed_slots),
            boot: row.boot.map(BootId::from_uuid),
            beat: row.boot.map(|boot| Beat {
                boot: BootId::from_uuid(boot),
                sequence: unsigned(row.sequence),
            }),
            created_at: timestamp(row.created_at),
        })
    }
}
