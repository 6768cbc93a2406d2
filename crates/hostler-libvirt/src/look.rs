//! What there is.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use hostler_core::Bytes;
use hostler_core::id::SnapshotId;
use hostler_core::vm::{Power, VmSize};
use hostler_node::hypervisor::machines::{MachineError, Sight, Usage};
use virt::connect::Connect;
use virt::domain::Domain;
use virt::error::{Error, ErrorNumber};
use virt::sys;

use crate::link::told;
use crate::mark;

/// What the name of a snapshot of ours begins with.
pub(crate) const SNAPSHOT: &str = "hostler-";

/// Every domain. One that vanishes while it is looked at is not there.
pub(crate) fn all(connect: &Connect, owner: &str) -> Result<Vec<Sight>, MachineError> {
    let domains = connect.list_all_domains(0).map_err(|error| told(&error))?;
    let mut sights = Vec::new();
    for domain in domains {
        match sight(&domain, owner) {
            Ok(sight) => sights.push(sight),
            Err(error) if error.code() == ErrorNumber::NoDomain => {}
            Err(error) => return Err(told(&error)),
        }
    }
    Ok(sights)
}

fn sight(domain: &Domain, owner: &str) -> Result<Sight, Error> {
    let info = domain.get_info()?;
    let vm = mark::read(domain, owner);
    let power = power(info.state);
    let usage = Usage {
        cpu_ns: info.cpu_time,
        memory: info.memory << 10,
    };
    Ok(Sight {
        name: domain.get_name()?,
        uuid: Some(domain.get_uuid_string()?),
        vm,
        power,
        addresses: vm
            .filter(|_| power == Power::Running)
            .map(|_| addresses(domain))
            .unwrap_or_default(),
        snapshots: vm.map_or_else(|| Ok(BTreeSet::new()), |_| snapshots(domain))?,
        size: VmSize {
            cpus: info.nr_virt_cpu,
            memory: Bytes::new(info.max_mem << 10),
            disk: Bytes::new(0),
        },
        usage: (power != Power::Off).then_some(usage),
        details: if vm.is_none() {
            details(domain)
        } else {
            BTreeMap::new()
        },
    })
}

pub(crate) fn power(state: sys::virDomainState) -> Power {
    match state {
        sys::VIR_DOMAIN_SHUTOFF | sys::VIR_DOMAIN_NOSTATE | sys::VIR_DOMAIN_CRASHED => Power::Off,
        sys::VIR_DOMAIN_PAUSED | sys::VIR_DOMAIN_PMSUSPENDED => Power::Paused,
        // Running, blocked, and shutting down: it is in memory.
        _ => Power::Running,
    }
}

/// By the network's leases; what a guest says of itself comes with its agent.
fn addresses(domain: &Domain) -> Vec<IpAddr> {
    let sources = [
        sys::VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE,
        sys::VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT,
    ];
    for source in sources {
        let found = domain.interface_addresses(source, 0).unwrap_or_default();
        let addresses = found.iter().flat_map(|interface| &interface.addrs);
        let addresses = addresses.filter_map(|address| address.addr.parse().ok());
        let addresses: Vec<IpAddr> = addresses.filter(|ip: &IpAddr| !ip.is_loopback()).collect();
        if !addresses.is_empty() {
            return addresses;
        }
    }
    Vec::new()
}

fn snapshots(domain: &Domain) -> Result<BTreeSet<SnapshotId>, Error> {
    let all = domain.list_all_snapshots(0)?;
    let names = all.iter().filter_map(|snapshot| snapshot.get_name().ok());
    Ok(names
        .filter_map(|name| name.strip_prefix(SNAPSHOT)?.parse().ok())
        .collect())
}

/// Where the disks of a stranger are, and what it is connected to.
fn details(domain: &Domain) -> BTreeMap<String, String> {
    let text = domain.get_xml_desc(0).unwrap_or_default();
    let Ok(document) = roxmltree::Document::parse(&text) else {
        return BTreeMap::new();
    };
    let mut details = BTreeMap::new();
    for source in document
        .descendants()
        .filter(|node| node.has_tag_name("source"))
    {
        let kind = source
            .parent()
            .map_or("", |parent| parent.tag_name().name());
        let value = source
            .attributes()
            .next()
            .map(|attribute| attribute.value());
        if let (true, Some(value)) = (matches!(kind, "disk" | "interface"), value) {
            let number = details.len();
            details.insert(format!("{kind}{number}"), value.to_owned());
        }
    }
    details
}
