//! The whole way: a user's commands, the control plane, a node, its driver's
//! process, libvirt, QEMU, a guest; while control plane, node and driver are
//! killed between the steps.

use std::path::{Path, PathBuf};
use std::time::Instant;

use hostler_core::vm::VmStatus;
use hostler_wire::rest::Vm;

use crate::fleet::Ground;
use crate::life::{image, said_by};

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEX7X6Zs ann";
const GROWN: u64 = 24 << 20;

fn file(ground: &Ground, name: &str, bytes: impl AsRef<[u8]>) -> String {
    let path = ground.fleet.folder().join(name);
    std::fs::write(&path, bytes).unwrap();
    path.display().to_string()
}

pub(crate) async fn whole() {
    let begun = Instant::now();
    let step = |what: &str| eprintln!("{:6.2} s  {what}", begun.elapsed().as_secs_f64());
    let mut ground = Ground::start().await;
    step("two nodes hold VMs");
    let vm = born(&ground).await;
    step("it was born, and its guest got what it was told");
    seen(&ground, &vm).await;
    step("its screen was seen");
    outlives(&mut ground, &vm).await;
    step("it outlived control plane, node and driver");
    went_back(&ground, &vm).await;
    step("it went back to its snapshot");
    grew(&mut ground, &vm).await;
    step("it grew");
    let twin = cloned(&ground, &vm).await;
    step("its clone runs");
    deleted(&ground, [&vm, &twin]).await;
    step("nothing is left");
    let left = ground.fleet.interrupt().await.unwrap();
    let second = |command: &str| command.contains("second");
    let left: Vec<_> = left
        .iter()
        .filter(|found| !second(&found.command))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

async fn born(ground: &Ground) -> Vm {
    let disk = image(ground.fleet.folder());
    let disk = file(ground, "small.qcow2", disk);
    ground
        .say(&["image", "add", &disk, "--name", "small:1"])
        .await;
    let key = file(ground, "key.pub", KEY);
    let data = file(ground, "user-data", "#!/bin/sh\necho from the user");
    let words = [
        "vm", "create", "web", "--image", "small", "--node", "second",
    ];
    let size = ["--memory", "192MiB", "--disk", "16MiB", "--wait"];
    let told = ["--ssh-key", &key, "--user-data", &data];
    ground.say(&[&words[..], &size, &told].concat()).await;
    let vm = ground.is("web", VmStatus::Running).await;
    assert_eq!(vm.slave_name.as_deref(), Some("second"));
    ground.log(&vm).says("GUEST ready", 1).await;
    let line = "cat /seed/meta-data /seed/user-data; echo GUEST told $((40 + 2))";
    let told = ground.tell(&vm, line, "GUEST told 42").await;
    for part in [KEY, "from the user", &vm.id.to_string(), r#""web""#] {
        assert!(told.contains(part), "{part} is not in {told}");
    }
    let born = ground
        .tell(&vm, "head -c 16 /dev/vda; echo GUEST r$((2*3))", "GUEST r6")
        .await;
    assert!(born.contains("born of an image"), "{born}");
    let has_address = |vm: &Vm| {
        vm.ipv4
            .as_deref()
            .is_some_and(|ip| ip.starts_with("10.213.66."))
    };
    ground.vm("web", "an address", has_address).await
}

async fn seen(ground: &Ground, vm: &Vm) {
    let out = ground.fleet.folder().join("web.png").display().to_string();
    ground
        .say(&["vm", "screenshot", &vm.name, "--out", &out])
        .await;
    let picture = image::open(&out).unwrap().to_luma8();
    let lit = picture.pixels().filter(|pixel| pixel.0[0] > 64).count();
    assert!(lit > 100, "{lit} of {} pixels are lit", picture.len());
}

/// The word in the memory of the guest, which does not outlive it.
async fn word(ground: &Ground, vm: &Vm) -> String {
    let line = "echo GUEST $word is kept $((5*5))";
    let said = ground.tell(vm, line, "is kept 25").await;
    let at = said.rfind("GUEST ").unwrap();
    said[at..].split_whitespace().nth(1).unwrap().to_owned()
}

async fn remembers(ground: &Ground, vm: &Vm) {
    assert_eq!(word(ground, vm).await, "apple");
}

async fn outlives(ground: &mut Ground, vm: &Vm) {
    ground
        .tell(vm, "word=apple; echo GUEST has $((1+1))", "GUEST has 2")
        .await;
    ground.control_dies().await;
    remembers(ground, vm).await;
    ground.second_dies().await;
    remembers(ground, vm).await;
    ground.second_driver_dies().await;
    ground.say(&["vm", "pause", "web"]).await;
    ground.is("web", VmStatus::Paused).await;
    ground.control_dies().await;
    ground.say(&["vm", "resume", "web"]).await;
    ground.is("web", VmStatus::Running).await;
    remembers(ground, vm).await;
}

async fn write(ground: &Ground, vm: &Vm, text: &str) {
    assert_eq!(text.len(), 16);
    let line =
        format!("printf '{text}' | dd of=/dev/vda conv=notrunc,fsync 2>&-; echo GUEST w$((3+4))");
    ground.tell(vm, &line, "GUEST w7").await;
}

async fn went_back(ground: &Ground, vm: &Vm) {
    write(ground, vm, "before the photo").await;
    ground
        .say(&[
            "vm", "snapshot", "create", "web", "photo", "--memory", "--wait",
        ])
        .await;
    write(ground, vm, "after  the photo").await;
    ground
        .tell(vm, "word=pear; echo GUEST has $((1+2))", "GUEST has 3")
        .await;
    ground
        .say(&["vm", "snapshot", "rollback", "web", "photo"])
        .await;
    ground.control_dies().await;
    let back = hostler_e2e::eventually("the word of before", || async {
        (word(ground, vm).await == "apple").then_some(())
    });
    back.await.unwrap();
    ground.is("web", VmStatus::Running).await;
    let line = "echo 3 > /proc/sys/vm/drop_caches; head -c 16 /dev/vda; echo GUEST b$((2*4))";
    let read = ground.tell(vm, line, "GUEST b8").await;
    assert!(read.contains("before the photo"), "{read}");
    assert_eq!(ground.log(vm).text().matches("GUEST ready").count(), 1);
}

async fn grew(ground: &mut Ground, vm: &Vm) {
    ground.say(&["vm", "snapshot", "rm", "web", "photo"]).await;
    let none = hostler_e2e::eventually("no snapshot", || async {
        let all = ground.client.snapshots(vm.id).await.ok()?;
        all.is_empty().then_some(())
    });
    none.await.unwrap();
    ground
        .say(&[
            "vm", "resize", "web", "--disk", "24MiB", "--memory", "256MiB",
        ])
        .await;
    let waits = |vm: &Vm| {
        vm.seen
            .as_ref()
            .is_some_and(|seen| !seen.wants_restart.is_empty())
    };
    ground.vm("web", "a wish to restart", waits).await;
    ground.second_dies().await;
    ground.say(&["vm", "restart", "web"]).await;
    let said = ground.log(vm).says("GUEST ready", 2).await;
    assert!(
        said.contains(&format!("GUEST disk {GROWN} before")),
        "{said}"
    );
    let memory = ground
        .tell(
            vm,
            "grep MemTotal /proc/meminfo; echo GUEST m$((2*5))",
            "GUEST m10",
        )
        .await;
    let kib = memory
        .split_whitespace()
        .find_map(|word| word.parse::<u64>().ok());
    assert!(kib.is_some_and(|kib| kib > 192 << 10), "{memory}");
    ground.is("web", VmStatus::Running).await;
}

async fn cloned(ground: &Ground, vm: &Vm) -> Vm {
    ground.say(&["vm", "stop", "web"]).await;
    ground.is("web", VmStatus::Stopped).await;
    assert!(
        ground.log(vm).text().contains("GUEST button"),
        "it was asked, not killed"
    );
    ground.say(&["vm", "clone", "web", "twin"]).await;
    ground.say(&["vm", "start", "twin"]).await;
    let twin = ground.is("twin", VmStatus::Running).await;
    let said = ground.log(&twin).says("GUEST ready", 1).await;
    assert!(
        said.contains(&format!("GUEST disk {GROWN} before")),
        "{said}"
    );
    assert!(said.contains(&twin.id.to_string()), "{said}");
    twin
}

async fn deleted(ground: &Ground, vms: [&Vm; 2]) {
    for vm in vms {
        ground.say(&["vm", "rm", &vm.name, "--now"]).await;
    }
    let gone = hostler_e2e::eventually("no VM", || async {
        let all = ground
            .client
            .vms(&hostler_wire::rest::VmQuery::default())
            .await
            .ok()?;
        all.items.is_empty().then_some(())
    });
    gone.await.unwrap();
    for vm in vms {
        nothing_is_left(vm, &ground.files("second", vm));
    }
    let folders = ["first", "second"].map(|node| ground.data(node).join("vms"));
    let files = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let files: Vec<PathBuf> = files.flatten().map(|entry| entry.path()).collect();
    assert!(files.is_empty(), "{files:?}");
    let domains = said_by("virsh", &["list", "--all", "--name"]);
    assert_eq!(domains.trim(), "");
    let links = said_by("ip", &["-o", "link"]);
    assert!(!links.contains("vnet"), "{links}");
}

fn nothing_is_left(vm: &Vm, files: &Path) {
    assert!(!files.exists());
    let filters = said_by("virsh", &["nwfilter-list"]);
    assert!(!filters.contains(&vm.id.to_string()), "{filters}");
    let qemu = hostler_e2e::processes::below(Path::new(&vm.id.to_string()));
    assert!(qemu.is_empty(), "{qemu:?}");
}
