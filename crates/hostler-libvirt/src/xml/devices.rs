//! The devices of a machine. Nothing of them listens on a network: screen and
//! serial line are sockets in the file system.

use hostler_node::hypervisor::machines::{DiskFile, MachineSpec};
use hostler_wire::node_api::{Network, Nic};

use super::Element;
use crate::filter;
use crate::options::LibvirtOptions;

/// The serial line's socket in a machine's folder.
pub(crate) const SERIAL: &str = "serial.sock";
/// What the serial line said.
const SERIAL_LOG: &str = "serial.log";

/// All devices.
pub(super) fn devices(spec: &MachineSpec, options: &LibvirtOptions) -> Element {
    let disks = spec.disks.iter().zip('a'..='z');
    let nics = spec.nics.iter().enumerate();
    Element::new("devices")
        .children(disks.map(|(disk, letter)| self::disk(disk, letter)))
        .children(seed(spec))
        .children(nics.map(|(index, nic)| self::nic(spec, options, index, nic)))
        .child(serial(spec))
        .child(agent())
        .child(
            Element::new("input")
                .with("type", "tablet")
                .with("bus", "usb"),
        )
        .child(screen())
        .child(video())
        .child(randomness())
}

fn disk(disk: &DiskFile, letter: char) -> Element {
    let driver = Element::new("driver")
        .with("name", "qemu")
        .with("type", "qcow2")
        .with("discard", "unmap");
    let target = format!("vd{letter}");
    Element::new("disk")
        .with("type", "file")
        .with("device", "disk")
        .child(driver)
        .child(Element::new("source").with("file", disk.path.display()))
        .child(
            Element::new("target")
                .with("dev", target)
                .with("bus", "virtio"),
        )
        .child(Element::of("serial", serial_number(&disk.name)))
}

/// Guests find a disk by its name: at most 20 letters of it.
fn serial_number(name: &str) -> String {
    name.chars().take(20).collect()
}

/// Read-only, so that it is no part of a snapshot.
fn seed(spec: &MachineSpec) -> Option<Element> {
    let driver = Element::new("driver")
        .with("name", "qemu")
        .with("type", "raw");
    let target = Element::new("target")
        .with("dev", "vdz")
        .with("bus", "virtio");
    spec.seed.is_file().then(|| {
        Element::new("disk")
            .with("type", "file")
            .with("device", "disk")
            .child(driver)
            .child(Element::new("source").with("file", spec.seed.display()))
            .child(target)
            .child(Element::new("readonly"))
    })
}

fn nic(spec: &MachineSpec, options: &LibvirtOptions, index: usize, nic: &Nic) -> Element {
    let (kind, source) = match &nic.network {
        Network::Nat => (
            "network",
            Element::new("source").with("network", &options.prefix),
        ),
        Network::Bridge { bridge } => ("bridge", Element::new("source").with("bridge", bridge)),
    };
    let filter = nic.incoming.as_ref().map(|_| {
        let name = filter::name(options, spec.vm, index);
        Element::new("filterref").with("filter", name)
    });
    Element::new("interface")
        .with("type", kind)
        .child(Element::new("mac").with("address", &nic.mac))
        .child(source)
        .child(Element::new("model").with("type", "virtio"))
        .children(filter)
}

fn serial(spec: &MachineSpec) -> Element {
    let socket = spec.folder.join(SERIAL);
    let log = spec.folder.join(SERIAL_LOG);
    Element::new("serial")
        .with("type", "unix")
        .child(
            Element::new("source")
                .with("mode", "bind")
                .with("path", socket.display()),
        )
        .child(
            Element::new("log")
                .with("file", log.display())
                .with("append", "on"),
        )
        .child(
            Element::new("target")
                .with("type", "isa-serial")
                .with("port", 0),
        )
}

fn agent() -> Element {
    let target = Element::new("target").with("type", "virtio");
    let target = target.with("name", "org.qemu.guest_agent.0");
    Element::new("channel").with("type", "unix").child(target)
}

/// libvirt chooses where the socket is.
fn screen() -> Element {
    let listen = Element::new("listen").with("type", "socket");
    Element::new("graphics").with("type", "vnc").child(listen)
}

fn video() -> Element {
    let model = Element::new("model")
        .with("type", "vga")
        .with("vram", 16_384);
    Element::new("video").child(model)
}

fn randomness() -> Element {
    let backend = Element::of("backend", "/dev/urandom").with("model", "random");
    Element::new("rng").with("model", "virtio").child(backend)
}
