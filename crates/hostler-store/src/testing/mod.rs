//! A PostgreSQL cluster of one's own, for tests: made in a folder of its own,
//! reachable through a socket in it and nowhere else, stopped and removed when
//! dropped. It flushes to disk like a real one.
//!
//! Where there is no PostgreSQL this is an error, so that a test fails and
//! says why, and is never skipped.

mod cluster;

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};

use cluster::Cluster;

/// A running cluster.
#[derive(Debug)]
pub struct Postgres {
    cluster: Cluster,
    databases: AtomicU32,
}

/// Why there is no cluster.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// One of its programs was found nowhere.
    #[error(
        "'{0}' was found neither in PATH nor in /usr/lib/postgresql/*/bin: \
         these tests need PostgreSQL (on Debian: apt-get install postgresql)"
    )]
    Missing(&'static str),
    /// Something could not be made or started.
    #[error("PostgreSQL for tests: {doing}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// One of its programs failed.
    #[error("PostgreSQL for tests: '{command}' failed: {output}")]
    Failed {
        /// How it was started.
        command: String,
        /// What it wrote.
        output: String,
    },
}

static SHARED: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());

impl Postgres {
    /// Starts a cluster. Takes a few seconds.
    pub fn start() -> Result<Self, PostgresError> {
        Ok(Self {
            cluster: Cluster::start()?,
            databases: AtomicU32::new(0),
        })
    }

    /// The cluster that all tests of this process share while any of them
    /// holds it.
    pub fn shared() -> Result<Arc<Self>, PostgresError> {
        let mut shared = SHARED
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(running) = shared.upgrade() {
            return Ok(running);
        }
        let started = Arc::new(Self::start()?);
        *shared = Arc::downgrade(&started);
        Ok(started)
    }

    /// Makes an empty database; the address to open it with.
    pub fn database(&self) -> Result<String, PostgresError> {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.cluster.create_database(&name)?;
        let socket = self.cluster.socket().display().to_string();
        Ok(format!(
            "postgres://postgres@localhost/{name}?host={socket}"
        ))
    }
}
