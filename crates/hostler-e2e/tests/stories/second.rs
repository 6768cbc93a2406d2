//! A second node, which can be cut off from the control plane, killed and
//! started again.

use std::path::PathBuf;
use std::process::Stdio;

use hostler_core::node::{NodeStatus, Scheduling};
use hostler_core::workload::{Kind, WorkloadStatus};
use hostler_e2e::fleet::{Fleet, free_address};
use hostler_e2e::proxy::Proxy;
use hostler_e2e::witness::Witness;
use hostler_e2e::{eventually, programs};
use hostler_wire::rest::{JoinTokenCreate, Node, NodeUpdate, Workload};
use tokio::process::{Child, Command};

/// A second node, whose word to the control plane goes over a wire.
pub(crate) struct Second {
    pub(crate) process: Child,
    pub(crate) wire: Proxy,
    pub(crate) data: PathBuf,
    listen: String,
    token: String,
}

impl Second {
    /// One that starts and joins.
    pub(crate) async fn start(fleet: &Fleet) -> Self {
        let target = fleet.url();
        let target = target.trim_start_matches("http://").parse();
        let wire = Proxy::start(target.expect("an address"));
        let wire = wire.await.expect("a wire");
        let client = fleet.client().expect("a client");
        let token = client.join_token_create(&JoinTokenCreate::default()).await;
        let token = token.expect("a token").secret;
        let data = fleet.data().join("second");
        let listen = free_address().expect("an address").to_string();
        let mut command = command(fleet, &wire, [&listen, &token]);
        Self {
            process: command.spawn().expect("it starts"),
            wire,
            data,
            listen,
            token,
        }
    }

    /// SIGKILL; what it started lives on.
    pub(crate) async fn kill(&mut self) {
        self.process.kill().await.expect("killed");
    }

    /// Starts it again on what it left.
    pub(crate) fn start_again(&mut self, fleet: &Fleet) {
        let mut command = command(fleet, &self.wire, [&self.listen, &self.token]);
        self.process = command.spawn().expect("it starts");
    }
}

fn command(fleet: &Fleet, wire: &Proxy, [listen, token]: [&str; 2]) -> Command {
    let words = ["node", "up", "--name", "second", "--label", "place=second"];
    let log = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(fleet.folder().join("second.log"));
    let mut command = fleet.command(&words).expect("a command");
    command
        .arg("--data")
        .arg(fleet.data().join("second"))
        .args(["--listen", listen])
        .args(["--control", &format!("http://{}", wire.address)])
        .args(["--join-token", token])
        .args(["--nats", &fleet.nats_url()])
        .arg("--nats-seed")
        .arg(fleet.data().join("secrets").join("node.nk"))
        .stderr(log.expect("a log"))
        .stdout(Stdio::null())
        .kill_on_drop(true);
    command
}

/// Waits until a node is that; what it is then.
pub(crate) async fn node(fleet: &Fleet, name: &str, status: NodeStatus) -> Node {
    let client = fleet.client().expect("a client");
    let what = format!("{name} is {status:?}");
    let found = eventually(&what, || async {
        let nodes = client.nodes().await.ok()?;
        nodes
            .into_iter()
            .find(|node| node.name == name && node.status == status)
    });
    let logs = || std::fs::read_to_string(fleet.folder().join("second.log")).unwrap_or_default();
    found
        .await
        .unwrap_or_else(|error| panic!("{error}: {} {}", fleet.said(), logs()))
}

/// The node that is not this one.
pub(crate) async fn other_node(fleet: &Fleet, than: &Node) -> Node {
    let client = fleet.client().expect("a client");
    let nodes = client.nodes().await.expect("nodes");
    let mut others = nodes.into_iter().filter(|node| node.id != than.id);
    others.next().expect("another node")
}

/// Has a service run that the witness knows as `wanderer`; not on this node,
/// which only afterwards takes work again.
pub(crate) async fn wanderer(fleet: &Fleet, witness: &Witness, not_on: &Node) -> Workload {
    let client = fleet.client().expect("a client");
    let scheduling = |wanted| NodeUpdate {
        scheduling: Some(wanted),
        labels: None,
    };
    let closed = scheduling(Scheduling::Closed);
    client
        .node_update(not_on.id, &closed)
        .await
        .expect("closed");
    let bytes = std::fs::read(programs::counter(fleet.folder()).expect("built")).expect("read");
    let made = fleet.create("wanderer", Kind::Elf, bytes, |body| {
        body.environment
            .insert("WITNESS_PORT".into(), witness.port().to_string());
        body.environment
            .insert("WITNESS_NAME".into(), "wanderer".into());
    });
    let made = made.await.expect("created");
    let running = fleet.wait_for(&made, WorkloadStatus::Running).await;
    let open = scheduling(Scheduling::Open);
    client.node_update(not_on.id, &open).await.expect("opened");
    running.expect("it runs")
}

/// Waits until a workload runs on this node.
pub(crate) async fn runs_on(fleet: &Fleet, workload: &Workload, node: &Node) -> Workload {
    let client = fleet.client().expect("a client");
    let moved = eventually("it runs on the other node", || async {
        let now = client.workload(workload.id).await.ok()?;
        (now.slave_id == Some(node.id) && now.status == WorkloadStatus::Running).then_some(now)
    });
    moved
        .await
        .unwrap_or_else(|error| panic!("{error}: {}", fleet.said()))
}
