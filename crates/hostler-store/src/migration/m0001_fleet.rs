//! Nodes, workloads, artifacts, tokens, operations, leases, events.

use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::prelude::{ColumnDef, Index, Table, TableCreateStatement};
use sea_orm_migration::schema::{
    big_integer, big_integer_null, binary, binary_null, boolean, json_binary, pk_uuid, text,
    text_null, text_uniq, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid, uuid_null,
};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0001_fleet"
    }
}

/// The rows for which a pass may have something to do, judged by their facts
/// alone ([`hostler_core::workload::next_step`]). They are few among many, so
/// their index is as small as the work there is; only a query in the very
/// words of an index's condition can use it.
pub(crate) const UNSETTLED: &str = "(goal <> 'stopped' OR seat IS NOT NULL) \
     AND NOT (goal = 'running' AND seat IS NOT NULL \
     AND COALESCE(seen_generation, 0) = generation \
     AND COALESCE(seen_state, 'absent') NOT IN ('absent', 'fenced'))";

/// Indexes, in words that both databases understand.
const INDEXES: [&str; 9] = [
    "CREATE UNIQUE INDEX workload_name ON workload (project, name)",
    "CREATE INDEX workload_seat ON workload (seat) WHERE seat IS NOT NULL",
    "CREATE INDEX tombstone_at ON tombstone (at)",
    "CREATE INDEX idempotency_key_created_at ON idempotency_key (created_at)",
    "CREATE INDEX artifact_project_digest ON artifact_project (digest)",
    "CREATE UNIQUE INDEX operation_live ON operation (kind, subject) WHERE outcome IS NULL",
    "CREATE INDEX operation_due ON operation (due_at) WHERE outcome IS NULL",
    "CREATE INDEX event_subject ON event (subject, id)",
    "CREATE INDEX event_project ON event (project, id)",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = [
            node(),
            join_token(),
            api_token(),
            artifact(),
            artifact_project(),
            workload(),
            tombstone(),
            idempotency_key(),
            operation(),
            lease(),
            event(),
            event_head(),
        ];
        for table in tables {
            manager.create_table(table).await?;
        }
        let db = manager.get_connection();
        for index in INDEXES {
            db.execute_unprepared(index).await?;
        }
        let unsettled =
            format!("CREATE INDEX workload_unsettled ON workload (id) WHERE {UNSETTLED}");
        db.execute_unprepared(&unsettled).await?;
        db.execute_unprepared("INSERT INTO event_head (id, last) VALUES (1, 0)")
            .await?;
        Ok(())
    }
}

pub(super) fn table(
    name: &'static str,
    columns: impl IntoIterator<Item = ColumnDef>,
) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(name);
    for column in columns {
        table.col(column);
    }
    table
}

fn node() -> TableCreateStatement {
    table(
        "node",
        vec![
            pk_uuid("id"),
            text_uniq("name"),
            text("hostname"),
            big_integer("port"),
            text_uniq("key_digest"),
            binary("key_sealed"),
            json_binary("labels"),
            json_binary("tags"),
            text("version"),
            uuid_null("boot"),
            big_integer("sequence"),
            big_integer("cpu"),
            big_integer("memory"),
            big_integer("slots"),
            big_integer("reserved_cpu"),
            big_integer("reserved_memory"),
            big_integer("seated"),
            json_binary("unclaimed"),
            big_integer("unclaimed_cpu"),
            big_integer("unclaimed_memory"),
            big_integer("unclaimed_slots"),
            text("scheduling"),
            text("noted"),
            timestamp_with_time_zone_null("last_heard"),
            timestamp_with_time_zone_null("lease_until"),
            timestamp_with_time_zone("created_at"),
        ],
    )
}

fn join_token() -> TableCreateStatement {
    table(
        "join_token",
        [
            pk_uuid("id"),
            text_uniq("digest"),
            timestamp_with_time_zone("expires_at"),
            big_integer("uses_left"),
            timestamp_with_time_zone("created_at"),
        ],
    )
}

