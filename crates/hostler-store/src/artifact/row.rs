//! The tables of artifacts and of the projects that hold them.

use sea_orm::entity::prelude::{
    ActiveModelBehavior, DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EntityTrait,
    EnumIter, PrimaryKeyTrait,
};

use super::ArtifactRow;
use crate::StoreError;
use crate::column::{name, timestamp, unsigned};
use crate::word::Word;
use hostler_core::artifact::ArtifactKind;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "artifact")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: String,
    pub kind: String,
    pub size: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// An artifact as a project sees it.
pub(super) fn shown(row: Model, held: holding::Model) -> Result<ArtifactRow, StoreError> {
    Ok(ArtifactRow {
        digest: row.digest,
        kind: ArtifactKind::read(&row.kind)?,
        size: unsigned(row.size),
        project: name(held.project)?,
        created_at: timestamp(held.created_at),
    })
}

/// Which project holds which artifact.
pub(crate) mod holding {
    use sea_orm::entity::prelude::{
        ActiveModelBehavior, DateTimeUtc, DeriveEntityModel, DerivePrimaryKey, DeriveRelation,
        EntityTrait, EnumIter, PrimaryKeyTrait, Related, RelationDef, RelationTrait,
    };

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "artifact_project")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub project: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub digest: String,
        pub created_at: DateTimeUtc,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {
        #[sea_orm(
            belongs_to = "crate::artifact::row::Entity",
            from = "Column::Digest",
            to = "crate::artifact::row::Column::Digest"
        )]
        Artifact,
    }

    impl Related<crate::artifact::row::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Artifact.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}
