//! The tables of events and of their head.

use sea_orm::entity::prelude::{
    ActiveModelBehavior, DateTimeUtc, DeriveEntityModel, DerivePrimaryKey, DeriveRelation,
    EntityTrait, EnumIter, Json, PrimaryKeyTrait, Uuid,
};

use super::Event;
use crate::column::timestamp;
use hostler_core::id::EventId;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub at: DateTimeUtc,
    pub kind: String,
    pub actor: String,
    pub project: Option<String>,
    pub subject: Option<String>,
    pub text: String,
    pub data: Json,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<Model> for Event {
    fn from(row: Model) -> Self {
        Self {
            id: EventId::from_uuid(row.id),
            at: timestamp(row.at),
            kind: row.kind,
            actor: row.actor,
            project: row.project,
            subject: row.subject,
            text: row.text,
            data: row.data,
        }
    }
}
