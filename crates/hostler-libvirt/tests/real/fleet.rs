//! A fleet as its users have it: `hostler up`, a second node that joined by the
//! printed line, and the commands. One libvirt is under both nodes, each with
//! names and a network of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use hostler_core::node::NodeStatus;
use hostler_core::vm::VmStatus;
use hostler_daemon::process::Signal;
use hostler_e2e::eventually;
use hostler_e2e::fleet::Fleet;
use hostler_wire::client::{Console, ConsoleKind, ControlClient};
use hostler_wire::rest::Vm;
use tokio::process::Child;

use crate::guest::Boot;
use crate::talk::Log;
use crate::{driver, guest, place};

/// A guest answers within this, or was not listening.
const HEARD: Duration = Duration::from_secs(20);

/// The whole of it.
pub(crate) struct Ground {
    pub(crate) fleet: Fleet,
    pub(crate) client: ControlClient,
    second: Child,
    /// The printed line.
    line: String,
}

impl Ground {
    /// Starts everything.
    pub(crate) async fn start() -> Self {
        driver::libvirt_answers();
        let mut fleet = Fleet::new().unwrap();
        let boot = guest::make(&place::kernel(), fleet.folder());
        let first = flags(fleet.folder(), "first", 65, &boot);
        flags(fleet.folder(), "second", 66, &boot);
        let first: Vec<&str> = first.iter().map(String::as_str).collect();
        fleet.flags(&first);
        fleet.start().await.unwrap();
        let line = fleet.say(&["node", "token"]).await.unwrap();
        let second = joined(&fleet, &line);
        let client = fleet.client().unwrap();
        let ground = Self {
            fleet,
            client,
            second,
            line,
        };
        ground.nodes_are_there().await;
        ground
    }

    /// Waits until both are heard, and say that they hold VMs.
    pub(crate) async fn nodes_are_there(&self) {
        let there = eventually("two nodes with libvirt", || async {
            let nodes = self.client.nodes().await.ok()?;
            let good = nodes.iter().filter(|node| {
                let vms = node.labels.get("hostler.vms");
                node.status == NodeStatus::Online && vms.is_some_and(|vms| vms == "libvirt")
            });
            (good.count() == 2).then_some(())
        });
        there
            .await
            .unwrap_or_else(|error| panic!("{error}: {}", self.said()));
    }

    /// What the daemons have logged.
    pub(crate) fn said(&self) -> String {
        let second = std::fs::read_to_string(self.fleet.folder().join("second.log"));
        format!("{}\n{}", self.fleet.said(), second.unwrap_or_default())
    }

    /// A command for people, which must succeed.
    pub(crate) async fn say(&self, words: &[&str]) -> String {
        let said = self.fleet.say(words).await;
        said.unwrap_or_else(|error| panic!("{error}\n{}", self.said()))
    }

    /// Kills the control plane, and waits for its next life.
    pub(crate) async fn control_dies(&self) {
        let control = self.fleet.part("control").expect("it lives");
        control.signal(Signal::KILL);
        let back = eventually("the next control plane", || async {
            let next = self.fleet.part("control").filter(|next| *next != control)?;
            self.client.health().await.is_ok().then_some(next)
        });
        back.await.unwrap();
    }

    /// Kills the second node, and starts it again.
    pub(crate) async fn second_dies(&mut self) {
        self.second.kill().await.unwrap();
        self.second = joined(&self.fleet, &self.line);
        self.nodes_are_there().await;
    }

    /// Kills the process that has the second node's driver.
    pub(crate) async fn second_driver_dies(&self) {
        driver::kill(&self.data("second")).await;
    }

    /// A VM by its name, once it is so.
    pub(crate) async fn vm(&self, name: &str, what: &str, is: impl Fn(&Vm) -> bool) -> Vm {
        let what = format!("{name}: {what}");
        let found = eventually(&what, || async {
            let all = self
                .client
                .vms(&hostler_wire::rest::VmQuery::default())
                .await
                .ok()?;
            all.items.into_iter().find(|vm| vm.name == name && is(vm))
        });
        let found = found.await;
        let now = self.fleet.say(&["--json", "vm", "get", name]).await;
        found.unwrap_or_else(|error| panic!("{error}: {now:?}\n{}", self.said()))
    }

    /// The same for its status; what it was seen as is of its newest order.
    pub(crate) async fn is(&self, name: &str, status: VmStatus) -> Vm {
        let settled = |vm: &Vm| {
            let seen = vm
                .seen
                .as_ref()
                .is_some_and(|seen| seen.generation == vm.generation);
            vm.status == status && seen
        };
        self.vm(name, &format!("{status:?}"), settled).await
    }

    /// The data of a node.
    pub(crate) fn data(&self, node: &str) -> PathBuf {
        let data = self.fleet.data();
        if node == "second" {
            data.join("second")
        } else {
            data.join("node")
        }
    }

    /// Where the files of a VM on a node are.
    pub(crate) fn files(&self, node: &str, vm: &Vm) -> PathBuf {
        self.data(node).join("vms").join(vm.id.to_string())
    }

    /// What the guest of a VM on the second node has said.
    pub(crate) fn log(&self, vm: &Vm) -> Log {
        Log(self.files("second", vm).join("serial.log"))
    }

    /// Says a line on a VM's console, through the control plane; what was shown
    /// up to this text. Said again if the console ends before.
    pub(crate) async fn tell(&self, vm: &Vm, line: &str, until: &str) -> String {
        let what = format!("'{until}' is shown");
        let told = eventually(&what, || self.told(vm, line, until)).await;
        told.unwrap_or_else(|error| panic!("{error}: {}", self.log(vm).text()))
    }

    async fn told(&self, vm: &Vm, line: &str, until: &str) -> Option<String> {
        let console = self.client.vm_console(vm.id, ConsoleKind::Serial).await;
        let mut console = console.ok()?;
        console.send(format!("{line}\n").into()).await.ok()?;
        let heard = tokio::time::timeout(HEARD, shown(&mut console, until)).await;
        console.close().await;
        heard.ok()?
    }
}

async fn shown(console: &mut Console, until: &str) -> Option<String> {
    let mut shown = String::new();
    while !shown.contains(until) {
        shown.push_str(&String::from_utf8_lossy(&console.next().await?));
    }
    Some(shown)
}

fn flags(folder: &Path, name: &str, network: u8, boot: &Boot) -> Vec<String> {
    let file = folder.join(format!("{name}.toml"));
    std::fs::write(&file, driver::settings(name, network, boot)).unwrap();
    let file = file.display().to_string();
    ["--vms", "libvirt", "--vm-disk", "1GiB", "--vms-file", &file]
        .map(str::to_owned)
        .to_vec()
}

/// Runs the printed line as on another machine.
fn joined(fleet: &Fleet, line: &str) -> Child {
    let words: Vec<&str> = line.split_whitespace().collect();
    let log = std::fs::File::options()
        .create(true)
        .append(true)
        .open(fleet.folder().join("second.log"));
    let mut command = fleet.command(&words[1..]).unwrap();
    command
        .args(["--name", "second", "--warm", "0"])
        .args(["--vms", "libvirt", "--vm-disk", "1GiB", "--vms-file"])
        .arg(fleet.folder().join("second.toml"))
        .env("HOSTLER_DATA", fleet.data().join("second"))
        .env_remove("HOSTLER_CONFIG")
        .stdout(Stdio::null())
        .stderr(log.unwrap())
        .kill_on_drop(true);
    command.spawn().unwrap()
}
