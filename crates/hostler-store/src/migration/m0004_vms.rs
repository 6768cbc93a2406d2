//! VMs, their snapshots and shares, images; the room that VMs take on nodes.

use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::prelude::{ForeignKey, TableCreateStatement};
use sea_orm_migration::schema::{
    big_integer, big_integer_null, binary, boolean, json_binary, json_binary_null, pk_uuid, text,
    text_null, text_uniq, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid, uuid_null,
};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

use super::m0001_fleet::table;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0004_vms"
    }
}

/// The rows for which a pass may have something to do, judged by their facts
/// alone ([`hostler_core::vm::vm_next_step`]).
pub(crate) const VM_UNSETTLED: &str = "(seat IS NOT NULL OR goal = 'gone' \
     OR (trashed_at IS NULL AND (disk_lost = FALSE OR disk_on_loss = 'fresh'))) \
     AND NOT (goal <> 'gone' AND seat IS NOT NULL \
     AND COALESCE(seen_generation, 0) = generation \
     AND COALESCE(seen_state, 'absent') NOT IN ('absent', 'fenced'))";

/// In words that both databases understand.
const STATEMENTS: [&str; 11] = [
    "ALTER TABLE node ADD COLUMN vm_disk BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE node ADD COLUMN vms_cpu BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE node ADD COLUMN vms_memory BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE node ADD COLUMN vms_disk BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE node ADD COLUMN unclaimed_vms TEXT NOT NULL DEFAULT '[]'",
    "CREATE UNIQUE INDEX vm_name ON vm (project, name)",
    "CREATE INDEX vm_seat ON vm (seat) WHERE seat IS NOT NULL",
    "CREATE INDEX vm_image ON vm (image) WHERE image IS NOT NULL",
    "CREATE UNIQUE INDEX vm_snapshot_name ON vm_snapshot (vm, name)",
    "CREATE UNIQUE INDEX image_version ON image (project, name, version)",
    "CREATE INDEX vm_share_vm ON vm_share (vm)",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [vm(), vm_snapshot(), vm_share(), image()] {
            manager.create_table(table).await?;
        }
        let db = manager.get_connection();
        for statement in STATEMENTS {
            db.execute_unprepared(statement).await?;
        }
        let unsettled = format!("CREATE INDEX vm_unsettled ON vm (id) WHERE {VM_UNSETTLED}");
        db.execute_unprepared(&unsettled).await?;
        Ok(())
    }
}

fn vm() -> TableCreateStatement {
    let wanted = vec![
        pk_uuid("id"),
        text("project"),
        text("name"),
        json_binary("labels"),
        json_binary("rules"),
        uuid_null("pinned"),
        big_integer("cpus"),
        big_integer("memory"),
        big_integer("disk"),
        big_integer("extra_disk"),
        uuid_null("image"),
        json_binary("shape"),
        binary("seed"),
        text("on_node_loss"),
        text("disk_on_loss"),
        text("description"),
        boolean("protected"),
        text("goal"),
        big_integer("generation"),
        big_integer("reboots"),
        big_integer("rollback_number"),
        uuid_null("rollback_to"),
        timestamp_with_time_zone_null("trashed_at"),
        timestamp_with_time_zone("created_at"),
    ];
    let so = vec![
        uuid_null("seat"),
        boolean("disk_lost"),
        text_null("reason"),
        big_integer_null("seen_generation"),
        text_null("seen_state"),
        json_binary_null("seen"),
        timestamp_with_time_zone_null("seen_at"),
    ];
    table("vm", wanted.into_iter().chain(so))
        .foreign_key(
            ForeignKey::create()
                .name("vm_seat_is_a_node")
                .from("vm", "seat")
                .to("node", "id"),
        )
        .take()
}

fn vm_snapshot() -> TableCreateStatement {
    let columns = [
        pk_uuid("id"),
        uuid("vm"),
        text("name"),
        boolean("memory"),
        boolean("wanted"),
        text("state"),
        text_null("problem"),
        timestamp_with_time_zone_null("taken_at"),
        timestamp_with_time_zone("created_at"),
    ];
    table("vm_snapshot", columns)
}

fn vm_share() -> TableCreateStatement {
    let columns = [
        pk_uuid("id"),
        uuid("vm"),
        text("name"),
        text("project"),
        text_uniq("digest"),
        timestamp_with_time_zone("created_at"),
        timestamp_with_time_zone("expires_at"),
    ];
    table("vm_share", columns)
}

fn image() -> TableCreateStatement {
    let columns = [
        pk_uuid("id"),
        text("project"),
        text("name"),
        text("version"),
        text("digest"),
        text("format"),
        big_integer("bytes"),
        big_integer("virtual_size"),
        json_binary("about"),
        timestamp_with_time_zone("created_at"),
    ];
    table("image", columns)
}
