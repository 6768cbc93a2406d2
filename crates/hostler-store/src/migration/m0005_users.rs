//! Users, roles, projects with members and quotas, sessions, sign-ins under
//! way at an identity provider, and the audit log.

use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::prelude::{Index, Table};
use sea_orm_migration::schema::{
    big_integer, binary, boolean, json_binary, pk_uuid, text, text_null, text_uniq,
    timestamp_with_time_zone, timestamp_with_time_zone_null, uuid, uuid_null,
};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

use super::m0001_fleet::table;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0005_users"
    }
}

/// In words that both databases understand. Projects were names in other
/// tables until now; those that are in use get rows.
const STATEMENTS: [&str; 8] = [
    "CREATE UNIQUE INDEX account_subject ON account (issuer, subject) WHERE subject IS NOT NULL",
    "CREATE INDEX session_account ON session (account)",
    "CREATE INDEX project_member_account ON project_member (account)",
    "CREATE INDEX api_token_owner ON api_token (owner) WHERE owner IS NOT NULL",
    "CREATE INDEX audit_subject ON audit (subject, number)",
    "INSERT INTO audit_head (id, number, hash) VALUES (1, 0, \
     '0000000000000000000000000000000000000000000000000000000000000000')",
    "INSERT INTO access_guard (id, turn) VALUES (1, 0)",
    "INSERT INTO project (name, description, quota, created_at) \
     SELECT name, '', '{}', CURRENT_TIMESTAMP FROM (SELECT 'default' AS name \
     UNION SELECT project FROM workload UNION SELECT project FROM artifact_project \
     UNION SELECT project FROM api_token WHERE project IS NOT NULL) AS used",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        people(manager).await?;
        signing_in(manager).await?;
        audit(manager).await?;
        let db = manager.get_connection();
        for statement in STATEMENTS {
            db.execute_unprepared(statement).await?;
        }
        Ok(())
    }
}

async fn people(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let account = [
        pk_uuid("id"),
        text_uniq("name"),
        text_null("password"),
        json_binary("policies"),
        json_binary("roles"),
        boolean("disabled"),
        text_null("issuer"),
        text_null("subject"),
        json_binary("settings"),
        timestamp_with_time_zone("created_at"),
        text("created_by"),
        timestamp_with_time_zone_null("last_activity"),
    ];
    manager.create_table(table("account", account)).await?;
    let role = [
        text("name").primary_key().take(),
        text("description"),
        json_binary("policies"),
        timestamp_with_time_zone("created_at"),
    ];
    manager.create_table(table("role", role)).await?;
    let project = [
        text("name").primary_key().take(),
        text("description"),
        json_binary("quota"),
        timestamp_with_time_zone("created_at"),
    ];
    manager.create_table(table("project", project)).await?;
    let member = [text("project"), uuid("account"), text("role")];
    let mut member = table("project_member", member);
    let member = member.primary_key(Index::create().col("project").col("account"));
    manager.create_table(member.take()).await
}

async fn signing_in(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let session = [
        pk_uuid("id"),
        uuid("account"),
        text_uniq("digest"),
        timestamp_with_time_zone("created_at"),
        timestamp_with_time_zone("expires_at"),
        timestamp_with_time_zone("last_used"),
        text("origin"),
    ];
    manager.create_table(table("session", session)).await?;
    let sign_in = [
        text("state").primary_key().take(),
        text("nonce"),
        binary("verifier"),
        text("challenge"),
        text("return_to"),
        text_null("code"),
        uuid_null("account"),
        timestamp_with_time_zone("expires_at"),
    ];
    manager.create_table(table("sign_in", sign_in)).await?;
    let mut owner = Table::alter();
    owner.table("api_token").add_column(uuid_null("owner"));
    manager.alter_table(owner).await
}

async fn audit(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let audit = [
        big_integer("number").primary_key().take(),
        timestamp_with_time_zone("at"),
        text("actor"),
        text("origin"),
        text("action"),
        text_null("subject"),
        text_null("project"),
        text("outcome"),
        text("detail"),
        text("hash"),
    ];
    manager.create_table(table("audit", audit)).await?;
    let head = [
        big_integer("id").primary_key().take(),
        big_integer("number"),
        text("hash"),
    ];
    manager.create_table(table("audit_head", head)).await?;
    let guard = [big_integer("id").primary_key().take(), big_integer("turn")];
    manager.create_table(table("access_guard", guard)).await
}
