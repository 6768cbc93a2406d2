//! The mark in a definition by which we know our machines.

use hostler_core::id::VmId;
use hostler_node::hypervisor::machines::{MachineError, MachineSpec};
use virt::connect::Connect;
use virt::domain::Domain;
use virt::error::ErrorNumber;
use virt::sys;

use crate::link::told;
use crate::options::LibvirtOptions;
use crate::xml::Element;

/// The name space of our mark.
pub(crate) const SPACE: &str = "urn:hostler:vm:1";

/// The mark of a machine.
pub(crate) fn element(spec: &MachineSpec, options: &LibvirtOptions) -> Element {
    Element::new("hostler:vm")
        .with("xmlns:hostler", SPACE)
        .with("id", spec.vm)
        .with("owner", &options.owner)
        .with("project", &spec.project)
}

/// Whose a domain is, if it is ours.
pub(crate) fn read(domain: &Domain, owner: &str) -> Option<VmId> {
    let kind = i32::try_from(sys::VIR_DOMAIN_METADATA_ELEMENT).ok()?;
    let text = domain.get_metadata(kind, Some(SPACE), 0).ok()?;
    let document = roxmltree::Document::parse(&text).ok()?;
    let mark = document.root_element();
    let ours = mark.attribute("owner") == Some(owner);
    let id = mark.attribute("id").filter(|_| ours)?;
    id.parse().ok()
}

/// The domain of a VM, if it is there; an error if it is somebody else's.
pub(crate) fn find(
    connect: &Connect,
    vm: VmId,
    owner: &str,
) -> Result<Option<Domain>, MachineError> {
    let domain = match Domain::lookup_by_uuid(connect, vm.uuid()) {
        Ok(domain) => domain,
        Err(error) if error.code() == ErrorNumber::NoDomain => return Ok(None),
        Err(error) => return Err(told(&error)),
    };
    if read(&domain, owner) == Some(vm) {
        return Ok(Some(domain));
    }
    let text = format!("libvirt has a domain {vm} that is not this node's");
    Err(MachineError::Refused(text))
}

/// The same for one that must be there.
pub(crate) fn get(connect: &Connect, vm: VmId, owner: &str) -> Result<Domain, MachineError> {
    let none = || MachineError::Failed(format!("libvirt has no domain {vm}"));
    find(connect, vm, owner)?.ok_or_else(none)
}
