//! Defining, starting and ending.

use async_trait::async_trait;
use hostler_core::id::VmId;
use hostler_core::vm::Power;
use hostler_node::hypervisor::machines::{
    About, MachineError, MachineSpec, Machines, PowerAct, Sight, SnapshotAct,
};
use virt::connect::Connect;
use virt::domain::Domain;
use virt::sys;

use crate::link::told;
use crate::options::LibvirtOptions;
use crate::{Libvirt, filter, look, mark, network, snapshot, xml};

/// Everything that would keep a domain from being undefined.
const WITH_ALL: sys::virDomainUndefineFlagsValues = sys::VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
    | sys::VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
    | sys::VIR_DOMAIN_UNDEFINE_NVRAM;

#[async_trait]
impl Machines for Libvirt {
    fn about(&self) -> About {
        About {
            driver: "libvirt".to_owned(),
            accelerator: self.0.options.accelerator.word().to_owned(),
            version: self.0.version.get().cloned().unwrap_or_default(),
        }
    }

    async fn look(&self) -> Result<Vec<Sight>, MachineError> {
        let owner = self.0.options.owner.clone();
        self.0
            .link
            .act(move |connect| look::all(connect, &owner))
            .await
    }

    async fn define(&self, spec: &MachineSpec) -> Result<(), MachineError> {
        let (options, spec) = (self.0.options.clone(), spec.clone());
        self.0
            .link
            .act(move |connect| define(connect, &spec, &options))
            .await
    }

    async fn power(&self, vm: VmId, act: PowerAct) -> Result<(), MachineError> {
        let options = self.0.options.clone();
        self.0
            .link
            .act(move |connect| power(connect, vm, act, &options))
            .await
    }

    async fn snapshot(&self, vm: VmId, act: SnapshotAct) -> Result<(), MachineError> {
        snapshot::act(self, vm, act).await
    }

    async fn grow(&self, vm: VmId, disk: &str, bytes: u64) -> Result<(), MachineError> {
        let owner = self.0.options.owner.clone();
        let path = self.0.options.folder.join(vm.to_string());
        let path = path.join(format!("{disk}.qcow2")).display().to_string();
        self.0
            .link
            .act(move |connect| {
                let domain = mark::get(connect, vm, &owner)?;
                let flags = sys::VIR_DOMAIN_BLOCK_RESIZE_BYTES;
                let grown = domain.block_resize(&path, bytes, flags);
                grown.map(drop).map_err(|error| told(&error))
            })
            .await
    }

    async fn remove(&self, vm: VmId) -> Result<(), MachineError> {
        let options = self.0.options.clone();
        self.0
            .link
            .act(move |connect| remove(connect, vm, &options))
            .await
    }
}

fn define(
    connect: &Connect,
    spec: &MachineSpec,
    options: &LibvirtOptions,
) -> Result<(), MachineError> {
    // Somebody else's domain of this UUID would be replaced.
    mark::find(connect, spec.vm, &options.owner)?;
    filter::define(connect, spec, options)?;
    let text = xml::domain(spec, options).write();
    Domain::define_xml(connect, &text)
        .map(drop)
        .map_err(|error| told(&error))
}

fn power(
    connect: &Connect,
    vm: VmId,
    act: PowerAct,
    options: &LibvirtOptions,
) -> Result<(), MachineError> {
    let Some(domain) = mark::find(connect, vm, &options.owner)? else {
        let text = format!("libvirt has no domain {vm}");
        return if act == PowerAct::Off {
            Ok(())
        } else {
            Err(MachineError::Failed(text))
        };
    };
    let state = domain.get_state().map_err(|error| told(&error))?.0;
    let done = match (act, look::power(state)) {
        (PowerAct::Start, Power::Off) => {
            if has_nat(&domain, options) {
                network::ensure(connect, options)?;
            }
            domain.create().map(drop)
        }
        (PowerAct::ShutDown, Power::Running) => domain
            .shutdown_flags(sys::VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN)
            .map(drop),
        (PowerAct::Off, Power::Running | Power::Paused) => domain.destroy(),
        (PowerAct::Pause, Power::Running) => domain.suspend().map(drop),
        (PowerAct::Resume, Power::Paused) => domain.resume().map(drop),
        _ => Ok(()),
    };
    done.map_err(|error| told(&error))
}

fn has_nat(domain: &Domain, options: &LibvirtOptions) -> bool {
    let text = domain.get_xml_desc(0).unwrap_or_default();
    let Ok(document) = roxmltree::Document::parse(&text) else {
        return true;
    };
    let mut nodes = document.descendants();
    nodes.any(|node| node.attribute("network") == Some(&options.prefix))
}

fn remove(connect: &Connect, vm: VmId, options: &LibvirtOptions) -> Result<(), MachineError> {
    if let Some(domain) = mark::find(connect, vm, &options.owner)? {
        if domain.is_active().map_err(|error| told(&error))? {
            domain.destroy().map_err(|error| told(&error))?;
        }
        // The mock knows no firmware.
        let unknown = if options.is_mock() {
            sys::VIR_DOMAIN_UNDEFINE_NVRAM
        } else {
            0
        };
        domain
            .undefine_flags(WITH_ALL & !unknown)
            .map_err(|error| told(&error))?;
    }
    filter::remove(connect, vm, options)
}
