//! Whoever fences VMs in the daemon's place: a small process beside it that
//! outlives it (decision 0010). It reads when the lease ends, and which VMs the
//! lease binds; at the end it kills their QEMU processes, whoever lives.
//!
//! Two files in the data folder: `vm-guard.json`, the VMs, written before any of
//! them is started; and the lease's own `lease-end`. It asks nobody anything:
//! neither the daemon nor the hypervisor's daemon need live.
//!
//! What must never happen: a bound VM started that is not in the list; a signal
//! to a process that is not of a VM in it.

mod run;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use hostler_core::id::VmId;
use hostler_daemon::process::ProcessId;
use tokio::sync::Mutex;

pub use run::{GuardError, run};

use crate::hypervisor::machines::MachineError;

/// The list of VMs.
const LIST: &str = "vm-guard.json";
/// The process.
const PID: &str = "vm-guard.pid";
/// What it says.
const LOG: &str = "vm-guard.log";
/// How long it may take to begin.
const BEGIN: Duration = Duration::from_secs(10);

/// The daemon's side of the guard. Cloning gives another handle to the same.
#[derive(Clone, Debug)]
pub(crate) struct Guard(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    data: PathBuf,
    command: Option<Vec<String>>,
    held: Mutex<BTreeSet<VmId>>,
}

impl Guard {
    /// The guard of a data folder, started by this command when it is needed.
    pub(crate) fn open(data: &Path, command: Option<Vec<String>>) -> Self {
        Self(Arc::new(Shared {
            data: data.to_owned(),
            command,
            held: Mutex::new(list_read(data).unwrap_or_default()),
        }))
    }

    /// The guard knows of this VM, and lives, when this returns `Ok`.
    pub(crate) async fn hold(&self, vm: VmId) -> Result<(), MachineError> {
        let Some(command) = &self.0.command else {
            return Ok(());
        };
        let mut held = self.0.held.lock().await;
        held.insert(vm);
        list_write(&self.0.data, &held).map_err(|error| away(&error))?;
        self.live(command).await
    }

    /// This VM is not bound any more, or gone.
    pub(crate) async fn let_go(&self, vm: VmId) {
        let mut held = self.0.held.lock().await;
        if held.remove(&vm)
            && let Err(error) = list_write(&self.0.data, &held)
        {
            tracing::warn!(%error, "could not take a VM off the guard's list");
        }
    }

    /// Has a guard again, if there is anything to guard.
    pub(crate) async fn keep(&self) -> Result<(), MachineError> {
        let held = self.0.held.lock().await;
        match &self.0.command {
            Some(command) if !held.is_empty() => self.live(command).await,
            _ => Ok(()),
        }
    }

    async fn live(&self, command: &[String]) -> Result<(), MachineError> {
        let pid = self.0.data.join(PID);
        if ProcessId::read(&pid).is_some() {
            return Ok(());
        }
        spawn(command, &self.0.data).map_err(|error| away(&error))?;
        let lives = async {
            while ProcessId::read(&pid).is_none() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let late = |_| MachineError::Away("the guard of VMs did not begin".to_owned());
        tokio::time::timeout(BEGIN, lives).await.map_err(late)
    }
}

/// Starts it so that it outlives us: its output is a file, and it makes a
/// session of its own.
fn spawn(command: &[String], data: &Path) -> std::io::Result<()> {
    let none = || std::io::Error::other("there is no command for the guard of VMs");
    let (program, arguments) = command.split_first().ok_or_else(none)?;
    let log = std::fs::File::create(data.join(LOG))?;
    let child = std::process::Command::new(program)
        .args(arguments)
        .arg(data)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()?;
    // Waited for, so that a dead one is no zombie that looks alive.
    std::thread::Builder::new()
        .name("vm-guard".to_owned())
        .spawn(move || {
            let mut child = child;
            child.wait().ok();
        })
        .map(drop)
}

fn list_read(data: &Path) -> Option<BTreeSet<VmId>> {
    serde_json::from_slice(&std::fs::read(data.join(LIST)).ok()?).ok()
}

/// Not synced: a machine that loses power loses its VMs too.
fn list_write(data: &Path, held: &BTreeSet<VmId>) -> std::io::Result<()> {
    let draft = data.join("vm-guard.draft");
    std::fs::write(&draft, serde_json::to_vec(held)?)?;
    std::fs::rename(draft, data.join(LIST))
}

fn away(error: &std::io::Error) -> MachineError {
    MachineError::Away(format!("the guard of VMs could not be told: {error}"))
}
