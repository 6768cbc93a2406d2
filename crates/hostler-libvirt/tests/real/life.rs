//! The life: image, creation with a key and user data, address, console, screen,
//! pause, snapshot and rollback, resize, reboot, shutdown, deletion.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hostler_core::id::{SnapshotId, VmId};
use hostler_core::vm::{Firmware, SnapshotState, VmGoal, VmSeenState, VmSize};
use hostler_core::workload::OnNodeLoss;
use hostler_core::{Bytes, Generation};
use hostler_node::hypervisor::disks::QemuDisks;
use hostler_node::hypervisor::machines::{Helper, Machinery};
use hostler_node::{NodeOptions, VmsOptions};
use hostler_wire::node_api::{
    DiskSource, FirewallRule, Network, Nic, Protocol, Rollback, Seed, SnapshotOrder, VmEnsure,
    VmOrder,
};

use crate::support::{ControlNats, ControlPlane, Ground, TestNode};
use crate::talk::{Api, Log};
use crate::{driver, guest, place};

const DISK: u64 = 16 << 20;
const GROWN: u64 = 24 << 20;

fn vm() -> VmId {
    VmId::from_parts(1, [7; 10])
}

fn snapshot(number: u8) -> SnapshotId {
    SnapshotId::from_parts(1, [number; 10])
}

/// A node in its fleet.
struct Stage {
    plane: ControlPlane,
    api: Api,
    log: Log,
    generation: u64,
}

impl Stage {
    async fn order(&mut self, goal: VmGoal, order: &VmOrder) {
        self.generation += 1;
        let ensure = VmEnsure {
            generation: Generation::new(self.generation),
            goal,
            heartbeat: self.plane.beat(),
            order: (goal != VmGoal::Gone).then(|| order.clone()),
        };
        let (status, body) = self.api.ensure(vm(), &ensure).await;
        assert_eq!(status, 200, "{body}");
    }

    async fn is(&self, state: VmSeenState) {
        let of_it = |seen: Generation| seen.number() == self.generation;
        let wanted = |entry: &hostler_wire::node_api::VmEntry| {
            of_it(entry.generation) && entry.state == state
        };
        self.api.seen(vm(), &format!("{state:?}"), wanted).await;
    }
}

async fn node_options(
    ground: &Ground,
    nats: &ControlNats,
    plane: &ControlPlane,
    scratch: &Path,
) -> (NodeOptions, Helper) {
    let mut options = ground.options_in(nats, plane);
    std::fs::create_dir_all(&options.data).unwrap();
    let boot = guest::make(&place::kernel(), scratch);
    let settings = scratch.join("vms.toml");
    std::fs::write(&settings, driver::settings("hostler", 64, &boot)).unwrap();
    let folder = options.data.join("vms");
    let helper = driver::begin(&folder, "test", &settings).await;
    let machinery = Machinery {
        machines: Arc::new(helper.clone()),
        disks: Arc::new(QemuDisks::open(&folder).unwrap()),
        screens: Arc::new(helper.clone()),
        wants_images: true,
    };
    let mut vms = VmsOptions::new(machinery, 1 << 30);
    vms.look_every = Duration::from_millis(200);
    options.vms = Some(vms);
    (options, helper)
}

/// A disk that begins with a text.
pub(crate) fn image(scratch: &Path) -> Vec<u8> {
    let (raw, qcow2) = (scratch.join("image.raw"), scratch.join("image.qcow2"));
    let mut bytes = b"born of an image".to_vec();
    bytes.resize(8 << 20, 0);
    std::fs::write(&raw, bytes).unwrap();
    let converted = Command::new("qemu-img")
        .args(["convert", "-f", "raw", "-O", "qcow2"])
        .args([&raw, &qcow2])
        .status();
    assert!(converted.unwrap().success());
    std::fs::read(qcow2).unwrap()
}

fn order(digest: String, bytes: usize) -> VmOrder {
    VmOrder {
        project: "default".into(),
        name: "</name>'<web>".into(),
        size: VmSize {
            cpus: 1,
            memory: Bytes::mib(192),
            disk: Bytes::new(DISK),
        },
        firmware: Firmware::Bios,
        root: DiskSource::Image {
            digest,
            bytes: bytes as u64,
            format: "qcow2".into(),
        },
        disks: vec![],
        nics: vec![Nic {
            network: Network::Nat,
            mac: "52:54:00:01:02:03".into(),
            incoming: Some(vec![FirewallRule {
                protocol: Protocol::Icmp,
                from_port: None,
                to_port: None,
                source: None,
            }]),
        }],
        seed: Seed {
            hostname: "web".into(),
            ssh_keys: vec!["ssh-ed25519 AAAAkey ann".into()],
            user_data: Some("#!/bin/sh\necho from the user".into()),
            ..Seed::default()
        },
        autostart: false,
        on_node_loss: OnNodeLoss::Wait,
        stop_deadline_ms: 60_000,
        reboots: 0,
        snapshots: vec![],
        rollback: None,
    }
}

