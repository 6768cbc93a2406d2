//! A small Linux: a kernel of Debian that was downloaded and not installed, and
//! a first file system of busybox. It says on its serial line what it finds, and
//! does what it is told there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What is started instead of what is on the disk.
pub(crate) struct Boot {
    pub(crate) kernel: PathBuf,
    pub(crate) initrd: PathBuf,
    pub(crate) command_line: &'static str,
}

/// In this order each finds what it needs.
const MODULES: [&str; 16] = [
    "virtio_ring",
    "virtio",
    "virtio_pci_modern_dev",
    "virtio_pci_legacy_dev",
    "virtio_pci",
    "failover",
    "net_failover",
    "virtio_net",
    "virtio_blk",
    "button",
    "evdev",
    "nls_cp437",
    "nls_ascii",
    "nls_utf8",
    "fat",
    "vfat",
];

const INIT: &str = r#"#!/bin/sh
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
for module in $(cat /modules/order); do insmod /modules/$module.ko; done
mkdir -p /seed /etc/acpi/PWRF
for disk in /dev/vd?; do mount -t vfat -o ro $disk /seed 2>/dev/null && break; done
echo "GUEST meta $(cat /seed/meta-data)"
sed 's/^/GUEST user /' /seed/user-data
echo "GUEST disk $(blockdev --getsize64 /dev/vda) $(dd if=/dev/vda bs=16 count=1 2>/dev/null)"
printf '#!/bin/sh\necho GUEST button > /dev/ttyS0; poweroff -f\n' > /etc/acpi/PWRF/00000080
chmod +x /etc/acpi/PWRF/00000080
acpid -d -c /etc/acpi >/dev/null 2>&1 &
ip link set lo up; ip link set eth0 up
udhcpc -i eth0 -n -q -s /bin/true && echo "GUEST network"
echo "GUEST ready"
while read -r line; do eval "$line"; done
"#;

/// The kernel and its first file system, made in `folder`.
pub(crate) fn make(guest: &Path, folder: &Path) -> Boot {
    let kernel = one(&guest.join("boot"), "vmlinuz-");
    let modules = one(&guest.join("lib/modules"), "");
    let root = folder.join("root");
    for path in ["bin", "modules", "proc", "sys", "dev"] {
        fs::create_dir_all(root.join(path)).unwrap();
    }
    fs::copy("/bin/busybox", root.join("bin/busybox")).unwrap();
    std::os::unix::fs::symlink("busybox", root.join("bin/sh")).unwrap();
    for module in MODULES {
        let file = found(&modules, &format!("{module}.ko")).expect(module);
        fs::copy(file, root.join(format!("modules/{module}.ko"))).unwrap();
    }
    fs::write(root.join("modules/order"), MODULES.join("\n")).unwrap();
    fs::write(root.join("init"), INIT).unwrap();
    let initrd = folder.join("initrd");
    let script = "chmod +x init && find . | cpio --quiet -o -H newc";
    let packed = Command::new("sh")
        .args(["-c", script])
        .current_dir(&root)
        .stdout(fs::File::create(&initrd).unwrap())
        .stderr(Stdio::inherit())
        .status();
    assert!(packed.unwrap().success());
    Boot {
        kernel,
        initrd,
        command_line: "console=tty0 console=ttyS0 quiet mitigations=off random.trust_cpu=on",
    }
}

fn one(folder: &Path, beginning: &str) -> PathBuf {
    let entries = fs::read_dir(folder).unwrap().flatten();
    let mut paths = entries.filter(|entry| {
        let name = entry.file_name();
        name.to_string_lossy().starts_with(beginning)
    });
    paths.next().expect("a kernel").path()
}

fn found(folder: &Path, name: &str) -> Option<PathBuf> {
    for entry in fs::read_dir(folder).ok()?.flatten() {
        let path = entry.path();
        if entry.file_type().ok()?.is_dir() {
            if let Some(path) = found(&path, name) {
                return Some(path);
            }
        } else if entry.file_name() == name {
            return Some(path);
        }
    }
    None
}
