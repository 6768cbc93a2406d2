//! Every check there is, and who asks for it.

use super::{Ground, finding::Finding, machine, nats, sandbox};

/// What a machine is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// One that holds VMs of users.
    Vms,
    /// A node whose slots are processes.
    Processes,
    /// A node whose configuration asks for a microVM for each slot.
    Machines,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Check {
    CniPlugins,
    Binaries,
    CniConfiguration,
    Kernel,
    RootFs,
    Libvirt,
    Qemu,
    QemuImg,
    Dnsmasq,
    Kvm,
    NatsServer,
    Agent,
    JetStream,
    Disk,
    Cgroups,
    Relay,
    Guest,
}

use Check as C;

/// In the order in which they are shown; the first five are the original's.
const CHECKS: [Check; 17] = [
    C::CniPlugins,
    C::Binaries,
    C::CniConfiguration,
    C::Kernel,
    C::RootFs,
    C::Libvirt,
    C::Qemu,
    C::QemuImg,
    C::Dnsmasq,
    C::Kvm,
    C::NatsServer,
    C::Agent,
    C::JetStream,
    C::Disk,
    C::Cgroups,
    C::Relay,
    C::Guest,
];

/// Whether a check is asked for, and then whether what it looks for is needed.
fn is_needed(check: Check, purpose: Purpose) -> Option<bool> {
    use Purpose::{Machines, Vms};
    let is_for_vms = purpose == Vms;
    match check {
        C::CniPlugins | C::Binaries | C::CniConfiguration | C::Kernel | C::RootFs => {
            (purpose == Machines).then_some(true)
        }
        C::Libvirt | C::Qemu | C::QemuImg | C::Dnsmasq => is_for_vms.then_some(true),
        C::Kvm | C::Cgroups => Some(false),
        C::Relay | C::Guest => is_for_vms.then_some(false),
        C::NatsServer | C::Agent | C::JetStream => (!is_for_vms).then_some(true),
        C::Disk => Some(true),
    }
}

/// Looks at everything that this purpose asks for.
pub(super) async fn findings(purpose: Purpose, ground: &Ground) -> Vec<Finding> {
    let mut findings = Vec::new();
    for check in CHECKS {
        let Some(needed) = is_needed(check, purpose) else {
            continue;
        };
        for mut finding in look(check, purpose, ground).await {
            finding.needed = finding.needed && needed;
            findings.push(finding);
        }
    }
    findings
}

async fn look(check: Check, purpose: Purpose, ground: &Ground) -> Vec<Finding> {
    vec![match check {
        C::CniPlugins => return sandbox::plugins(ground),
        C::Binaries => sandbox::firecracker(ground),
        C::CniConfiguration => sandbox::network(ground),
        C::Kernel => sandbox::kernel(ground),
        C::RootFs => sandbox::root_fs(ground),
        C::Libvirt => return machine::libvirt().await,
        C::Qemu => machine::qemu(),
        C::QemuImg => machine::qemu_img(),
        C::Dnsmasq => machine::dnsmasq(),
        C::Kvm => machine::kvm(),
        C::NatsServer => nats::server(ground),
        C::Agent => machine::agent(ground),
        C::JetStream => nats::jetstream(ground).await,
        C::Disk => machine::disk(&ground.data, purpose == Purpose::Vms),
        C::Cgroups => machine::cgroups(),
        C::Relay => machine::relay(),
        C::Guest => machine::guest(&ground.data),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_view_asks_for_its_own_and_the_five_only_where_machines_are_wanted() {
        let count = |purpose| {
            let asked = CHECKS.map(|check| is_needed(check, purpose));
            let needed = asked.iter().filter(|needed| **needed == Some(true)).count();
            (asked.iter().flatten().count(), needed)
        };
        assert_eq!(count(Purpose::Vms), (9, 5));
        assert_eq!(count(Purpose::Processes), (6, 4));
        assert_eq!(count(Purpose::Machines), (11, 9));
        for five in &CHECKS[..5] {
            assert_eq!(is_needed(*five, Purpose::Processes), None);
            assert_eq!(is_needed(*five, Purpose::Machines), Some(true));
        }
    }
}
