//! The server's process: its configuration, its start, finding it again.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::Utc;
use hostler_daemon::process::ProcessId;
use hostler_wire::nats::server::Authority;
use sha2::{Digest as _, Sha256};
use tokio::process::Child;

use super::{InnerError, greeting};
use crate::hypervisor::process::{Program, spawn_detached};

/// From start to greeting.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long one of ours may stay silent before it is replaced.
const MUTE_PATIENCE: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(2);
const GRACE: Duration = Duration::from_secs(2);

/// The server of one data folder, running or not.
pub(super) struct Server {
    program: PathBuf,
    folder: PathBuf,
    port: u16,
    name: String,
    /// For reaping, while it is our child.
    child: Mutex<Option<Child>>,
}

impl Server {
    /// The server whose files are in this folder.
    pub(super) fn new(program: PathBuf, folder: PathBuf, port: u16) -> Self {
        let digest = Sha256::digest(folder.as_os_str().as_encoded_bytes());
        Self {
            name: format!("hostler-{}", data_encoding::HEXLOWER.encode(&digest[..6])),
            program: program_file(program),
            folder,
            port,
            child: Mutex::default(),
        }
    }

    /// Its port on 127.0.0.1.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// The server that runs already and answers, or else a new one.
    pub(super) async fn adopt_or_start(
        &self,
        authority: &Authority,
    ) -> Result<ProcessId, InnerError> {
        if let Some(id) = find(&self.folder) {
            if self.greets(id, MUTE_PATIENCE).await {
                tracing::info!(
                    pid = id.pid,
                    port = self.port,
                    "adopted the inner nats-server"
                );
                return Ok(id);
            }
            id.end(Duration::ZERO).await;
        }
        self.configure(authority)?;
        let id = self.spawn()?;
        if self.greets(id, PATIENCE).await {
            tracing::info!(
                pid = id.pid,
                port = self.port,
                "started the inner nats-server"
            );
            return Ok(id);
        }
        id.end(Duration::ZERO).await;
        self.reap().await;
        Err(InnerError::Silent {
            port: self.port,
            log: self.folder.join("server.log"),
        })
    }

    /// Ends the server, if one runs.
    pub(super) async fn stop(&self) {
        if let Some(id) = find(&self.folder) {
            id.end(GRACE).await;
        }
        self.reap().await;
    }

    /// Takes the status of a child that has ended.
    pub(super) async fn reap(&self) {
        let child = self
            .child
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(mut child) = child {
            // Only to take its status from the kernel.
            let _ = child.wait().await;
        }
    }

    fn config(&self) -> PathBuf {
        config_file(&self.folder)
    }

    /// Whether it says its name while it lives, within `patience`.
    async fn greets(&self, id: ProcessId, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        while id.lives() && Instant::now() < until {
            if greeting::server_name(self.port).await.as_ref() == Some(&self.name) {
                return true;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        false
    }

    fn configure(&self, authority: &Authority) -> Result<(), InnerError> {
        let text = format!(
            "server_name: {name}\n\
             listen: \"127.0.0.1:{port}\"\n\
             max_payload: 8MB\n\
             max_pending: 64MB\n\
             log_file: \"{log}\"\n\
             logfile_size_limit: 1MB\n\
             {trust}",
            name = self.name,
            port = self.port,
            log = self.folder.join("server.log").display(),
            trust = authority.server_config(Utc::now())?,
        );
        let path = self.config();
        private_write(&path, &text).map_err(InnerError::files(path))
    }

    fn spawn(&self) -> Result<ProcessId, InnerError> {
        let failed = |source| InnerError::Spawn {
            program: self.program.clone(),
            source,
        };
        let child = spawn_detached(Program {
            file: &self.program,
            arguments: vec!["-c".into(), self.config().into()],
            environment: Vec::new(),
            folder: &self.folder,
            complaints: &self.folder.join("server.stderr"),
            largest_file: None,
        })
        .map_err(failed)?;
        let pid = child.id().unwrap_or_default().cast_signed();
        *self.child.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
        ProcessId::of(pid).ok_or_else(|| failed(io::Error::other("it ended at once")))
    }
}

/// The server that was started with the configuration file in this folder.
pub(super) fn find(folder: &Path) -> Option<ProcessId> {
    let config = config_file(folder);
    let ours = |pid: i32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let mut words = line.split(|byte| *byte == 0).skip(1);
        words.next() == Some(b"-c") && words.next() == Some(config.as_os_str().as_encoded_bytes())
    };
    fs::read_dir("/proc")
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid| ours(*pid))
        .find_map(ProcessId::of)
}

fn config_file(folder: &Path) -> PathBuf {
    folder.join("server.conf")
}

/// The file that a bare program name means; our child's own search path is empty.
fn program_file(program: PathBuf) -> PathBuf {
    if program.components().count() > 1 {
        return program;
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(&program))
        .find(|file| file.is_file())
        .unwrap_or(program)
}

/// Makes the folder, for its owner only, and says its one true path.
pub(super) fn folder_make(path: &Path) -> Result<PathBuf, InnerError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder
        .create(path)
        .and_then(|()| fs::canonicalize(path))
        .map_err(InnerError::files(path))
}

/// Replaces a file that only its owner may read. Without a sync: it is
/// written anew at every start.
fn private_write(path: &Path, text: &str) -> io::Result<()> {
    use std::io::Write as _;
    let draft = path.with_extension("draft");
    let mut options = fs::OpenOptions::new();
    let options = options.write(true).create(true).truncate(true).mode(0o600);
    options.open(&draft)?.write_all(text.as_bytes())?;
    fs::rename(draft, path)
}
