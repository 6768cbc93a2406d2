//! Opening a store: connect, refuse what is newer, migrate, start the writer.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr};
use tokio::sync::{Mutex, broadcast, mpsc};

use crate::store::Inner;
use crate::workload::insert;
use crate::{SealingKey, Store, migration};

/// How long a connection may be waited for, and a lock of another process.
const PATIENCE: Duration = Duration::from_secs(15);

/// Prepared statements kept per connection: more than this crate has, in all
/// the numbers of rows that `rows` rounds to.
const STATEMENTS: usize = 250;

/// After how long a connection is asked whether it still works before use.
const IDLE: Duration = Duration::from_secs(5);

/// Groups of inserts under way at once, where the database can do two things
/// at a time: one computes while the other is being flushed.
const WRITERS: usize = 2;

/// Hints kept for a receiver that is busy.
const HINTS: usize = 4_096;

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address names no database this program knows.
    #[error("'{0}' is no database address: sqlite:///path or postgres://user@host/name")]
    Url(String),
    /// The file could not be made.
    #[error("the database file {path} could not be created")]
    File {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The database was written by a newer version.
    #[error(
        "the database was written by a newer version of this program (it has '{0}'): \
         start that version, or restore a copy made before the upgrade"
    )]
    Newer(String),
    /// The database refused or could not be reached.
    #[error("the database failed while {doing}")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// What the database said.
        #[source]
        source: DbErr,
    },
}

impl Store {
    /// Opens the database at `url` and brings its schema up to date:
    /// `sqlite:///path`, made with mode 0600 when it is not there;
    /// `sqlite::memory:`, which ends with the store; or `postgres://…`.
    /// Must be called within a tokio runtime, where its writer will run.
    pub async fn open(url: &str, key: SealingKey) -> Result<Self, OpenError> {
        let sqlite = url.starts_with("sqlite:");
        let options = match url.split_once(':') {
            Some(("sqlite", place)) => sqlite_options(url, place)?,
            Some(("postgres" | "postgresql", _)) => postgres_options(url),
            _ => return Err(OpenError::Url(url.to_owned())),
        };
        let failed = |doing| move |source| OpenError::Database { doing, source };
        let db = Database::connect(options)
            .await
            .map_err(failed("connecting"))?;
        migration::bring_up(&db).await?;
        Ok(Self::start(db, key, sqlite))
    }

    fn start(db: DatabaseConnection, key: SealingKey, sqlite: bool) -> Self {
        let (inserts, waiting) = mpsc::channel(insert::QUEUE);
        let inner = Arc::new(Inner {
            db,
            key,
            changes: broadcast::Sender::new(HINTS),
            gate: sqlite.then(|| Arc::new(Mutex::new(()))),
            inserts,
        });
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..if sqlite { 1 } else { WRITERS } {
            tokio::spawn(insert::write_groups(
                Arc::downgrade(&inner),
                waiting.clone(),
            ));
        }
        Self { inner }
    }
}

fn postgres_options(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(10)
        .acquire_timeout(PATIENCE)
        .test_before_acquire_if_idle_for(IDLE)
        .sqlx_logging(false)
        .map_sqlx_postgres_opts(|o| {
            o.application_name("hostler")
                .statement_cache_capacity(STATEMENTS)
        });
    options
}

/// Readers run beside the one writer (WAL). A memory database lives in its
/// one connection, which must then never be given up.
fn sqlite_options(url: &str, place: &str) -> Result<ConnectOptions, OpenError> {
    let memory = place.contains(":memory:");
    if !memory {
        let path = place
            .trim_start_matches("//")
            .split('?')
            .next()
            .unwrap_or_default();
        create(Path::new(path))?;
    }
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(if memory { 1 } else { 8 })
        .min_connections(1)
        .acquire_timeout(PATIENCE)
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(|o| {
            o.pragma("journal_mode", "WAL")
                .pragma("synchronous", "FULL")
                .pragma("foreign_keys", "ON")
                .pragma("cache_size", "-16384")
                .busy_timeout(PATIENCE)
                .statement_cache_capacity(STATEMENTS)
        });
    if memory {
        options
            .idle_timeout(None::<Duration>)
            .max_lifetime(None::<Duration>);
    }
    Ok(options)
}

/// For its owner alone; SQLite gives its side files the same mode.
fn create(path: &Path) -> Result<(), OpenError> {
    let made = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path);
    made.map(drop).map_err(|source| OpenError::File {
        path: path.to_owned(),
        source,
    })
}
