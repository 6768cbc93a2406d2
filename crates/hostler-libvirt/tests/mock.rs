//! The driver on libvirt's own mock, which needs no daemon: what is defined,
//! what is seen, and what is never touched.

#![allow(clippy::unwrap_used)]

use hostler_core::Bytes;
use hostler_core::id::{SnapshotId, VmId};
use hostler_core::vm::{Firmware, Power, VmSize};
use hostler_libvirt::{Libvirt, LibvirtOptions};
use hostler_node::hypervisor::machines::helper::Driver as _;
use hostler_node::hypervisor::machines::{
    DiskFile, MachineError, MachineSpec, Machines, PowerAct, Sight, SnapshotAct,
};
use hostler_wire::node_api::{Network, Nic};
use tempfile::TempDir;
use virt::connect::Connect;
use virt::domain::Domain;

/// The mock is one for all tests of a process: each has machines of its own.
struct Ground {
    folder: TempDir,
}

impl Ground {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    fn options(&self, owner: &str) -> LibvirtOptions {
        let mut options = LibvirtOptions::new(self.folder.path().join("vms"), owner);
        "test:///default".clone_into(&mut options.uri);
        options
    }

    async fn driver(&self, owner: &str) -> Libvirt {
        let driver = Libvirt::new(self.options(owner)).unwrap();
        driver.greet().await.unwrap();
        driver
    }

    fn spec(&self, number: u8) -> MachineSpec {
        let vm = vm(number);
        let folder = self.folder.path().join("vms").join(vm.to_string());
        MachineSpec {
            vm,
            name: "</title><devices/><!-- '\"&amp; \u{1}".into(),
            project: "'/><x y='".into(),
            size: VmSize {
                cpus: 2,
                memory: Bytes::mib(64),
                disk: Bytes::mib(1),
            },
            firmware: Firmware::Bios,
            disks: vec![DiskFile {
                name: "root".into(),
                path: folder.join("root.qcow2"),
            }],
            nics: vec![Nic {
                network: Network::Bridge {
                    bridge: "br0".into(),
                },
                mac: format!("52:54:00:00:00:{number:02x}"),
                incoming: None,
            }],
            seed: folder.join("seed.img"),
            folder,
        }
    }
}

fn vm(number: u8) -> VmId {
    VmId::from_parts(1, [number; 10])
}

async fn sight(driver: &Libvirt, number: u8) -> Option<Sight> {
    let all = driver.look().await.unwrap();
    all.into_iter().find(|sight| sight.vm == Some(vm(number)))
}

async fn power(driver: &Libvirt, number: u8) -> Power {
    sight(driver, number).await.unwrap().power
}

#[tokio::test]
async fn a_life_on_the_mock_each_step_twice() {
    let ground = Ground::new();
    let driver = ground.driver("me").await;
    let mut spec = ground.spec(1);
    for cpus in [1, 2, 2] {
        spec.size.cpus = cpus;
        driver.define(&spec).await.unwrap();
    }
    let seen = sight(&driver, 1).await.unwrap();
    assert_eq!((seen.power, seen.size.cpus), (Power::Off, 2));
    assert_eq!(seen.name, format!("hostler-{}", vm(1)));
    assert_eq!(seen.uuid, Some(vm(1).to_string()));
    for (act, expected) in [
        (PowerAct::Start, Power::Running),
        (PowerAct::Pause, Power::Paused),
        (PowerAct::Resume, Power::Running),
        (PowerAct::Off, Power::Off),
    ] {
        for _ in 0..2 {
            driver.power(vm(1), act).await.unwrap();
            assert_eq!(power(&driver, 1).await, expected, "{act:?}");
        }
    }
    for _ in 0..2 {
        driver.remove(vm(1)).await.unwrap();
        assert!(sight(&driver, 1).await.is_none());
    }
    driver.power(vm(1), PowerAct::Off).await.unwrap();
    let missing = driver.power(vm(1), PowerAct::Start).await;
    assert!(matches!(missing, Err(MachineError::Failed(_))));
}

