//! Opening a store: connect, refuse what is newer, migrate, start the writer.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ConnectOptions, Database, DbErr};
use tokio::sync::{Mutex, broadcast, mpsc};

use crate::store::{Connections, Inner};
use crate::workload::insert;
use crate::{Backend, SealingKey, Store, migration};

/// How long a connection may be waited for, and a lock of another process.
const PATIENCE: Duration = Duration::from_secs(15);

/// SQLite connections that only read.
const READERS: u32 = 4;

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
        let connections = match url.split_once(':') {
            Some(("sqlite", place)) => sqlite(url, place).await?,
            Some(("postgres" | "postgresql", _)) => postgres(url).await?,
            _ => return Err(OpenError::Url(url.to_owned())),
        };
        migration::bring_up(&connections.write).await?;
        Ok(Self::start(connections, key))
    }

    fn start(connections: Connections, key: SealingKey) -> Self {
        let (inserts, waiting) = mpsc::channel(insert::QUEUE);
        let store = Self {
            inner: Arc::new(Inner {
                connections,
                key,
                changes: broadcast::Sender::new(HINTS),
                inserts,
            }),
        };
        let waiting = Arc::new(Mutex::new(waiting));
        let writers = match store.backend() {
            Backend::Sqlite => 1,
            Backend::Postgres => WRITERS,
        };
        for _ in 0..writers {
            let writer = insert::write_groups(Arc::downgrade(&store.inner), waiting.clone());
            tokio::spawn(writer);
        }
        store
    }
}

async fn postgres(url: &str) -> Result<Connections, OpenError> {
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
    let all = Database::connect(options).await;
    let all = all.map_err(|source| OpenError::Database {
        doing: "connecting",
        source,
    })?;
    Ok(Connections {
        read: all.clone(),
        write: all,
    })
}

async fn sqlite(url: &str, place: &str) -> Result<Connections, OpenError> {
    let failed = |source| OpenError::Database {
        doing: "connecting",
        source,
    };
    if place.contains(":memory:") {
        let mut options = sqlite_options(url, 1, "-2000");
        options
            .idle_timeout(None::<Duration>)
            .max_lifetime(None::<Duration>);
        let only = Database::connect(options).await.map_err(failed)?;
        return Ok(Connections {
            read: only.clone(),
            write: only,
        });
    }
    let path = place.strip_prefix("//").unwrap_or(place);
    create(Path::new(path.split('?').next().unwrap_or_default()))?;
    let write = Database::connect(sqlite_options(url, 1, "-8000")).await;
    let read = Database::connect(sqlite_options(url, READERS, "-2000")).await;
    Ok(Connections {
        write: write.map_err(failed)?,
        read: read.map_err(failed)?,
    })
}

/// `cache` is in pages or, below zero, in KiB for each connection.
fn sqlite_options(url: &str, connections: u32, cache: &'static str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(PATIENCE)
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |o| {
            o.pragma("journal_mode", "WAL")
                .pragma("synchronous", "FULL")
                .pragma("foreign_keys", "ON")
                .pragma("cache_size", cache)
                .busy_timeout(PATIENCE)
                .statement_cache_capacity(STATEMENTS)
        });
    options
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
