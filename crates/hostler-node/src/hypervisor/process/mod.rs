//! Slots as processes: each agent in a session and control groups of its own,
//! with nothing inherited, in a folder that only its owner may enter.
//!
//! Agents outlive the driver. The next one finds them by the records in the
//! slots' folders, compares pid, start time and boot, and watches them as if
//! it had started them. What it cannot identify for certain it never signals.

mod boot;
mod clear;
mod groups;
mod hierarchy;
mod kill;
mod record;
mod scan;
mod spawn;
mod watch;

use std::collections::HashMap;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use hostler_core::id::SlotId;
use hostler_core::microvm::GuestSize;
use hostler_daemon::process::ProcessId;
use landlock::{
    ABI, Access as _, AccessFs, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _,
};
use sha2::{Digest as _, Sha256};
use tokio::process::Child;

use self::groups::Groups;
use self::record::MachineRecord;
use super::types::slot_folder;
use super::{BootError, BootSpec, Found, Isolation, KillError, LimitError, Limits, MicroVms, qemu};

pub(in crate::hypervisor) use boot::{Start, secret_write};
pub use clear::clear;
pub(crate) use spawn::{Program, spawn_detached};
pub(crate) use watch::process_ended;

/// The driver.
#[derive(Clone, Debug)]
pub struct Process {
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    /// Holds one folder for each slot.
    slots: PathBuf,
    /// The agent's program.
    agent: PathBuf,
    groups: Groups,
    /// How long a kill may take.
    patience: Duration,
    machines: Mutex<HashMap<SlotId, Machine>>,
}

/// An agent that this driver started or found alive.
#[derive(Debug)]
struct Machine {
    id: ProcessId,
    /// Its groups, of an earlier base if an earlier life started it.
    groups: Vec<PathBuf>,
    /// The size of its guest, if it is a monitor.
    guest: Option<GuestSize>,
    /// For reaping, if it is our child.
    child: Option<Child>,
}

impl Process {
    /// A driver over the folder `slots`, which is made if it is missing.
    /// A kill is given up after `patience`.
    pub fn new(slots: PathBuf, agent: PathBuf, patience: Duration) -> Result<Self, BootError> {
        folder_make(&slots)?;
        let slots = fs::canonicalize(&slots).map_err(|source| BootError::Files {
            path: slots,
            source,
        })?;
        let state = State {
            groups: Groups::probe(&group_name(&slots)),
            slots,
            agent,
            patience,
            machines: Mutex::default(),
        };
        Ok(Self {
            state: Arc::new(state),
        })
    }

    /// Removes what the driver itself keeps beside its machines.
    pub fn remove(&self) {
        self.state.groups.remove();
    }

    /// Starts what `make` says as a slot; it is given the folder it will run in.
    pub(in crate::hypervisor) async fn start(
        &self,
        slot: SlotId,
        make: impl FnOnce(&Path) -> Result<Start, BootError> + Send + 'static,
    ) -> Result<(), BootError> {
        self.blocking(move |state| state.boot(slot, make))
            .await
            .unwrap_or_else(|source| Err(BootError::Group(source)))
    }

    /// What the control groups really do here.
    pub(in crate::hypervisor) fn group_measures(&self) -> Vec<&'static str> {
        self.state.groups.measures()
    }

    /// Runs `work`, which may wait for the kernel, where waiting is allowed.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&State) -> T + Send + 'static,
    ) -> io::Result<T> {
        let state = Arc::clone(&self.state);
        tokio::task::spawn_blocking(move || work(&state))
            .await
            .map_err(io::Error::other)
    }
}

#[async_trait]
impl MicroVms for Process {
    async fn boot(&self, slot: SlotId, spec: &BootSpec) -> Result<(), BootError> {
        let (spec, state) = (spec.clone(), Arc::clone(&self.state));
        self.start(slot, move |work| state.agent_start(slot, &spec, work))
            .await
    }

    async fn list(&self) -> io::Result<Vec<Found>> {
        self.blocking(State::list).await?
    }

