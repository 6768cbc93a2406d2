//! Choosing a driver.

use std::ops::Deref;
use std::path::PathBuf;
use std::time::Duration;

use super::process::Process;
use super::{BootError, DriverChoice, Fake, MicroVms};

/// The driver in use; behaves as the one it holds.
pub(crate) enum Driver {
    Process(Process),
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
            DriverChoice::Fake(fake) => Ok(Self::Fake(fake.clone())),
        }
    }

    /// Removes what the driver keeps beside its machines.
    pub(crate) fn remove(&self) {
        match self {
            Self::Process(process) => process.remove(),
            Self::Fake(_) => {}
        }
    }
}

impl Deref for Driver {
    type Target = dyn MicroVms;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Process(process) => process,
            Self::Fake(fake) => fake,
        }
    }
}
