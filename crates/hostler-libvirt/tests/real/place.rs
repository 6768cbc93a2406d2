//! Where real machines are tried: in name spaces of this test's own (network,
//! mounts, processes), with a libvirt of its own. When the test ends, however it
//! ends, all of it is gone.

use std::path::{Path, PathBuf};
use std::process::Command;

const INSIDE: &str = "HOSTLER_REAL_RUNG";

/// What the machine must have.
const PROGRAMS: [&str; 8] = [
    "libvirtd",
    "virtlogd",
    "qemu-system-x86_64",
    "qemu-img",
    "dnsmasq",
    "busybox",
    "cpio",
    "nats-server",
];

/// libvirt with settings and folders of its own. As root in `qemu.conf`: where
/// `/dev/kvm` is root's alone, libvirt else throws its knowledge of QEMU away at
/// each definition, and asks QEMU again for minutes. That knowledge is kept
/// between runs.
const SET_UP: &str = r#"
set -e
ip link set lo up
cp -r /etc/libvirt "$1/etc"
printf 'user="root"\ngroup="root"\nsecurity_driver="none"\nremember_owner=0\n' >> "$1/etc/qemu.conf"
mount --bind "$1/etc" /etc/libvirt
mkdir -p "$2" /run/libvirt /var/cache/libvirt /var/log/libvirt /var/lib/libvirt
for folder in /run/libvirt /var/log/libvirt /var/lib/libvirt; do mount -t tmpfs none $folder; done
mount --bind "$2" /var/cache/libvirt
mkdir -p /var/lib/libvirt/dnsmasq
rm -f /etc/libvirt/qemu/networks/autostart/*
sysctl -qw net.ipv4.ip_forward=1 || true
# Their usual pid files are outside of what is ours here.
virtlogd -d -p /run/libvirt/virtlogd.pid
libvirtd -d -p /run/libvirt/libvirtd.pid
shift 2
# Not by exec, nor as the last command, which is the same: the first process must
# bury orphans, or libvirt waits for machines that are dead.
status=0
"$@" || status=$?
exit $status
"#;

/// Whether this process is inside.
pub(crate) fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// The guest's kernel, where `scripts/setup test` has put it.
pub(crate) fn kernel() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("guest")
}

/// Why it cannot be tried here.
pub(crate) fn missing() -> Option<String> {
    let lacks = |program: &&&str| {
        let found = Command::new("sh")
            .args(["-c", &format!("command -v {program}")])
            .output();
        !found.is_ok_and(|found| found.status.success())
    };
    let lacking: Vec<_> = PROGRAMS.iter().filter(lacks).collect();
    if !lacking.is_empty() {
        return Some(format!("these programs are missing: {lacking:?}"));
    }
    if !kernel().join("boot").is_dir() {
        return Some("the guest's kernel is missing: scripts/setup test fetches it".to_owned());
    }
    let may = Command::new("unshare")
        .args(["-n", "-m", "-p", "-f", "true"])
        .status();
    (!may.is_ok_and(|status| status.success())).then(|| "only root may make name spaces".to_owned())
}

/// Runs this very test inside; whether it went well.
pub(crate) fn enter(test: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("libvirt-cache")
        .join(test);
    let status = Command::new("unshare")
        .args(["-n", "-m", "-p", "-f", "--mount-proc", "--kill-child"])
        .args(["--propagation", "private", "bash", "-c", SET_UP, "place"])
        .arg(folder.path())
        .arg(cache)
        .arg(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(INSIDE, "1")
        .status();
    status.unwrap().success()
}