#[tokio::test]
async fn markup_in_a_name_is_a_name_and_nothing_listens_on_a_network() {
    let ground = Ground::new();
    let driver = ground.driver("me").await;
    let spec = ground.spec(2);
    driver.define(&spec).await.unwrap();
    let connect = Connect::open(Some("test:///default")).unwrap();
    let domain = Domain::lookup_by_uuid(&connect, vm(2).uuid()).unwrap();
    let text = domain.get_xml_desc(0).unwrap();
    let document = roxmltree::Document::parse(&text).unwrap();
    let find = |name: &str| document.descendants().find(|node| node.has_tag_name(name));
    let title = find("title").unwrap().text().unwrap();
    assert_eq!(title, spec.name.replace('\u{1}', " "));
    assert_eq!(find("vm").unwrap().attribute("project"), Some("'/><x y='"));
    let disks = document
        .descendants()
        .filter(|node| node.has_tag_name("disk"));
    assert_eq!(disks.count(), 1);
    let screen = find("graphics").unwrap();
    assert_eq!(screen.attribute("type"), Some("vnc"));
    assert_eq!(screen.attribute("port"), None);
    let listens: Vec<_> = screen
        .children()
        .filter(roxmltree::Node::is_element)
        .collect();
    assert!(
        listens
            .iter()
            .all(|node| node.attribute("type") == Some("socket"))
    );
    driver.remove(vm(2)).await.unwrap();
}

#[tokio::test]
async fn what_does_not_carry_our_mark_is_seen_and_never_touched() {
    let ground = Ground::new();
    let (mine, theirs) = (ground.driver("me").await, ground.driver("them").await);
    let spec = ground.spec(3);
    theirs.define(&spec).await.unwrap();
    let all = mine.look().await.unwrap();
    let stranger = all
        .iter()
        .find(|sight| sight.name.ends_with(&vm(3).to_string()));
    assert_eq!(stranger.unwrap().vm, None);
    assert!(
        stranger
            .unwrap()
            .details
            .values()
            .any(|value| value.ends_with("root.qcow2"))
    );
    let mocked = all.iter().find(|sight| sight.name == "test").unwrap();
    assert_eq!((mocked.vm, mocked.power), (None, Power::Running));
    for refused in [
        mine.define(&spec).await,
        mine.power(vm(3), PowerAct::Off).await,
        mine.remove(vm(3)).await,
    ] {
        assert!(
            matches!(refused, Err(MachineError::Refused(_))),
            "{refused:?}"
        );
    }
    assert!(sight(&theirs, 3).await.is_some());
    theirs.remove(vm(3)).await.unwrap();
}

#[tokio::test]
async fn a_snapshot_is_taken_once_and_gone_back_to() {
    let ground = Ground::new();
    let driver = ground.driver("me").await;
    let id = SnapshotId::from_parts(1, [9; 10]);
    driver.define(&ground.spec(4)).await.unwrap();
    driver.power(vm(4), PowerAct::Start).await.unwrap();
    for _ in 0..2 {
        let memory = true;
        driver
            .snapshot(vm(4), SnapshotAct::Take { id, memory })
            .await
            .unwrap();
    }
    assert_eq!(sight(&driver, 4).await.unwrap().snapshots, [id].into());
    driver.power(vm(4), PowerAct::Off).await.unwrap();
    let back = SnapshotAct::Back { id, memory: true };
    driver.snapshot(vm(4), back).await.unwrap();
    assert_eq!(power(&driver, 4).await, Power::Running);
    for _ in 0..2 {
        driver
            .snapshot(vm(4), SnapshotAct::Remove { id })
            .await
            .unwrap();
    }
    assert!(sight(&driver, 4).await.unwrap().snapshots.is_empty());
    let nowhere = driver.snapshot(vm(4), back).await;
    assert!(matches!(nowhere, Err(MachineError::Refused(_))));
    driver.remove(vm(4)).await.unwrap();
}

#[tokio::test]
async fn a_machine_that_is_off_has_no_screen() {
    let ground = Ground::new();
    let driver = ground.driver("me").await;
    driver.define(&ground.spec(5)).await.unwrap();
    let refused = driver.screenshot(vm(5)).await;
    assert_eq!(
        refused,
        Err(MachineError::Refused("the machine is off".into()))
    );
    driver.remove(vm(5)).await.unwrap();
}

#[tokio::test]
async fn a_libvirt_that_is_not_there_says_nothing_of_machines() {
    let ground = Ground::new();
    let mut options = ground.options("me");
    options.uri = "qemu+unix:///system?socket=/nowhere/sock".to_owned();
    let driver = Libvirt::new(options).unwrap();
    let looked = driver.look().await;
    assert!(matches!(looked, Err(MachineError::Away(_))), "{looked:?}");
    assert!(driver.greet().await.is_err());
    assert_eq!(driver.about().version, "");
}
