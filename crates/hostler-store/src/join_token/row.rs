//! The table of join tokens.

use hostler_core::id::TokenId;
use sea_orm::entity::prelude::{
    ActiveModelBehavior, DateTimeUtc, DeriveEntityModel, DerivePrimaryKey, DeriveRelation,
    EntityTrait, EnumIter, PrimaryKeyTrait, Uuid,
};

use super::JoinTokenRow;
use crate::column::{small, timestamp};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "join_token")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub digest: String,
    pub expires_at: DateTimeUtc,
    pub uses_left: i64,
    pub created_at: DateTimeUtc,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<Model> for JoinTokenRow {
    fn from(row: Model) -> Self {
        Self {
            id: TokenId::from_uuid(row.id),
            expires_at: timestamp(row.expires_at),
            uses_left: small(row.uses_left),
            created_at: timestamp(row.created_at),
        }
    }
}
