//! Snapshots within the qcow2 files (internal ones), known to libvirt by name.
//!
//! A machine that is on has its memory taken too, whatever was asked: only then
//! does QEMU take all disks at one moment. Going back without memory is going
//! back with the disks alone, to a machine that is off.

use std::time::Duration;

use hostler_core::id::{SnapshotId, VmId};
use hostler_node::hypervisor::machines::{Disks as _, MachineError, SnapshotAct};
use hostler_node::hypervisor::qemu_img::{self, Command};
use virt::connect::Connect;
use virt::domain::Domain;
use virt::domain_snapshot::DomainSnapshot;
use virt::error::ErrorNumber;
use virt::sys;

use crate::link::told;
use crate::look::SNAPSHOT;
use crate::xml::Element;
use crate::{Libvirt, mark};

/// Going back with one disk.
const BACK: Duration = Duration::from_mins(10);

pub(crate) async fn act(of: &Libvirt, vm: VmId, act: SnapshotAct) -> Result<(), MachineError> {
    let owner = of.0.options.owner.clone();
    let link = &of.0.link;
    match act {
        SnapshotAct::Take { id, .. } => {
            link.act(move |connect| take(&mark::get(connect, vm, &owner)?, id))
                .await
        }
        SnapshotAct::Remove { id } => {
            link.act(move |connect| remove(connect, vm, &owner, id))
                .await
        }
        SnapshotAct::Back { id, memory } => {
            let with_memory = link.act(move |connect| back(connect, vm, &owner, id, memory));
            if with_memory.await? {
                return Ok(());
            }
            disks_back(of, vm, id).await
        }
    }
}

fn name(id: SnapshotId) -> String {
    format!("{SNAPSHOT}{id}")
}

fn find(domain: &Domain, id: SnapshotId) -> Result<Option<DomainSnapshot>, MachineError> {
    match DomainSnapshot::lookup_by_name(domain, &name(id), 0) {
        Ok(snapshot) => Ok(Some(snapshot)),
        Err(error) if error.code() == ErrorNumber::NoDomainSnapshot => Ok(None),
        Err(error) => Err(told(&error)),
    }
}

fn take(domain: &Domain, id: SnapshotId) -> Result<(), MachineError> {
    if find(domain, id)?.is_some() {
        return Ok(());
    }
    let text = Element::new("domainsnapshot").child(Element::of("name", name(id)));
    let taken = DomainSnapshot::create_xml(domain, &text.write(), 0);
    taken.map(drop).map_err(|error| told(&error))
}

fn remove(connect: &Connect, vm: VmId, owner: &str, id: SnapshotId) -> Result<(), MachineError> {
    let Some(domain) = mark::find(connect, vm, owner)? else {
        return Ok(());
    };
    match find(&domain, id)? {
        Some(snapshot) => snapshot.delete(0).map_err(|error| told(&error)),
        None => Ok(()),
    }
}

/// Goes back with everything, if memory is asked for and there is some; else
/// only switches off. Whether it went back.
fn back(
    connect: &Connect,
    vm: VmId,
    owner: &str,
    id: SnapshotId,
    memory: bool,
) -> Result<bool, MachineError> {
    let domain = mark::get(connect, vm, owner)?;
    let Some(snapshot) = find(&domain, id)? else {
        let text = "there is no such snapshot".to_owned();
        return Err(MachineError::Refused(text));
    };
    if memory {
        let flags = sys::VIR_DOMAIN_SNAPSHOT_REVERT_FORCE;
        snapshot.revert(flags).map_err(|error| told(&error))?;
        return Ok(true);
    }
    if domain.is_active().map_err(|error| told(&error))? {
        domain.destroy().map_err(|error| told(&error))?;
    }
    Ok(false)
}

async fn disks_back(of: &Libvirt, vm: VmId, id: SnapshotId) -> Result<(), MachineError> {
    let files = of.0.disks.look(vm).await?;
    for disk in files.disks.keys() {
        let path = of.0.disks.folder(vm).join(format!("{disk}.qcow2"));
        let command = Command::new("snapshot").option("-q");
        let command = command.option("-a").option(name(id)).file(&path);
        qemu_img::run(command, BACK).await?;
    }
    Ok(())
}
