//! A machine as libvirt is told it.

use hostler_core::vm::Firmware;
use hostler_node::hypervisor::machines::MachineSpec;

use super::{Element, devices};
use crate::mark;
use crate::options::LibvirtOptions;
use crate::probe::Accelerator;

/// The definition of a machine.
pub(crate) fn domain(spec: &MachineSpec, options: &LibvirtOptions) -> Element {
    let kind = match options.accelerator {
        _ if options.is_mock() => "test",
        Accelerator::Kvm => "kvm",
        Accelerator::Emulation => "qemu",
    };
    let title: String = spec.name.replace(['\n', '\r'], " ");
    Element::new("domain")
        .with("type", kind)
        .child(Element::of(
            "name",
            format!("{}-{}", options.prefix, spec.vm),
        ))
        .child(Element::of("uuid", spec.vm))
        .child(Element::of("title", title))
        .child(Element::new("metadata").child(mark::element(spec, options)))
        .child(Element::of("memory", spec.size.memory.get()).with("unit", "b"))
        .child(Element::of("vcpu", spec.size.cpus))
        .child(system(spec, options))
        .child(features())
        .child(processor(options.accelerator))
        .child(Element::new("clock").with("offset", "utc"))
        .child(Element::of("on_poweroff", "destroy"))
        .child(Element::of("on_reboot", "restart"))
        .child(Element::of("on_crash", "destroy"))
        .child(devices::devices(spec, options))
}

fn system(spec: &MachineSpec, options: &LibvirtOptions) -> Element {
    let kind = Element::of("type", "hvm")
        .with("arch", "x86_64")
        .with("machine", "q35");
    let mut system = Element::new("os");
    if spec.firmware == Firmware::Uefi {
        system = system.with("firmware", "efi");
    }
    system = system.child(kind);
    if spec.firmware == Firmware::Uefi {
        let secure = Element::new("feature")
            .with("enabled", "no")
            .with("name", "secure-boot");
        system = system.child(Element::new("firmware").child(secure));
    }
    match &options.direct_boot {
        Some(boot) => system
            .child(Element::of("kernel", boot.kernel.display()))
            .child(Element::of("initrd", boot.initrd.display()))
            .child(Element::of("cmdline", &boot.command_line)),
        None => system.child(Element::new("boot").with("dev", "hd")),
    }
}

fn features() -> Element {
    Element::new("features")
        .child(Element::new("acpi"))
        .child(Element::new("apic"))
}

fn processor(accelerator: Accelerator) -> Element {
    let mode = match accelerator {
        Accelerator::Kvm => "host-passthrough",
        Accelerator::Emulation => "maximum",
    };
    Element::new("cpu").with("mode", mode)
}
