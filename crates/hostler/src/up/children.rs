//! The three children of `hostler up`, and the order in which they and the
//! machines that the control plane has started end.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use hostler_daemon::child::{self, ChildOptions};
use hostler_wire::client::ControlClient;
use tokio::process::Command;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::layout::Layout;
use super::nats::{self, NatsAccess};
use super::{admission, machines, reach};
use crate::args::UpArgs;

/// Everything the parts need to know of each other.
pub(crate) struct Fleet {
    pub(crate) args: UpArgs,
    /// The flags with which children log as this process does.
    pub(crate) logging: Vec<String>,
    pub(crate) layout: Layout,
    pub(crate) nats_server: PathBuf,
    pub(crate) agent: PathBuf,
    pub(crate) nats: NatsAccess,
    pub(crate) token: String,
    /// Whether the token was made in this life, and must be shown once.
    pub(crate) is_new: bool,
    /// What the control plane is to get machines with, if it may.
    pub(crate) runners_file: Option<PathBuf>,
}

impl Fleet {
    /// Where the API answers on this machine.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", reach::locally(self.args.api.listen))
    }

    /// Where the API and NATS answer for other machines, or for this one if
    /// they listen for no other.
    fn public(&self) -> [String; 2] {
        let host = self.args.public_host.as_deref();
        let api = reach::publicly(self.args.api.listen, host);
        let nats = reach::publicly(self.nats.listen, host);
        [format!("http://{api}"), format!("nats://{nats}")]
    }

    /// Whether the node has its key already.
    pub(crate) fn is_joined(&self) -> bool {
        self.layout
            .data
            .join("node")
            .join(hostler_node::REGISTRATION_FILE)
            .exists()
    }
}

/// The running children, in the order in which they were started.
pub(crate) struct Children {
    hostler: PathBuf,
    parts: Vec<(CancellationToken, JoinHandle<()>)>,
}

impl Children {
    /// Starts NATS and the control plane, side by side; a node that has joined
    /// before as well.
    pub(crate) fn start(fleet: &Fleet) -> Result<Self> {
        let hostler = std::env::current_exe().context("this program has no path")?;
        let mut children = Self {
            hostler,
            parts: Vec::new(),
        };
        children.run(nats_server(fleet));
        children.admit_nodes(fleet);
        children.keep_machines(fleet)?;
        children.run(control(fleet, &children.hostler));
        if fleet.is_joined() {
            children.start_node(fleet);
        }
        Ok(children)
    }

    /// Starts the node.
    pub(crate) fn start_node(&mut self, fleet: &Fleet) {
        self.run(node(fleet, &self.hostler));
    }

    fn run(&mut self, options: ChildOptions) {
        let stop = CancellationToken::new();
        self.parts
            .push((stop.clone(), tokio::spawn(child::run(options, stop))));
    }

    /// Lets the fleet's nodes into NATS, as they come and go.
    fn admit_nodes(&mut self, fleet: &Fleet) {
        let stop = CancellationToken::new();
        let task = admission::run(fleet.layout.clone(), fleet.nats.clone(), stop.clone());
        self.parts.push((stop, tokio::spawn(task)));
    }

    /// Lets machines join, and switches them off once the control plane, which
    /// is started later, has ended.
    fn keep_machines(&mut self, fleet: &Fleet) -> Result<()> {
        if fleet.runners_file.is_some() {
            let client = ControlClient::new(&fleet.url(), &fleet.token)?;
            let stop = CancellationToken::new();
            let task = machines::run(fleet.layout.clone(), client, stop.clone());
            self.parts.push((stop, tokio::spawn(task)));
        }
        Ok(())
    }

    /// Stops the node with its work, then the control plane, then machines,
    /// then NATS.
    pub(crate) async fn stop(self) {
        for (stop, task) in self.parts.into_iter().rev() {
            stop.cancel();
            if let Err(error) = task.await {
                tracing::error!(%error, "a supervisor ended badly");
            }
        }
    }
}