pub(crate) async fn whole() {
    let begun = Instant::now();
    let step = |what: &str| eprintln!("{:6.2} s  {what}", begun.elapsed().as_secs_f64());
    let scratch = tempfile::tempdir().unwrap();
    let (nats, ground) = (ControlNats::start().await, Ground::new());
    let plane = ControlPlane::start(500).await;
    let (options, helper) = node_options(&ground, &nats, &plane, scratch.path()).await;
    let files = options.data.join("vms").join(vm().to_string());
    step("libvirt answers");
    let node = TestNode::start(options.clone()).await;
    plane.heard(|_| Some(())).await;
    let mut stage = Stage {
        plane,
        api: Api::new(node.handle.api),
        log: Log(files.join("serial.log")),
        generation: 0,
    };
    let image = image(scratch.path());
    let order = order(stage.plane.artifact(&image), image.len());
    born(&mut stage, &order).await;
    step("it was born as it was ordered");
    seen_from_outside(&stage).await;
    step("its screen and serial line are seen");
    held(&mut stage, &order).await;
    step("it was paused and went on");
    driver::kill(&options.data).await;
    held(&mut stage, &order).await;
    step("its driver was killed, and it was held again");
    // The node dies; its machine does not, and is adopted.
    node.stop().await;
    assert!(is_running());
    let node = TestNode::start(options).await;
    stage.api = Api::new(node.handle.api);
    stage.plane.heard(|_| Some(())).await;
    stage.is(VmSeenState::Running).await;
    step("it outlived its node");
    let order = went_back(&mut stage, order).await;
    step("it went back to its snapshots");
    let order = grew(&mut stage, order).await;
    step("it grew");
    stage.order(VmGoal::Stopped, &order).await;
    stage.is(VmSeenState::Stopped).await;
    assert!(
        stage.log.text().contains("GUEST button"),
        "it was asked, not killed"
    );
    step("it shut down when asked");
    stage.order(VmGoal::Gone, &order).await;
    stage.is(VmSeenState::Absent).await;
    nothing_is_left(&files);
    step("nothing is left");
    node.stop().await;
    helper.stop().await;
}

