//! How machines of this machine are made: the table `[local]` of
//! `runners.toml`.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hostler_core::runner::{Reason, ReasonCode};
use serde::Deserialize;

use crate::provider::Check;

/// Removes what a dead machine's program has left elsewhere than in its folder;
/// it is told the program's own.
pub type Clear = Arc<dyn Fn(&Path) -> io::Result<()> + Send + Sync>;

/// How machines of this machine are made.
#[derive(Clone)]
pub struct LocalOptions {
    /// Where each has its folder.
    pub folder: PathBuf,
    /// The program that is run, `hostler`, and its first words.
    pub command: Vec<String>,
    /// From the order to the start.
    pub boot_delay: Duration,
    /// From SIGTERM to SIGKILL.
    pub grace: Duration,
    /// The most there may be.
    pub most: usize,
    /// What is done after a machine's death besides ending its processes.
    pub clear: Clear,
}

impl fmt::Debug for LocalOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalOptions")
            .field("folder", &self.folder)
            .field("command", &self.command)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Table {
    program: Option<PathBuf>,
    boot_delay_ms: u64,
    grace_ms: Option<u64>,
    most: Option<usize>,
    control: Option<String>,
    join_token_file: Option<PathBuf>,
    nats: Option<String>,
    nats_seed: Option<PathBuf>,
    nats_server: Option<PathBuf>,
    agent: Option<PathBuf>,
    driver: Option<String>,
    warm: Option<u32>,
}

impl LocalOptions {
    /// Machines below this folder, as the table `local` says; `program` is this
    /// program, which is run unless the table names another.
    pub fn read(table: &toml::Table, folder: PathBuf, program: PathBuf) -> Result<Self, String> {
        let local = table.get("local").cloned();
        let local = local.unwrap_or_else(|| toml::Value::Table(toml::Table::new()));
        let table: Table = local
            .try_into()
            .map_err(|error| format!("[local]: {error}"))?;
        let program = table.program.clone().unwrap_or(program);
        Ok(Self {
            folder,
            command: command(&program, &table),
            boot_delay: Duration::from_millis(table.boot_delay_ms),
            grace: Duration::from_millis(table.grace_ms.unwrap_or(10_000)),
            most: table.most.unwrap_or(10),
            clear: Arc::new(|_| Ok(())),
        })
    }

    /// Whether the program is there.
    pub(super) fn check(&self) -> Vec<Check> {
        let program = self.command.first().map(Path::new);
        let is_there = program.is_some_and(Path::is_file);
        let problem = || Reason::new(ReasonCode::Invalid, "it is not there");
        vec![Check {
            name: format!(
                "program {}",
                program.unwrap_or_else(|| Path::new("")).display()
            ),
            problem: (!is_there).then(problem),
            is_needed: true,
        }]
    }
}

/// The words that all machines have in common.
fn command(program: &Path, table: &Table) -> Vec<String> {
    let text = |path: &PathBuf| path.display().to_string();
    let mut words = vec![program.display().to_string()];
    words.extend(["node", "up", "--stop-work", "--listen", "127.0.0.1:0"].map(str::to_owned));
    // VMs would outlive such a machine, and this one's libvirt is its first node's.
    words.extend(["--vms", "none"].map(str::to_owned));
    for (flag, value) in [
        ("--control", table.control.clone()),
        (
            "--join-token-file",
            table.join_token_file.as_ref().map(text),
        ),
        ("--nats", table.nats.clone()),
        ("--nats-seed", table.nats_seed.as_ref().map(text)),
        ("--nats-server", table.nats_server.as_ref().map(text)),
        ("--agent", table.agent.as_ref().map(text)),
        ("--driver", table.driver.clone()),
        ("--warm", table.warm.map(|count| count.to_string())),
    ] {
        words.extend(value.into_iter().flat_map(|value| [flag.to_owned(), value]));
    }
    words
}
