//! The table of operations.

use hostler_core::id::OperationId;
use sea_orm::entity::prelude::{
    ActiveModelBehavior, DateTimeUtc, DeriveEntityModel, DerivePrimaryKey, DeriveRelation,
    EntityTrait, EnumIter, Json, PrimaryKeyTrait, Uuid,
};

use super::{OperationOutcome, OperationRow};
use crate::StoreError;
use crate::column::{from_json, timestamp};
use crate::word::Word;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "operation")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kind: String,
    pub subject: String,
    pub project: Option<String>,
    pub arguments: Json,
    pub steps_done: Json,
    pub progress: String,
    pub outcome: Option<String>,
    pub problem: Option<String>,
    pub cancel_asked: bool,
    pub holder: Option<String>,
    pub number: i64,
    pub due_at: DateTimeUtc,
    pub created_at: DateTimeUtc,
    pub ended_at: Option<DateTimeUtc>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for OperationRow {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: OperationId::from_uuid(row.id),
            kind: row.kind,
            subject: row.subject,
            project: row.project,
            arguments: row.arguments,
            steps_done: from_json("list of steps", row.steps_done)?,
            progress: row.progress,
            outcome: row
                .outcome
                .as_deref()
                .map(OperationOutcome::read)
                .transpose()?,
            problem: row.problem,
            cancel_asked: row.cancel_asked,
            holder: row.holder,
            due_at: timestamp(row.due_at),
            created_at: timestamp(row.created_at),
            ended_at: row.ended_at.map(timestamp),
        })
    }
}
