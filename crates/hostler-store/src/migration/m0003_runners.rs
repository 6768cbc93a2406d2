//! Runners: jobs, what is kept of each pool, and which runner a node is.

use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::schema::{
    big_integer, json_binary, pk_uuid, text, timestamp_with_time_zone_null,
};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

use super::m0001_fleet::table;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0003_runners"
    }
}

/// In words that both databases understand.
const STATEMENTS: [&str; 2] = [
    "ALTER TABLE node ADD COLUMN runner TEXT",
    "CREATE UNIQUE INDEX node_runner ON node (runner) WHERE runner IS NOT NULL",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let job = [pk_uuid("id"), big_integer("revision"), json_binary("job")];
        manager.create_table(table("runner_job", job)).await?;
        let mut name = text("name");
        let pool = [
            name.primary_key().take(),
            big_integer("turn"),
            json_binary("failures"),
            timestamp_with_time_zone_null("scaled_at"),
        ];
        manager.create_table(table("runner_pool", pool)).await?;
        for statement in STATEMENTS {
            manager
                .get_connection()
                .execute_unprepared(statement)
                .await?;
        }
        Ok(())
    }
}
