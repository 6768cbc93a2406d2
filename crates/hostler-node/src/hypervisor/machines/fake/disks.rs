//! Their disks.

use std::path::PathBuf;

use async_trait::async_trait;
use hostler_core::id::VmId;

use super::FakeMachines;
use super::state::{Call, Disk, State};
use crate::hypervisor::machines::{DiskOrigin, DiskPlan, DiskSeen, Disks, Files, MachineError};

#[async_trait]
impl Disks for FakeMachines {
    async fn make(&self, plan: &DiskPlan) -> Result<(), MachineError> {
        let plan = plan.clone();
        self.call(Call::MakeDisk, plan.vm, move |state| make(state, plan))
            .await
    }

    async fn grow(&self, vm: VmId, disk: &str, bytes: u64) -> Result<(), MachineError> {
        let deed = |state: &mut State| grow(state, vm, disk, bytes);
        self.call(Call::GrowDisk, vm, deed).await
    }

    async fn look(&self, vm: VmId) -> Result<Files, MachineError> {
        self.call(Call::LookFiles, vm, |state| Ok(files(state, vm)))
            .await
    }

    async fn remove(&self, vm: VmId) -> Result<(), MachineError> {
        self.call(Call::RemoveFiles, vm, |state| {
            state.disks.remove(&vm);
            Ok(())
        })
        .await
    }

    fn folder(&self, vm: VmId) -> PathBuf {
        self.0.folder.join(vm.to_string())
    }
}

fn make(state: &mut State, plan: DiskPlan) -> Result<(), MachineError> {
    let content = match plan.origin {
        DiskOrigin::Copy { of } => {
            let disk = state.disks.get(&of).and_then(|disks| disks.get("root"));
            let none = || MachineError::Refused(format!("there is no disk of {of}"));
            disk.ok_or_else(none)?.content
        }
        DiskOrigin::Image { .. } | DiskOrigin::Blank => 0,
    };
    let bytes = plan.bytes;
    let disks = state.disks.entry(plan.vm).or_default();
    disks.entry(plan.name).or_insert(Disk { bytes, content });
    Ok(())
}

pub(super) fn grow(
    state: &mut State,
    vm: VmId,
    name: &str,
    bytes: u64,
) -> Result<(), MachineError> {
    let disk = state
        .disks
        .get_mut(&vm)
        .and_then(|disks| disks.get_mut(name));
    let none = || MachineError::Failed("there is no such disk".into());
    let disk = disk.ok_or_else(none)?;
    disk.bytes = disk.bytes.max(bytes);
    Ok(())
}

fn files(state: &State, vm: VmId) -> Files {
    let disks = state.disks.get(&vm);
    let each = disks.into_iter().flatten();
    Files {
        disks: each
            .map(|(name, disk)| (name.clone(), seen(disk)))
            .collect(),
        bases: [].into(),
        any: disks.is_some(),
    }
}

fn seen(disk: &Disk) -> DiskSeen {
    DiskSeen {
        bytes: disk.bytes,
        used: 0,
    }
}
