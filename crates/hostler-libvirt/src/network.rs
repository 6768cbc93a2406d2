//! The network of our own behind address translation. It is ours by its UUID,
//! which follows from owner and name: this libvirt keeps no marks in networks.

use hostler_node::hypervisor::machines::MachineError;
use uuid::Uuid;
use virt::connect::Connect;
use virt::error::ErrorNumber;
use virt::network::Network;

use crate::link::told;
use crate::options::LibvirtOptions;
use crate::xml::Element;

/// Has the network there and running.
pub(crate) fn ensure(connect: &Connect, options: &LibvirtOptions) -> Result<(), MachineError> {
    let found = Network::lookup_by_name(connect, &options.prefix);
    let network = match found {
        Ok(network) => network,
        Err(error) if error.code() == ErrorNumber::NoNetwork => {
            let text = element(options).write();
            Network::define_xml(connect, &text).map_err(|error| told(&error))?
        }
        Err(error) => return Err(told(&error)),
    };
    if network.get_uuid().map_err(|error| told(&error))? != id(options) {
        let name = &options.prefix;
        let text = format!("libvirt has a network '{name}' that is not this node's");
        return Err(MachineError::Refused(text));
    }
    if !network.is_active().map_err(|error| told(&error))?
        && let Err(error) = network.create()
        && !network.is_active().unwrap_or(false)
    {
        return Err(told(&error));
    }
    Ok(())
}

fn id(options: &LibvirtOptions) -> Uuid {
    let name = format!("{}/{}", options.owner, options.prefix);
    Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes())
}

fn element(options: &LibvirtOptions) -> Element {
    let nat = &options.nat;
    let range = Element::new("range")
        .with("start", nat.address(2))
        .with("end", nat.address(254));
    let ip = Element::new("ip")
        .with("address", nat.address(1))
        .with("netmask", "255.255.255.0")
        .child(Element::new("dhcp").child(range));
    // Whether an address is free is known from the leases; asking takes seconds.
    let quick = Element::new("dnsmasq:option").with("value", "no-ping");
    let bridge = Element::new("bridge")
        .with("name", &nat.bridge)
        .with("stp", "off");
    Element::new("network")
        .with(
            "xmlns:dnsmasq",
            "http://libvirt.org/schemas/network/dnsmasq/1.0",
        )
        .child(Element::of("name", &options.prefix))
        .child(Element::of("uuid", id(options)))
        .child(Element::new("forward").with("mode", "nat"))
        .child(bridge.with("delay", 0))
        .child(ip)
        .child(Element::new("dnsmasq:options").child(quick))
}
