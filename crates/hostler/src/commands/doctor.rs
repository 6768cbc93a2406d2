//! `hostler node doctor`: whether this machine can hold VMs, and if not, what to
//! do about it. Looks and asks; changes nothing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, bail};
use hostler_node::hypervisor::machines::Machines as _;
use serde::Serialize;

use super::node_vms;
use crate::context::data_folder;
use crate::output::{self, Output};

/// Less than this is too little for disks.
const DISK_LEAST: u64 = 10 << 30;

/// How long libvirt may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    what: &'static str,
    good: bool,
    /// Whether VMs cannot be held without it.
    needed: bool,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<&'static str>,
}

impl Finding {
    fn new(what: &'static str, found: Result<String, String>, fix: &'static str) -> Self {
        let good = found.is_ok();
        Self {
            what,
            good,
            needed: true,
            found: found.unwrap_or_else(|problem| problem),
            fix: (!good).then_some(fix),
        }
    }

    /// One that VMs can be held without.
    fn wished(mut self) -> Self {
        self.needed = false;
        self
    }
}

/// Looks at this machine; fails if VMs cannot be held.
pub(super) async fn doctor(data: Option<PathBuf>, output: Output) -> Result<()> {
    let data = data.map_or_else(|| Ok(data_folder()?.join("node")), anyhow::Ok)?;
    let findings = findings(&data).await;
    output.show(&findings, |findings| {
        let mut table = output::table(&["what", "", "found", "fix"]);
        for finding in findings {
            table.add_row(row(finding));
        }
        table
    })?;
    let bad = findings
        .iter()
        .filter(|finding| finding.needed && !finding.good);
    match bad.count() {
        0 => Ok(()),
        count => bail!("this machine cannot hold VMs: {count} things are missing"),
    }
}

fn row(finding: &Finding) -> [String; 4] {
    let mark = match (finding.good, finding.needed) {
        (true, _) => "good",
        (false, true) => "bad",
        (false, false) => "poor",
    };
    let fix = finding.fix.unwrap_or_default();
    [
        finding.what.to_owned(),
        mark.to_owned(),
        finding.found.clone(),
        fix.to_owned(),
    ]
}

async fn findings(data: &Path) -> Vec<Finding> {
    let driver = node_vms::program();
    let (libvirt, kvm) = libvirt(driver.as_deref().ok()).await;
    let driver = driver.map(|path| path.display().to_string());
    vec![
        Finding::new("driver", driver.map_err(|error| error.to_string()), "install hostler-machines beside hostler"),
        Finding::new("libvirt", libvirt, "apt install libvirt-daemon-system, and start libvirtd"),
        Finding::new("qemu", program("qemu-system-x86_64"), "apt install qemu-system-x86"),
        Finding::new("qemu-img", program("qemu-img"), "apt install qemu-utils"),
        Finding::new("dnsmasq", program("dnsmasq"), "apt install dnsmasq-base"),
        Finding::new("kvm", kvm, "switch virtualisation on in the firmware; without it guests are emulated, ten times slower").wished(),
        Finding::new("disk", disk(data), "give the data folder a larger disk: --data"),
        Finding::new("cgroups", cgroups(), "mount control groups at /sys/fs/cgroup").wished(),
    ]
}

/// The version of libvirt, and whether KVM runs guests, as the driver says.
async fn libvirt(driver: Option<&Path>) -> (Result<String, String>, Result<String, String>) {
    let unknown = || Err("not looked at".to_owned());
    let Some(driver) = driver else {
        return (unknown(), unknown());
    };
    let Ok(folder) = tempfile::tempdir() else {
        return (unknown(), unknown());
    };
    let helper = node_vms::begin(driver.to_owned(), folder.path(), "doctor", None);
    let begun = helper.begun(PATIENCE).await;
    let accelerator = helper.about().accelerator;
    helper.stop().await;
    let kvm = match accelerator.as_str() {
        "" => unknown(),
        "kvm" => Ok("works".to_owned()),
        _ => Err("none that runs guests".to_owned()),
    };
    (begun.map(|about| about.version), kvm)
}

fn program(name: &str) -> Result<String, String> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&folders).collect();
    let usual = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    let mut paths = folders.iter().chain(&usual).map(|folder| folder.join(name));
    let found = paths.find(|path| path.is_file());
    found
        .map(|path| path.display().to_string())
        .ok_or_else(|| "missing".to_owned())
}

/// Of the nearest folder that is there: the data folder may not be made yet.
fn disk(data: &Path) -> Result<String, String> {
    let there = data.ancestors().find(|folder| folder.exists());
    let stat = rustix::fs::statvfs(there.unwrap_or(Path::new("/")));
    let stat = stat.map_err(|error| error.to_string())?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let text = format!("{} GiB free", free >> 30);
    if free < DISK_LEAST {
        Err(text)
    } else {
        Ok(text)
    }
}

fn cgroups() -> Result<String, String> {
    let there = std::fs::read_dir("/sys/fs/cgroup").is_ok_and(|mut all| all.next().is_some());
    if there {
        Ok("mounted".to_owned())
    } else {
        Err("not mounted".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_bad_says_what_to_do_and_what_is_good_does_not() {
        let good = Finding::new("x", Ok("7".into()), "do this");
        assert_eq!((good.good, good.fix), (true, None));
        let bad = Finding::new("x", Err("missing".into()), "do this");
        assert_eq!(
            (bad.good, bad.fix, bad.needed),
            (false, Some("do this"), true)
        );
        assert_eq!(row(&bad)[1], "bad");
        assert_eq!(row(&bad.wished())[1], "poor");
        assert!(program("sh").is_ok() && program("no-such-program").is_err());
    }
}