fn api_token() -> TableCreateStatement {
    table(
        "api_token",
        [
            pk_uuid("id"),
            text("name"),
            text_null("project"),
            json_binary("policies"),
            text_uniq("digest"),
            boolean("bootstrap"),
            timestamp_with_time_zone("created_at"),
            timestamp_with_time_zone_null("expires_at"),
        ],
    )
}

fn artifact() -> TableCreateStatement {
    let mut digest = text("digest");
    table(
        "artifact",
        [
            digest.primary_key().take(),
            text("kind"),
            big_integer("size"),
        ],
    )
}

fn artifact_project() -> TableCreateStatement {
    let columns = [
        text("project"),
        text("digest"),
        timestamp_with_time_zone("created_at"),
    ];
    let mut table = table("artifact_project", columns);
    table
        .primary_key(Index::create().col("project").col("digest"))
        .take()
}

fn workload() -> TableCreateStatement {
    table(
        "workload",
        vec![
            pk_uuid("id"),
            text("project"),
            text("name"),
            text("kind"),
            text("artifact"),
            json_binary("argv"),
            json_binary("triggers"),
            boolean("essential"),
            big_integer("cpu"),
            big_integer("memory"),
            big_integer("pids"),
            json_binary("labels"),
            json_binary("rules"),
            text("on_node_loss"),
            text("description"),
            binary_null("environment"),
            json_binary("environment_names"),
            text("goal"),
            big_integer("generation"),
            uuid_null("seat"),
            big_integer_null("seen_generation"),
            text_null("seen_state"),
            text_null("seen_slot"),
            big_integer("seen_restarts"),
            text_null("seen_problem"),
            timestamp_with_time_zone_null("seen_at"),
            text_null("reason"),
            timestamp_with_time_zone("created_at"),
        ],
    )
    .foreign_key(
        sea_orm_migration::prelude::ForeignKey::create()
            .name("workload_seat_is_a_node")
            .from("workload", "seat")
            .to("node", "id"),
    )
    .take()
}

fn tombstone() -> TableCreateStatement {
    let columns = [
        pk_uuid("id"),
        big_integer("generation"),
        timestamp_with_time_zone("at"),
    ];
    table("tombstone", columns)
}

fn idempotency_key() -> TableCreateStatement {
    let columns = [
        text("actor"),
        text("key"),
        binary("request_hash"),
        uuid("workload"),
        timestamp_with_time_zone("created_at"),
    ];
    let mut table = table("idempotency_key", columns);
    table
        .primary_key(Index::create().col("actor").col("key"))
        .take()
}

fn operation() -> TableCreateStatement {
    table(
        "operation",
        [
            pk_uuid("id"),
            text("kind"),
            text("subject"),
            text_null("project"),
            json_binary("arguments"),
            json_binary("steps_done"),
            text("progress"),
            text_null("outcome"),
            text_null("problem"),
            boolean("cancel_asked"),
            text_null("holder"),
            big_integer("number"),
            timestamp_with_time_zone("due_at"),
            timestamp_with_time_zone("created_at"),
            timestamp_with_time_zone_null("ended_at"),
        ],
    )
}

fn lease() -> TableCreateStatement {
    let mut name = text("name");
    table(
        "lease",
        [
            name.primary_key().take(),
            text("holder"),
            big_integer("number"),
            timestamp_with_time_zone("until"),
        ],
    )
}

fn event() -> TableCreateStatement {
    table(
        "event",
        [
            pk_uuid("id"),
            timestamp_with_time_zone("at"),
            text("kind"),
            text("actor"),
            text_null("project"),
            text_null("subject"),
            text("text"),
            json_binary("data"),
        ],
    )
}

fn event_head() -> TableCreateStatement {
    let mut id = big_integer("id");
    table("event_head", [id.primary_key().take(), big_integer("last")])
}
