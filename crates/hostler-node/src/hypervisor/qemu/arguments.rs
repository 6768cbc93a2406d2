//! The monitor's command line. Everybody on the host can read it: it holds no
//! secret. Its paths that begin with nothing are in the machine's own folder,
//! because a socket's path must be short.

use std::ffi::OsString;
use std::path::Path;

use hostler_core::id::SlotId;
use hostler_core::microvm::Accelerator;
use hostler_wire::agent::{GUEST_ADDRESS, GUEST_FILE};

use super::Machine;

/// Where the guest finds the node's NATS.
pub(super) const NATS_HOST: &str = "10.0.2.100";
/// Its port there.
pub(super) const NATS_PORT: u16 = 4222;
/// The monitor's control socket.
pub(super) const CONTROL: &str = "qmp";
/// The file of what only the guest's superuser is told.
pub(super) const TOLD: &str = "told.json";

const ADDRESS: &str = "10.0.2.15/24";
/// Mebibytes for emulated code: by default it would grow to a gibibyte.
const CODE: u32 = 32;

/// What differs between machines.
pub(super) struct One {
    /// Which it is.
    pub(super) slot: SlotId,
    /// The port of the inner NATS on loopback.
    pub(super) nats_port: u16,
    /// Whom the monitor becomes once it has opened everything; absent: it may
    /// not change, and stays who it is.
    pub(super) user: Option<u32>,
}

/// All of it.
pub(super) fn arguments(machine: &Machine, one: &One) -> Vec<OsString> {
    let mebibytes = machine.size.booted().get() >> 20;
    let accelerator = match machine.accelerator {
        Accelerator::Kvm => "kvm".to_owned(),
        Accelerator::Emulation => format!("tcg,tb-size={CODE}"),
    };
    let words = [
        ("-name", format!("hostler-{}", one.slot)),
        ("-machine", "microvm,rtc=on".to_owned()),
        ("-accel", accelerator),
        ("-cpu", "max".to_owned()),
        ("-smp", machine.options.cpus.to_string()),
        ("-m", mebibytes.to_string()),
        ("-append", kernel_line(machine.accelerator)),
        ("-fw_cfg", format!("name={GUEST_FILE},file={TOLD}")),
        ("-netdev", network(&machine.options.relay, one.nats_port)),
        ("-device", "virtio-net-device,netdev=link".to_owned()),
        ("-device", "virtio-balloon-device".to_owned()),
        ("-object", "rng-builtin,id=random".to_owned()),
        ("-device", "virtio-rng-device,rng=random".to_owned()),
        ("-serial", "file:console.log".to_owned()),
        ("-qmp", format!("unix:{CONTROL},server=on,wait=off")),
        ("-display", "none".to_owned()),
        (
            "-sandbox",
            "on,obsolete=deny,resourcecontrol=deny".to_owned(),
        ),
    ];
    let bare = ["-nodefaults", "-no-user-config", "-no-reboot"];
    let mut all: Vec<OsString> = bare.map(OsString::from).into();
    for (flag, value) in words {
        all.extend([flag.into(), value.into()]);
    }
    all.extend(["-kernel".into(), machine.rootfs.kernel.clone().into()]);
    all.extend(["-initrd".into(), machine.rootfs.initramfs.clone().into()]);
    if let Some(user) = one.user {
        all.extend(["-runas".into(), format!("{user}:{user}").into()]);
    }
    all
}

/// The first console is the serial line; a panic is the end of the machine.
/// Emulated, some kernels wait for ever to find out how fast their clock is,
/// unless they are told, rightly or not.
fn kernel_line(accelerator: Accelerator) -> String {
    let usual =
        format!("console=ttyS0 quiet panic=-1 random.trust_cpu=on {GUEST_ADDRESS}={ADDRESS}");
    match accelerator {
        Accelerator::Kvm => usual,
        Accelerator::Emulation => format!(
            "{usual} tsc_early_khz=2000000 tsc=reliable no_timer_check mitigations=off nokaslr"
        ),
    }
}

/// A network of the guest's own, from which nothing leads out but one port.
fn network(relay: &Path, port: u16) -> String {
    let relay = relay.to_string_lossy();
    let command = format!("{relay} STDIO TCP4:127.0.0.1:{port},nodelay");
    // A comma would end the value.
    let command = command.replace(',', ",,");
    format!("user,id=link,ipv6=off,restrict=on,guestfwd=tcp:{NATS_HOST}:{NATS_PORT}-cmd:{command}")
}

#[cfg(test)]
mod tests {
    use hostler_core::Bytes;
    use hostler_core::microvm::GuestSize;

    use super::*;
    use crate::hypervisor::qemu::QemuOptions;
    use crate::rootfs::Rootfs;

    fn line(accelerator: Accelerator, user: Option<u32>) -> String {
        let machine = Machine {
            options: QemuOptions::new("/r"),
            rootfs: Rootfs {
                kernel: "/r/vmlinuz".into(),
                initramfs: "/r/initramfs".into(),
                size: Bytes::mib(40),
            },
            size: GuestSize {
                work: Bytes::mib(256),
                files: Bytes::mib(40),
            },
            accelerator,
        };
        let one = One {
            slot: SlotId::from_parts(7, [0; 8]),
            nats_port: 4321,
            user,
        };
        let words = arguments(&machine, &one);
        let words = words.iter().map(|word| word.to_string_lossy());
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_one_way_out_is_the_port_of_the_inner_nats() {
        let text = line(Accelerator::Emulation, None);
        let way = "restrict=on,guestfwd=tcp:10.0.2.100:4222-cmd:\
             socat STDIO TCP4:127.0.0.1:4321,,nodelay";
        assert!(text.contains(way), "{text}");
        assert_eq!(text.matches("-netdev").count(), 1);
    }

    #[test]
    fn an_emulated_kernel_is_told_how_fast_its_clock_is() {
        let check = |accelerator, expected| {
            let text = line(accelerator, None);
            assert_eq!(text.contains("tsc_early_khz="), expected, "{text}");
            assert!(text.contains(accelerator.word()));
            assert!(text.contains(" -m 408 "), "{text}");
        };
        check(Accelerator::Emulation, true);
        check(Accelerator::Kvm, false);
    }

    #[test]
    fn the_superuser_s_monitor_becomes_somebody_else() {
        assert!(line(Accelerator::Kvm, Some(61_200)).ends_with("-runas 61200:61200"));
        assert!(!line(Accelerator::Kvm, None).contains("-runas"));
    }
}
