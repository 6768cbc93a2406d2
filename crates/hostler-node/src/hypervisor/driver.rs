//! Choosing a driver.

use std::ops::Deref;
use std::path::PathBuf;
use std::time::Duration;

use hostler_core::microvm::Accelerator;

use super::process::Process;
use super::qemu::Qemu;
use super::{BootError, DriverChoice, Fake, MicroVms};

/// The driver in use; behaves as the one it holds.
pub(crate) enum Driver {
    Process(Process),
    Qemu(Qemu),
    Fake(Fake),
}

impl Driver {
    /// The chosen driver over the folder `slots`. A kill is given up after
    /// `patience`.
    pub(crate) fn pick(
        choice: &DriverChoice,
        slots: PathBuf,
        agent: PathBuf,
        patience: Duration,
    ) -> Result<Self, BootError> {
        match choice {
            // Processes are the best there is without virtualisation.
            DriverChoice::Best | DriverChoice::Process => {
                Process::new(slots, agent, patience).map(Self::Process)
            }
            DriverChoice::Qemu(options) => {
                Qemu::new(slots, options.clone(), patience).map(Self::Qemu)
            }
            DriverChoice::Fake(fake) => Ok(Self::Fake(fake.clone())),
        }
    }

    /// Whether guests are emulated, so that all they do takes far longer.
    pub(crate) fn is_emulated(&self) -> bool {
        let emulated = |qemu: &Qemu| qemu.accelerator() == Accelerator::Emulation;
        matches!(self, Self::Qemu(qemu) if emulated(qemu))
    }

    /// Removes what the driver keeps beside its machines.
    pub(crate) fn remove(&self) {
        match self {
            Self::Process(process) => process.remove(),
            Self::Qemu(qemu) => qemu.remove(),
            Self::Fake(_) => {}
        }
    }
}

impl Deref for Driver {
    type Target = dyn MicroVms;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Process(process) => process,
            Self::Qemu(qemu) => qemu,
            Self::Fake(fake) => fake,
        }
    }
}
