//! An order for a VM, checked and put into the words of the next act and of
//! the driver.

use std::path::Path;
use std::time::Duration;

use data_encoding::HEXLOWER;
use hostler_core::vm::{DiskFact, VmGoal, VmWanted};
use hostler_wire::node_api::{DiskSource, Network, Nic, VmEnsure, VmOrder};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::VmEnsureError;
use super::record::VmRecord;
use crate::artifacts::is_digest;
use crate::hypervisor::machines::{DiskFile, Disks, MachineSpec};

/// The name of the first disk.
pub(super) const ROOT: &str = "root";
/// The largest disk, in bytes: what qcow2 files can be asked to be.
const DISK_MOST: u64 = 64 << 40;
const MEMORY_MOST: u64 = 16 << 40;
const CPUS_MOST: u32 = 512;
/// Bytes of what a guest is told; the image it travels in is not much larger.
const SEED_MOST: usize = 512 << 10;
const DISKS_MOST: usize = 16;
const NICS_MOST: usize = 16;

/// Checks an order before anything is done by it.
pub(super) fn check(ensure: &VmEnsure) -> Result<(), VmEnsureError> {
    let wrong = |text: String| Err(VmEnsureError::Invalid(text));
    match (ensure.goal, &ensure.order) {
        (VmGoal::Gone, _) => Ok(()),
        (_, None) => wrong("an order for a VM that stays needs 'order'".into()),
        (_, Some(order)) => match mistake(order) {
            Some(mistake) => wrong(mistake),
            None => Ok(()),
        },
    }
}

fn mistake(order: &VmOrder) -> Option<String> {
    let disks = order
        .disks
        .iter()
        .map(|disk| (&*disk.name, disk.size.get()));
    let root = (ROOT, order.size.disk.get());
    let bad_disk = |&(_, bytes): &(&str, u64)| bytes == 0 || bytes > DISK_MOST;
    let seed = &order.seed;
    let texts = [
        &seed.user_data,
        &seed.network_config,
        &seed.user,
        &seed.keyboard,
    ];
    let told: usize = texts.into_iter().flatten().map(String::len).sum();
    let told = told + seed.hostname.len() + seed.ssh_keys.iter().map(String::len).sum::<usize>();
    let checks = [
        (order.size.cpus == 0 || order.size.cpus > CPUS_MOST, "cpus"),
        (
            order.size.memory.get() < 1 << 20 || order.size.memory.get() > MEMORY_MOST,
            "memory",
        ),
        (
            disks.clone().chain([root]).any(|disk| bad_disk(&disk)),
            "the size of a disk",
        ),
        (order.disks.len() > DISKS_MOST, "the number of disks"),
        (!names_are_good(order), "the name of a disk"),
        (
            order.nics.len() > NICS_MOST || !order.nics.iter().all(nic_is_good),
            "a network card",
        ),
        (!root_is_good(&order.root), "the image"),
        (told > SEED_MOST, "the size of what the guest is told"),
    ];
    let wrong = checks.into_iter().find(|(is_wrong, _)| *is_wrong);
    wrong.map(|(_, what)| format!("{what} is out of bounds"))
}

fn names_are_good(order: &VmOrder) -> bool {
    let mut names: Vec<&str> = order.disks.iter().map(|disk| &*disk.name).collect();
    names.push(ROOT);
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let good = |name: &&str| (1..=32).contains(&name.len()) && name.bytes().all(plain);
    let all_good = names.iter().all(good);
    names.sort_unstable();
    all_good && names.windows(2).all(|pair| pair[0] != pair[1])
}

fn nic_is_good(nic: &Nic) -> bool {
    let parts: Vec<&str> = nic.mac.split(':').collect();
    let hex = |part: &&str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let bridge = match &nic.network {
        Network::Nat => true,
        Network::Bridge { bridge } => {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            (1..=15).contains(&bridge.len()) && bridge.bytes().all(plain)
        }
    };
    let rules = nic.incoming.iter().flatten();
    let sources_are_good = rules
        .filter_map(|rule| rule.source.as_deref())
        .all(source_is_good);
    parts.len() == 6 && parts.iter().all(hex) && bridge && sources_are_good
}

/// An address, or one and the length of a network.
fn source_is_good(source: &str) -> bool {
    let (address, length) = source.split_once('/').unwrap_or((source, "0"));
    let address: Option<std::net::IpAddr> = address.parse().ok();
    let most = address.map(|address| if address.is_ipv4() { 32 } else { 128 });
    let length: Option<u8> = length.parse().ok();
    matches!((most, length), (Some(most), Some(length)) if length <= most)
}

fn root_is_good(root: &DiskSource) -> bool {
    match root {
        DiskSource::Image { digest, format, .. } => {
            is_digest(digest) && matches!(&**format, "qcow2" | "raw")
        }
        DiskSource::Clone { .. } | DiskSource::Blank => true,
    }
}