fn nats_server(fleet: &Fleet) -> ChildOptions {
    let (program, layout) = (fleet.nats_server.clone(), fleet.layout.clone());
    ChildOptions {
        name: "nats",
        command: Box::new(move || nats::command(&program, &layout)),
        pid_file: fleet.layout.run("nats.pid"),
        grace: Duration::from_secs(5),
    }
}

fn control(fleet: &Fleet, hostler: &Path) -> ChildOptions {
    let data = fleet.layout.data.join("control");
    let seed = nats::seed_file(&fleet.layout, "control");
    let token = fleet.layout.secret("admin.token");
    let keys = nats::node_keys_file(&fleet.layout);
    let [url, nats_url] = fleet.public();
    let mut arguments = vec![
        ("--data", data.into_os_string()),
        ("--listen", fleet.args.api.listen.to_string().into()),
        ("--nats", fleet.nats.url.clone().into()),
        ("--nats-seed", seed.into_os_string()),
        ("--node-nats", nats_url.into()),
        ("--node-keys", keys.into_os_string()),
        ("--public-url", url.into()),
        ("--api-token-file", token.into_os_string()),
        (
            "--heartbeat-ms",
            fleet.args.api.heartbeat_ms.to_string().into(),
        ),
    ];
    if let Some(file) = &fleet.runners_file {
        arguments.push(("--runners", "local".into()));
        arguments.push(("--runners-file", file.clone().into_os_string()));
    }
    ours(fleet, hostler, "control", &["control"], arguments)
}

fn node(fleet: &Fleet, hostler: &Path) -> ChildOptions {
    let data = fleet.layout.data.join("node");
    let seed = nats::seed_file(&fleet.layout, "node");
    let join = fleet.layout.secret("join.token");
    let mut arguments = vec![
        ("--data", data.into_os_string()),
        ("--listen", "127.0.0.1:0".into()),
        ("--control", fleet.url().into()),
        ("--nats", fleet.nats.url.clone().into()),
        ("--nats-seed", seed.into_os_string()),
        ("--nats-server", fleet.nats_server.clone().into_os_string()),
        ("--agent", fleet.agent.clone().into_os_string()),
    ];
    if join.exists() {
        arguments.push(("--join-token-file", join.into_os_string()));
    }
    let machines = &fleet.args.machines;
    arguments.push(("--vms", machines.vms.clone().into()));
    if let Some(disk) = machines.vm_disk {
        arguments.push(("--vm-disk", disk.get().to_string().into()));
    }
    if let Some(file) = &machines.vms_file {
        arguments.push(("--vms-file", file.clone().into_os_string()));
    }
    ours(
        fleet,
        hostler,
        "node",
        &["node", "up", "--stop-work"],
        arguments,
    )
}

/// A child that is this program again. It has a process group of its own, so
/// that a Ctrl-C on the terminal reaches only the supervisor, which then ends
/// the children in order.
fn ours(
    fleet: &Fleet,
    hostler: &Path,
    name: &'static str,
    words: &'static [&'static str],
    arguments: Vec<(&'static str, std::ffi::OsString)>,
) -> ChildOptions {
    let (hostler, logging) = (hostler.to_owned(), fleet.logging.clone());
    ChildOptions {
        name,
        command: Box::new(move || {
            let mut command = Command::new(&hostler);
            command.args(words).stdin(std::process::Stdio::null());
            command.args(&logging);
            // What gives machines is said by flags alone.
            command
                .env_remove("PROVIDER_TYPE")
                .env_remove("RUNNERS_FILE");
            for (flag, value) in &arguments {
                command.arg(flag).arg(value);
            }
            command.process_group(0).kill_on_drop(true);
            command
        }),
        pid_file: fleet.layout.run(&format!("{name}.pid")),
        grace: Duration::from_secs(30),
    }
}
