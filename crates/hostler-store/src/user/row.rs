//! The table of users.

use hostler_core::access::{Grants, UserName};
use hostler_core::id::UserId;
use sea_orm::entity::prelude::{
    ActiveModelBehavior, DateTimeUtc, DeriveEntityModel, DerivePrimaryKey, DeriveRelation,
    EntityTrait, EnumIter, Json, PrimaryKeyTrait, Uuid,
};

use super::{Identity, UserRow};
use crate::StoreError;
use crate::column::{from_json, timestamp};
use crate::error::corrupt;
use crate::role::known;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "account")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    pub password: Option<String>,
    pub policies: Json,
    pub roles: Json,
    pub disabled: bool,
    pub issuer: Option<String>,
    pub subject: Option<String>,
    pub settings: Json,
    pub created_at: DateTimeUtc,
    pub created_by: String,
    pub last_activity: Option<DateTimeUtc>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for UserRow {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        let name = row.name.parse::<UserName>();
        let identity = row.issuer.zip(row.subject);
        Ok(Self {
            id: UserId::from_uuid(row.id),
            name: name.map_err(|error| corrupt("user's name", &error.0))?,
            grants: Grants {
                policies: known(&row.policies),
                roles: from_json("list of roles", row.roles)?,
                memberships: Vec::new(),
            },
            disabled: row.disabled,
            has_password: row.password.is_some(),
            identity: identity.map(|(issuer, subject)| Identity { issuer, subject }),
            settings: row.settings,
            created_at: timestamp(row.created_at),
            created_by: row.created_by,
            last_activity: row.last_activity.map(timestamp),
        })
    }
}