/// What the next act needs to know of an order.
pub(super) fn wanted(record: &VmRecord, definition: u64) -> VmWanted {
    let order = record.order.as_ref();
    VmWanted {
        goal: record.goal,
        disks: order.map(disks).unwrap_or_default(),
        definition,
        stop_deadline: Duration::from_millis(order.map_or(0, |order| order.stop_deadline_ms)),
        autostart: order.is_some_and(|order| order.autostart),
        reboots: order.map_or(0, |order| order.reboots),
        snapshots: order.map_or_else(Vec::new, |order| {
            order.snapshots.iter().map(|snapshot| snapshot.id).collect()
        }),
        rollback: order
            .and_then(|order| order.rollback.as_ref())
            .map(|rollback| (rollback.number, rollback.to)),
    }
}

fn disks(order: &VmOrder) -> Vec<DiskFact> {
    let root = DiskFact {
        name: ROOT.to_owned(),
        bytes: order.size.disk.get(),
        needs_image: matches!(order.root, DiskSource::Image { .. }),
    };
    let more = order.disks.iter().map(|disk| DiskFact {
        name: disk.name.clone(),
        bytes: disk.size.get(),
        needs_image: false,
    });
    std::iter::once(root).chain(more).collect()
}

/// What the driver is told of a VM.
pub(super) fn spec(record: &VmRecord, disks: &dyn Disks) -> Option<MachineSpec> {
    let order = record.order.as_ref()?;
    let folder = disks.folder(record.id);
    let names = std::iter::once(ROOT).chain(order.disks.iter().map(|disk| &*disk.name));
    Some(MachineSpec {
        vm: record.id,
        name: order.name.clone(),
        project: order.project.clone(),
        size: order.size,
        firmware: order.firmware,
        disks: names.map(|name| disk_file(&folder, name)).collect(),
        nics: order.nics.clone(),
        seed: folder.join(crate::seed::FILE),
        folder,
    })
}

fn disk_file(folder: &Path, name: &str) -> DiskFile {
    DiskFile {
        name: name.to_owned(),
        path: folder.join(format!("{name}.qcow2")),
    }
}

/// Stands for a definition, and for the devices in it.
pub(super) fn numbers(spec: &MachineSpec) -> (u64, u64) {
    let devices = (&spec.firmware, &spec.disks, &spec.nics);
    (number(&(spec, spec.size.cpus)), number(&devices))
}

/// The same in every life of the daemon for what is written alike.
fn number(of: &impl Serialize) -> u64 {
    let text = serde_json::to_vec(of).unwrap_or_default();
    let digest = HEXLOWER.encode(&Sha256::digest(&text)[..8]);
    u64::from_str_radix(&digest, 16).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::testing::order;
    use super::*;
    use hostler_core::Bytes;
    use hostler_wire::node_api::Disk;

    #[track_caller]
    fn check_with(change: impl FnOnce(&mut VmOrder), expected: Option<&str>) {
        let mut order = order();
        change(&mut order);
        let expected = expected.map(|what| format!("{what} is out of bounds"));
        assert_eq!(mistake(&order), expected);
    }

    #[test]
    fn absurd_orders_are_refused_before_anything_is_done() {
        check_with(|_| (), None);
        check_with(|order| order.size.cpus = 0, Some("cpus"));
        check_with(|order| order.size.cpus = u32::MAX, Some("cpus"));
        check_with(|order| order.size.memory = Bytes::new(0), Some("memory"));
        check_with(
            |order| order.size.memory = Bytes::new(u64::MAX),
            Some("memory"),
        );
        let disk = Some("the size of a disk");
        check_with(|order| order.size.disk = Bytes::new(0), disk);
        check_with(|order| order.size.disk = Bytes::new(u64::MAX), disk);
        let data = "x".repeat(10 << 20);
        let told = Some("the size of what the guest is told");
        check_with(|order| order.seed.user_data = Some(data), told);
    }

    #[test]
    fn names_that_reach_paths_and_definitions_are_plain() {
        for name in ["../x", "a/b", "", "root", "A", "a b"] {
            let disk = Disk {
                name: name.to_owned(),
                size: Bytes::mib(1),
            };
            let expected = Some("the name of a disk");
            check_with(|order| order.disks = vec![disk], expected);
        }
        let card = Some("a network card");
        check_with(|order| order.nics[0].mac = "52:54:00:1:2:3".into(), card);
        let bridge = |bridge: &str| Network::Bridge {
            bridge: bridge.to_owned(),
        };
        check_with(|order| order.nics[0].network = bridge("br0"), None);
        check_with(|order| order.nics[0].network = bridge("br0'/>"), card);
        let image = |digest: &str, format: &str| DiskSource::Image {
            digest: digest.to_owned(),
            bytes: 1,
            format: format.to_owned(),
        };
        check_with(|order| order.root = image(&"0".repeat(64), "raw"), None);
        check_with(
            |order| order.root = image("../../etc/passwd", "raw"),
            Some("the image"),
        );
        check_with(
            |order| order.root = image(&"0".repeat(64), "vmdk"),
            Some("the image"),
        );
    }

    #[test]
    fn a_source_is_an_address_or_a_network() {
        for good in ["10.0.0.0/8", "::/0", "10.1.2.3", "fd00::/64"] {
            assert!(source_is_good(good), "{good}");
        }
        for bad in [
            "",
            "10.0.0.0/33",
            "10.0.0/8",
            "::/129",
            "x",
            "1.2.3.4/-1",
            "1.2.3.4/'",
        ] {
            assert!(!source_is_good(bad), "{bad}");
        }
    }
}
