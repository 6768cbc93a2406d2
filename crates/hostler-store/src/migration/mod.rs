//! The schema, as steps that are never changed once released: a change of the
//! schema is a new step.

mod m0001_fleet;
mod m0002_node_nats;
mod m0003_runners;
mod m0004_vms;
mod m0005_users;

pub(crate) use m0001_fleet::UNSETTLED;
pub(crate) use m0004_vms::VM_UNSETTLED;

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use sea_orm_migration::{MigrationTrait, MigratorTrait, async_trait};

use crate::OpenError;

struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_fleet::Migration),
            Box::new(m0002_node_nats::Migration),
            Box::new(m0003_runners::Migration),
            Box::new(m0004_vms::Migration),
            Box::new(m0005_users::Migration),
        ]
    }
}

/// Any number, as long as nothing else of this program uses it.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7301204815)";

/// Takes every step that is missing, all or none. Programs that start at once
/// wait for each other; the later ones find nothing to do.
pub(crate) async fn bring_up(db: &DatabaseConnection) -> Result<(), OpenError> {
    let failed = |doing| move |source| OpenError::Database { doing, source };
    let tx = begin(db).await.map_err(failed("locking the schema"))?;
    Migrator::install(&tx)
        .await
        .map_err(failed("reading the schema's version"))?;
    if let Some(unknown) = newer(&tx)
        .await
        .map_err(failed("reading the schema's version"))?
    {
        return Err(OpenError::Newer(unknown));
    }
    Migrator::up(&tx, None)
        .await
        .map_err(failed("bringing the schema up to date"))?;
    tx.commit()
        .await
        .map_err(failed("bringing the schema up to date"))
}

async fn begin(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let sqlite = db.get_database_backend() == DbBackend::Sqlite;
    let options = TransactionOptions {
        sqlite_transaction_mode: sqlite.then_some(SqliteTransactionMode::Immediate),
        ..Default::default()
    };
    let tx = db.begin_with_options(options).await?;
    if !sqlite {
        tx.execute_unprepared(LOCK).await?;
    }
    Ok(tx)
}

/// A step that was taken and that this program does not know.
async fn newer(tx: &DatabaseTransaction) -> Result<Option<String>, DbErr> {
    let known = Migrator::migrations();
    let taken = Migrator::get_migration_models(tx).await?;
    let unknown = |version: &String| known.iter().all(|step| step.name() != version);
    Ok(taken.into_iter().map(|step| step.version).find(unknown))
}
