//! The table of API tokens.

use hostler_core::id::{TokenId, UserId};
use sea_orm::entity::prelude::{
    ActiveModelBehavior, DateTimeUtc, DeriveEntityModel, DerivePrimaryKey, DeriveRelation,
    EntityTrait, EnumIter, Json, PrimaryKeyTrait, Uuid,
};

use super::TokenRow;
use crate::StoreError;
use crate::column::{from_json, name, timestamp};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "api_token")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    pub project: Option<String>,
    pub policies: Json,
    pub digest: String,
    pub bootstrap: bool,
    pub created_at: DateTimeUtc,
    pub expires_at: Option<DateTimeUtc>,
    pub owner: Option<Uuid>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for TokenRow {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: TokenId::from_uuid(row.id),
            name: row.name,
            project: row.project.map(name).transpose()?,
            policies: from_json("list of policies", row.policies)?,
            created_at: timestamp(row.created_at),
            expires_at: row.expires_at.map(timestamp),
            owner: row.owner.map(UserId::from_uuid),
        })
    }
}
