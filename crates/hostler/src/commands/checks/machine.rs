//! What the machine has: virtualisation, programs, disk, control groups.

use std::path::{Path, PathBuf};
use std::time::Duration;

use hostler_core::microvm::Accelerator;
use hostler_node::hypervisor::qemu::accelerator;

use super::Ground;
use super::finding::Finding;
use super::mend::Mending;
use crate::commands::node_vms;
use crate::up;

/// How long libvirt may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Less than this is too little for disks of VMs.
const VM_DISK_LEAST: u64 = 10 << 30;
/// Less than this is too little for artifacts and a ledger.
const WORK_DISK_LEAST: u64 = 1 << 30;

/// The program that drives libvirt, and libvirt.
pub(super) async fn libvirt() -> Vec<Finding> {
    let program = node_vms::program().map_err(|error| error.to_string());
    let found = match program.clone() {
        Ok(program) => libvirt_found(program).await,
        Err(_) => Err("not looked at".to_owned()),
    };
    let program = program.map(|path| path.display().to_string());
    let fix = "install hostler-machines beside hostler";
    let driver = Finding::new("driver", program, fix);
    let fix = "apt install libvirt-daemon-system, and start libvirtd";
    vec![driver, Finding::new("libvirt", found, fix)]
}

pub(super) fn qemu() -> Finding {
    let fix = "apt install qemu-system-x86";
    Finding::new("qemu", program("qemu-system-x86_64"), fix)
}

pub(super) fn qemu_img() -> Finding {
    Finding::new("qemu-img", program("qemu-img"), "apt install qemu-utils")
}

pub(super) fn dnsmasq() -> Finding {
    Finding::new("dnsmasq", program("dnsmasq"), "apt install dnsmasq-base")
}

pub(super) fn kvm() -> Finding {
    let fix = "switch virtualisation on in the firmware; without it guests are emulated, ten \
               times slower";
    Finding::new("kvm", kvm_found(), fix)
}

pub(super) fn agent(ground: &Ground) -> Finding {
    let found = up::agent(ground.programs.agent.as_deref());
    let found = found.map(|path| path.display().to_string());
    let fix = "put hostler-agent beside this program, or name it: --agent";
    Finding::new("agent", found.map_err(|error| error.to_string()), fix)
}

pub(super) fn disk(data: &Path, is_for_vms: bool) -> Finding {
    let least = if is_for_vms {
        VM_DISK_LEAST
    } else {
        WORK_DISK_LEAST
    };
    let fix = "give the data folder a larger disk: --data";
    Finding::new("disk", disk_found(data, least), fix)
}

pub(super) fn cgroups() -> Finding {
    let fix = "mount control groups at /sys/fs/cgroup; without them nothing limits what work uses";
    Finding::new("cgroups", cgroups_found(), fix)
}

/// What brings a microVM's one connection to the inner server.
pub(super) fn relay() -> Finding {
    Finding::new("microVMs: relay", program("socat"), "apt install socat")
}

/// What microVMs of a node with this data folder boot.
pub(super) fn guest(data: &Path) -> Finding {
    let fix = "hostler rootfs build --out FOLDER, in the data folder's rootfs";
    Finding::new("microVMs: rootfs", guest_found(data), fix)
}

fn guest_found(data: &Path) -> Result<String, String> {
    let opened = hostler_node::rootfs::Rootfs::open(&data.join("rootfs"));
    let size = opened.map_err(|error| error.to_string())?.size;
    let by = accelerator().word();
    Ok(format!("{} MiB, booted by {by}", size.get() >> 20))
}

/// What the program that drives libvirt says of it.
async fn libvirt_found(program: PathBuf) -> Result<String, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let helper = node_vms::begin(program, folder.path(), "doctor", None);
    let begun = helper.begun(PATIENCE).await;
    helper.stop().await;
    begun.map(|about| about.version)
}

fn kvm_found() -> Result<String, String> {
    match accelerator() {
        Accelerator::Kvm => Ok("works".to_owned()),
        Accelerator::Emulation => Err("none that runs guests".to_owned()),
    }
}

/// Where a program is, in the usual folders.
pub(super) fn program(name: &str) -> Result<String, String> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&folders).collect();
    let usual = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    let paths = folders.into_iter().chain(usual);
    found_in(paths.map(|folder| folder.join(name)))
}

/// The first of these that is a file.
pub(super) fn found_in(mut paths: impl Iterator<Item = PathBuf>) -> Result<String, String> {
    let found = paths.find(|path| path.is_file());
    found
        .map(|path| path.display().to_string())
        .ok_or_else(|| "missing".to_owned())
}

/// Of the nearest folder that is there: the data folder may not be made yet.
fn disk_found(data: &Path, least: u64) -> Result<String, String> {
    let there = data.ancestors().find(|folder| folder.exists());
    let stat = rustix::fs::statvfs(there.unwrap_or(Path::new("/")));
    let stat = stat.map_err(|error| error.to_string())?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let text = format!("{} GiB free", free >> 30);
    if free < least { Err(text) } else { Ok(text) }
}

fn cgroups_found() -> Result<String, String> {
    let there = std::fs::read_dir("/sys/fs/cgroup").is_ok_and(|mut all| all.next().is_some());
    if there {
        Ok("mounted".to_owned())
    } else {
        Err("not mounted".to_owned())
    }
}

/// A Debian package that has what is missing.
pub(super) fn package(name: &'static str) -> Option<Mending> {
    program("apt-get").ok().map(|_| Mending::Install(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_and_disks_are_found() {
        assert!(program("sh").is_ok() && program("no-such-program").is_err());
        assert!(disk_found(Path::new("/no/such/folder"), 0).is_ok());
        assert!(disk_found(Path::new("/"), u64::MAX).is_err());
    }
}
