//! Machines that are none, for tests and simulated nodes: they outlive the
//! daemon, as real ones do, and fail as they are told.
//!
//! A guest here is a number on its first disk that a test writes and reads.

mod disks;
mod machines;
mod state;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hostler_core::id::VmId;
use hostler_core::vm::{Power, VmSize};

pub use state::{Call, Fault};
use state::{Guest, State};

use super::MachineError;

/// Machines that are none. Cloning gives another handle to the same.
#[derive(Clone, Debug, Default)]
pub struct FakeMachines(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    state: Mutex<State>,
    /// Where they outlive the process, if they do.
    file: Option<PathBuf>,
    folder: PathBuf,
}

impl FakeMachines {
    /// Machines that are remembered in a folder, across processes.
    pub fn in_folder(folder: &Path) -> std::io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let file = folder.join("machines.json");
        let state = match std::fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => State::default(),
            Err(error) => return Err(error),
        };
        Ok(Self(Arc::new(Inner {
            state: Mutex::new(state),
            file: Some(file),
            folder: folder.to_owned(),
        })))
    }

    /// Has the next calls of this kind go wrong, one after the other.
    pub fn faults(&self, call: Call, faults: impl IntoIterator<Item = Fault>) {
        let mut state = self.state();
        state.faults.entry(call).or_default().extend(faults);
    }

    /// Whether a call of this kind is still to go wrong.
    pub fn has_faults(&self, call: Call) -> bool {
        let state = self.state();
        state.faults.get(&call).is_some_and(|left| !left.is_empty())
    }

    /// Nothing goes wrong from now on.
    pub fn faults_clear(&self) {
        self.state().faults.clear();
    }

    /// Every call that did something or failed, in order.
    pub fn calls(&self) -> Vec<(Call, VmId)> {
        self.state().calls.clone()
    }

    /// A machine's state; nothing if it is not defined.
    pub fn power_of(&self, vm: VmId) -> Option<Power> {
        self.state().guests.get(&vm).map(|guest| guest.power)
    }

    /// How often it was started.
    pub fn starts(&self, vm: VmId) -> u64 {
        self.state().guests.get(&vm).map_or(0, |guest| guest.starts)
    }

    /// What it was started with.
    pub fn size_of(&self, vm: VmId) -> Option<VmSize> {
        self.state().guests.get(&vm).and_then(|guest| guest.size)
    }

    /// Whether anything of it is left.
    pub fn is_left(&self, vm: VmId) -> bool {
        let state = self.state();
        state.guests.contains_key(&vm) || state.disks.contains_key(&vm)
    }

    /// The number on its first disk.
    pub fn read(&self, vm: VmId) -> Option<u64> {
        let state = self.state();
        Some(state.disks.get(&vm)?.get("root")?.content)
    }

    /// Writes the number on its first disk.
    pub fn write(&self, vm: VmId, content: u64) {
        let mut state = self.state();
        let disk = state
            .disks
            .get_mut(&vm)
            .and_then(|disks| disks.get_mut("root"));
        if let Some(disk) = disk {
            disk.content = content;
        }
    }

    /// Its guest shuts itself down.
    pub fn guest_leaves(&self, vm: VmId) {
        if let Some(guest) = self.state().guests.get_mut(&vm) {
            guest.power = Power::Off;
        }
    }

    /// Its guest does not heed what it is asked.
    pub fn guest_is_deaf(&self, vm: VmId) {
        self.state().deaf.insert(vm);
    }

    /// Somebody loses its disks.
    pub fn disks_vanish(&self, vm: VmId) {
        self.state().disks.remove(&vm);
    }

    /// Somebody else's machine.
    pub fn stranger(&self, name: &str) {
        self.state().strangers.push(name.to_owned());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something, or what the next fault says instead.
    async fn call<T>(
        &self,
        call: Call,
        vm: VmId,
        deed: impl FnOnce(&mut State) -> Result<T, MachineError> + Send,
    ) -> Result<T, MachineError> {
        let fault = self.state().fault(call, vm);
        let failed = || MachineError::Failed(format!("{call:?} was made to fail"));
        match fault {
            Some(Fault::Fail) => Err(failed()),
            Some(Fault::Refuse) => Err(MachineError::Refused(format!("{call:?} was refused"))),
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::LoseAnswer) => self.deed(deed).and(Err(failed())),
            None => self.deed(deed),
        }
    }

    fn deed<T>(
        &self,
        deed: impl FnOnce(&mut State) -> Result<T, MachineError>,
    ) -> Result<T, MachineError> {
        let mut state = self.state();
        let result = deed(&mut state);
        if let Some(file) = &self.0.file {
            let away = |error: &dyn std::fmt::Display| MachineError::Away(error.to_string());
            let bytes = serde_json::to_vec(&*state).map_err(|error| away(&error))?;
            hostler_daemon::secret::write(file, &bytes).map_err(|error| away(&error))?;
        }
        result
    }
}

fn guest(state: &mut State, vm: VmId) -> Result<&mut Guest, MachineError> {
    let none = || MachineError::Failed(format!("there is no machine {vm}"));
    state.guests.get_mut(&vm).ok_or_else(none)
}