async fn born(stage: &mut Stage, order: &VmOrder) {
    stage.order(VmGoal::Running, order).await;
    stage.is(VmSeenState::Running).await;
    let said = stage.log.says("GUEST ready", 1).await;
    assert!(said.contains(&vm().to_string()), "{said}");
    assert!(said.contains(r#""local-hostname":"web""#), "{said}");
    assert!(said.contains("ssh-ed25519 AAAAkey ann"), "{said}");
    assert!(said.contains("GUEST user echo from the user"), "{said}");
    let disk = format!("GUEST disk {DISK} born of an image");
    assert!(said.contains(&disk), "{said}");
    let entry = stage
        .api
        .seen(vm(), "an address", |entry| !entry.addresses.is_empty())
        .await;
    assert!(
        entry.addresses[0].to_string().starts_with("10.213."),
        "{entry:?}"
    );
}

async fn seen_from_outside(stage: &Stage) {
    let mut screen = stage.api.console(vm(), "vnc").await;
    let banner = screen.message().await;
    assert!(banner.starts_with(b"RFB 003."), "{banner:?}");
    let mut serial = stage.api.console(vm(), "serial").await;
    serial.line("echo GUEST hears $((40 + 2))").await;
    serial.until("GUEST hears 42").await;
    let (status, png) = stage.api.get(&format!("/vms/{}/screenshot", vm())).await;
    assert_eq!(status, 200);
    let picture = image::load_from_memory(&png).unwrap().to_luma8();
    let lit = picture.pixels().filter(|pixel| pixel.0[0] > 64).count();
    assert!(lit > 100, "{lit} of {} pixels are lit", picture.len());
    let ports = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let vnc = ports
        .lines()
        .any(|line| line.contains(":170C ") || line.contains(":170D "));
    assert!(!vnc, "a screen listens on a port: {ports}");
}

async fn held(stage: &mut Stage, order: &VmOrder) {
    stage.order(VmGoal::Paused, order).await;
    stage.is(VmSeenState::Paused).await;
    stage.order(VmGoal::Running, order).await;
    stage.is(VmSeenState::Running).await;
    let mut serial = stage.api.console(vm(), "serial").await;
    serial.line("echo GUEST goes $((1 + 1))").await;
    serial.until("GUEST goes 2").await;
}

/// Writes 16 letters to the beginning of the disk.
async fn write(stage: &Stage, text: &str) {
    assert_eq!(text.len(), 16);
    let mut serial = stage.api.console(vm(), "serial").await;
    serial
        .line(&format!(
            "printf '{text}' | dd of=/dev/vda conv=notrunc,fsync 2>&-"
        ))
        .await;
    serial.line("echo GUEST wrote $((3 + 4))").await;
    serial.until("GUEST wrote 7").await;
}

async fn taken(stage: &Stage, id: SnapshotId) {
    let ready = |entry: &hostler_wire::node_api::VmEntry| {
        let mut all = entry.snapshots.iter();
        all.any(|one| one.id == id && one.state == SnapshotState::Ready)
    };
    stage.api.seen(vm(), "the snapshot", ready).await;
}

async fn ended(stage: &Stage, number: u64) {
    let done = |entry: &hostler_wire::node_api::VmEntry| {
        entry
            .rollback
            .as_ref()
            .is_some_and(|done| done.number == number)
    };
    let entry = stage.api.seen(vm(), "the rollback", done).await;
    assert_eq!(entry.rollback.unwrap().problem, None);
}

/// One snapshot with memory and one without.
async fn went_back(stage: &mut Stage, order: VmOrder) -> VmOrder {
    let with = |order: &VmOrder, id, memory| {
        let mut order = order.clone();
        order.snapshots.push(SnapshotOrder { id, memory });
        order
    };
    write(stage, "before the photo").await;
    let mut order = with(&order, snapshot(1), true);
    stage.order(VmGoal::Running, &order).await;
    taken(stage, snapshot(1)).await;
    write(stage, "after  the photo").await;
    order = with(&order, snapshot(2), false);
    stage.order(VmGoal::Running, &order).await;
    taken(stage, snapshot(2)).await;
    order.rollback = Some(Rollback {
        number: 1,
        to: snapshot(1),
    });
    stage.order(VmGoal::Running, &order).await;
    ended(stage, 1).await;
    stage.is(VmSeenState::Running).await;
    // The guest goes on where it was: it did not start again.
    let mut serial = stage.api.console(vm(), "serial").await;
    serial.line("echo 3 > /proc/sys/vm/drop_caches; dd if=/dev/vda bs=16 count=1 2>&-; echo GUEST r$((2*3))").await;
    let read = serial.until("GUEST r6").await;
    drop(serial);
    assert!(read.contains("before the photo"), "{read}");
    assert_eq!(stage.log.text().matches("GUEST ready").count(), 1);
    order.rollback = Some(Rollback {
        number: 2,
        to: snapshot(2),
    });
    stage.order(VmGoal::Running, &order).await;
    ended(stage, 2).await;
    // This one has no memory to go back to: it starts.
    let said = stage.log.says("GUEST ready", 2).await;
    assert!(
        said.contains(&format!("GUEST disk {DISK} after  the photo")),
        "{said}"
    );
    stage.is(VmSeenState::Running).await;
    order.snapshots.clear();
    stage.order(VmGoal::Running, &order).await;
    let none = |entry: &hostler_wire::node_api::VmEntry| entry.snapshots.is_empty();
    stage.api.seen(vm(), "no snapshots", none).await;
    order
}

async fn grew(stage: &mut Stage, mut order: VmOrder) -> VmOrder {
    order.size.disk = Bytes::new(GROWN);
    order.size.memory = Bytes::mib(256);
    stage.order(VmGoal::Running, &order).await;
    let wants = |entry: &hostler_wire::node_api::VmEntry| !entry.wants_restart.is_empty();
    stage.api.seen(vm(), "a wish to restart", wants).await;
    order.reboots = 1;
    stage.order(VmGoal::Running, &order).await;
    let done = |entry: &hostler_wire::node_api::VmEntry| {
        entry.reboots == 1 && entry.wants_restart.is_empty()
    };
    stage.api.seen(vm(), "the reboot", done).await;
    let said = stage.log.says("GUEST ready", 3).await;
    assert!(
        said.contains(&format!("GUEST disk {GROWN} after")),
        "{said}"
    );
    stage.is(VmSeenState::Running).await;
    order
}

fn is_running() -> bool {
    let id = vm().to_string();
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines
        .map(|line| String::from_utf8_lossy(&line).into_owned())
        .any(|line| line.starts_with("/usr/bin/qemu-system") && line.contains(&id))
}

fn nothing_is_left(files: &Path) {
    assert!(!files.exists());
    assert!(!is_running());
    let domains = said_by("virsh", &["list", "--all", "--name"]);
    assert_eq!(domains.trim(), "");
    let filters = said_by("virsh", &["nwfilter-list"]);
    assert!(!filters.contains("hostler-"), "{filters}");
    let links = said_by("ip", &["-o", "link"]);
    assert!(!links.contains("vnet"), "{links}");
}

pub(crate) fn said_by(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}
