//! What may come in to a network card, as filters of libvirt. One per card with
//! rules; what the guest began may always be answered.

use hostler_core::id::VmId;
use hostler_node::hypervisor::machines::{MachineError, MachineSpec};
use hostler_wire::node_api::{FirewallRule, Protocol};
use uuid::Uuid;
use virt::connect::Connect;
use virt::error::ErrorNumber;
use virt::nwfilter::NWFilter;

use crate::link::told;
use crate::options::LibvirtOptions;
use crate::xml::Element;

/// The name of the filter of a card.
pub(crate) fn name(options: &LibvirtOptions, vm: VmId, index: usize) -> String {
    format!("{}-{vm}-{index}", options.prefix)
}

/// Makes the filters of a machine what its cards say.
pub(crate) fn define(
    connect: &Connect,
    spec: &MachineSpec,
    options: &LibvirtOptions,
) -> Result<(), MachineError> {
    for (index, nic) in spec.nics.iter().enumerate() {
        if let Some(rules) = &nic.incoming {
            let name = name(options, spec.vm, index);
            let text = element(&name, rules).write();
            NWFilter::define_xml(connect, &text).map_err(|error| told(&error))?;
        }
    }
    Ok(())
}

/// Removes the filters of a machine that is not defined any more.
pub(crate) fn remove(
    connect: &Connect,
    vm: VmId,
    options: &LibvirtOptions,
) -> Result<(), MachineError> {
    let ours = format!("{}-{vm}-", options.prefix);
    let all = connect.list_all_nw_filters(0);
    let all = match all {
        Ok(all) => all,
        // A libvirt without filters has none of ours.
        Err(error) if error.code() == ErrorNumber::NoSupport => return Ok(()),
        Err(error) => return Err(told(&error)),
    };
    for filter in all {
        let is_ours = filter.get_name().is_ok_and(|name| name.starts_with(&ours));
        if is_ours {
            filter.undefine().map_err(|error| told(&error))?;
        }
    }
    Ok(())
}

fn element(name: &str, rules: &[FirewallRule]) -> Element {
    let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes());
    let addresses = Element::new("udp")
        .with("srcportstart", 67)
        .with("dstportstart", 68);
    let everything = ["all", "all-ipv6"];
    Element::new("filter")
        .with("name", name)
        .with("chain", "root")
        .child(Element::of("uuid", id))
        .children(rules.iter().flat_map(allowed))
        .child(rule("accept", "in", 500, addresses))
        .children(everything.map(|all| rule("accept", "out", 600, Element::new(all))))
        .children(everything.map(|all| rule("drop", "in", 900, Element::new(all))))
}

fn rule(action: &str, direction: &str, priority: u32, what: Element) -> Element {
    Element::new("rule")
        .with("action", action)
        .with("direction", direction)
        .with("priority", priority)
        .child(what)
}

/// One rule for each version of the address, unless the source has one.
fn allowed(of: &FirewallRule) -> Vec<Element> {
    let source = of.source.as_deref();
    let versions: &[bool] = match source {
        None => &[false, true],
        Some(source) if source.contains(':') => &[true],
        Some(_) => &[false],
    };
    let made = versions.iter().map(|v6| matched(of, *v6));
    made.map(|what| rule("accept", "in", 500, what)).collect()
}

fn matched(of: &FirewallRule, v6: bool) -> Element {
    let name = match (of.protocol, v6) {
        (Protocol::Tcp, false) => "tcp",
        (Protocol::Tcp, true) => "tcp-ipv6",
        (Protocol::Udp, false) => "udp",
        (Protocol::Udp, true) => "udp-ipv6",
        (Protocol::Icmp, false) => "icmp",
        (Protocol::Icmp, true) => "icmpv6",
    };
    let mut what = Element::new(name);
    if let Some(source) = &of.source {
        let full = if v6 { "128" } else { "32" };
        let (address, length) = source.split_once('/').unwrap_or((source, full));
        what = what.with("srcipaddr", address).with("srcipmask", length);
    }
    match of.from_port.filter(|_| of.protocol != Protocol::Icmp) {
        Some(from) => what
            .with("dstportstart", from)
            .with("dstportend", of.to_port.unwrap_or(from)),
        None => what,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_become_a_filter_that_drops_the_rest() {
        let rules = [
            FirewallRule {
                protocol: Protocol::Tcp,
                from_port: Some(22),
                to_port: None,
                source: Some("10.0.0.0/8".into()),
            },
            FirewallRule {
                protocol: Protocol::Icmp,
                from_port: Some(1),
                to_port: None,
                source: None,
            },
        ];
        let text = element("f", &rules).write();
        let document = roxmltree::Document::parse(&text).unwrap();
        let named = |name: &str| document.descendants().find(|node| node.has_tag_name(name));
        let tcp = named("tcp").unwrap();
        assert_eq!(tcp.attribute("srcipaddr"), Some("10.0.0.0"));
        assert_eq!(tcp.attribute("dstportend"), Some("22"));
        assert!(named("tcp-ipv6").is_none());
        assert_eq!(named("icmp").unwrap().attributes().count(), 0);
        let last = document.root_element().last_element_child().unwrap();
        assert_eq!(last.attribute("action"), Some("drop"));
    }
}
