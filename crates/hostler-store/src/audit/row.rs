//! The table of audit entries.

use hostler_core::audit::AuditEntry;
use sea_orm::entity::prelude::{
    ActiveModelBehavior, DateTimeUtc, DeriveEntityModel, DerivePrimaryKey, DeriveRelation,
    EntityTrait, EnumIter, PrimaryKeyTrait,
};

use super::AuditRow;
use crate::StoreError;
use crate::column::{moment, signed, timestamp, unsigned};
use crate::error::corrupt;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "audit")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i64,
    pub at: DateTimeUtc,
    pub actor: String,
    pub origin: String,
    pub action: String,
    pub subject: Option<String>,
    pub project: Option<String>,
    pub outcome: String,
    pub detail: String,
    pub hash: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<AuditRow> for Model {
    fn from(row: AuditRow) -> Self {
        let AuditRow { entry, hash } = row;
        Self {
            number: signed(entry.number),
            at: moment(entry.at),
            actor: entry.actor,
            origin: entry.origin,
            action: entry.action,
            subject: entry.subject,
            project: entry.project,
            outcome: entry.outcome,
            detail: entry.detail,
            hash: hash.to_string(),
        }
    }
}

impl TryFrom<Model> for AuditRow {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        let hash = row.hash.parse();
        Ok(Self {
            hash: hash.map_err(|_| corrupt("hash", &row.hash))?,
            entry: AuditEntry {
                number: unsigned(row.number),
                at: timestamp(row.at),
                actor: row.actor,
                origin: row.origin,
                action: row.action,
                subject: row.subject,
                project: row.project,
                outcome: row.outcome,
                detail: row.detail,
            },
        })
    }
}
