//! The tables of jobs and of pools.

use sea_orm::entity::prelude::{
    ActiveModelBehavior, DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EntityTrait,
    EnumIter, Json, PrimaryKeyTrait, Uuid,
};

use hostler_core::runner::job::Job;

use crate::StoreError;
use crate::column::{from_json, json, signed};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "runner_job")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub revision: i64,
    pub job: Json,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Job> for Model {
    fn from(job: &Job) -> Self {
        Self {
            id: job.id.uuid(),
            revision: signed(job.revision),
            job: json(job),
        }
    }
}

impl TryFrom<Model> for Job {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        from_json("job of runners", row.job)
    }
}

/// What is kept of pools.
pub(crate) mod pool {
    use sea_orm::entity::prelude::{
        ActiveModelBehavior, DateTimeUtc, DeriveEntityModel, DerivePrimaryKey, DeriveRelation,
        EntityTrait, EnumIter, Json, PrimaryKeyTrait,
    };

    use crate::column::{from_json, timestamp, unsigned};
    use crate::error::corrupt;
    use crate::{PoolRow, StoreError};

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "runner_pool")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        pub turn: i64,
        pub failures: Json,
        pub scaled_at: Option<DateTimeUtc>,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}

    impl TryFrom<Model> for PoolRow {
        type Error = StoreError;

        fn try_from(row: Model) -> Result<Self, StoreError> {
            Ok(Self {
                name: row.name.parse().map_err(|_| corrupt("pool", &row.name))?,
                turn: unsigned(row.turn),
                failures: from_json("failures of a pool", row.failures)?,
                scaled_at: row.scaled_at.map(timestamp),
            })
        }
    }
}