    async fn ended(&self, slot: SlotId) {
        let id = self.state.machines().get(&slot).map(|machine| machine.id);
        let Some(id) = id else { return };
        process_ended(id).await;
        let child = self
            .state
            .machines()
            .get_mut(&slot)
            .and_then(|machine| machine.child.take());
        if let Some(mut child) = child {
            // It has ended; this only takes its status from the kernel.
            let _ = child.wait().await;
        }
    }

    async fn limit(&self, slot: SlotId, limits: Limits) -> Result<(), LimitError> {
        let limits = match self.state.guest(slot) {
            Some(size) => {
                let work = slot_folder(&self.state.slots, slot).join("work");
                qemu::balloon(&work, size, limits).await?
            }
            None => limits,
        };
        // A handful of small writes; a thread would cost more than they do.
        self.state.groups.limit(slot, limits)
    }

    async fn kill(&self, slot: SlotId) -> Result<(), KillError> {
        self.blocking(move |state| state.kill(slot)).await?
    }

    async fn forget(&self, slot: SlotId) -> io::Result<()> {
        self.blocking(move |state| state.forget(slot)).await?
    }

    fn isolation(&self) -> Isolation {
        let mut measures = vec!["session"];
        measures.extend(self.group_measures());
        if has_landlock() {
            measures.push("landlock");
        }
        Isolation {
            driver: "process",
            measures,
        }
    }
}

impl State {
    fn machines(&self) -> MutexGuard<'_, HashMap<SlotId, Machine>> {
        self.machines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The size of a slot's guest, if it has one.
    fn guest(&self, slot: SlotId) -> Option<GuestSize> {
        self.machines().get(&slot).and_then(|machine| machine.guest)
    }

    fn list(&self) -> io::Result<Vec<Found>> {
        let slots = fs::read_dir(&self.slots)?
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<SlotId>().ok());
        Ok(slots
            .map(|slot| Found {
                slot,
                alive: self.find(slot),
            })
            .collect())
    }

    /// Looks whether the agent of an earlier life lives, and takes it on.
    fn find(&self, slot: SlotId) -> bool {
        let mut machines = self.machines();
        if let Some(known) = machines.get(&slot) {
            return known.id.lives();
        }
        let Some(record) = MachineRecord::read(&slot_folder(&self.slots, slot)) else {
            return false;
        };
        let Some(id) = record.agent().filter(|id| id.lives()) else {
            return false;
        };
        let machine = Machine {
            id,
            groups: record.groups,
            guest: record.guest,
            child: None,
        };
        machines.insert(slot, machine);
        true
    }

    fn forget(&self, slot: SlotId) -> io::Result<()> {
        groups::remove_patiently(&self.group_folders(slot))?;
        match fs::remove_dir_all(slot_folder(&self.slots, slot)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.machines().remove(&slot);
        Ok(())
    }

    /// The slot's groups: of this life, and of the one that started it.
    fn group_folders(&self, slot: SlotId) -> Vec<PathBuf> {
        let mut folders = self.groups.folders(slot);
        if let Some(machine) = self.machines().get(&slot) {
            folders.extend(machine.groups.iter().cloned());
        } else if let Some(record) = MachineRecord::read(&slot_folder(&self.slots, slot)) {
            folders.extend(record.groups);
        }
        folders.sort();
        folders.dedup();
        folders
    }
}

/// Whether the agent can confine what it runs to its folder.
fn has_landlock() -> bool {
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))
        .and_then(Ruleset::create)
        .is_ok()
}

/// Tells the groups of nodes on one machine apart.
fn group_name(slots: &Path) -> String {
    let digest = Sha256::digest(slots.as_os_str().as_encoded_bytes());
    format!("hostler-{}", data_encoding::HEXLOWER.encode(&digest[..6]))
}

fn folder_make(path: &Path) -> Result<(), BootError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(path).map_err(|source| BootError::Files {
        path: path.to_path_buf(),
        source,
    })
}
