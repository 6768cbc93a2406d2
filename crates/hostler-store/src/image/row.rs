//! The table of images.

use hostler_core::Bytes;
use hostler_core::id::ImageId;
use sea_orm::entity::prelude::{
    ActiveModelBehavior, DateTimeUtc, DeriveEntityModel, DerivePrimaryKey, DeriveRelation,
    EntityTrait, EnumIter, Json, PrimaryKeyTrait, Uuid,
};

use super::{ImageRow, ImageSpec};
use crate::StoreError;
use crate::column::{from_json, name, timestamp, unsigned};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "image")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub project: String,
    pub name: String,
    pub version: String,
    pub digest: String,
    pub format: String,
    pub bytes: i64,
    pub virtual_size: i64,
    pub about: Json,
    pub created_at: DateTimeUtc,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for ImageRow {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: ImageId::from_uuid(row.id),
            created_at: timestamp(row.created_at),
            spec: ImageSpec {
                project: name(row.project)?,
                name: name(row.name)?,
                version: row.version,
                digest: row.digest,
                format: row.format,
                bytes: unsigned(row.bytes),
                virtual_size: Bytes::new(unsigned(row.virtual_size)),
                about: from_json("description of an image", row.about)?,
            },
        })
    }
}
