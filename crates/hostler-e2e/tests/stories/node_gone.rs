//! A node is cut off from its control plane: offline, its work unknown; after
//! the lease the work runs elsewhere, once; the node that returns has let go
//! of it, and refuses what is older.

use std::process::Stdio;

use hostler_core::Generation;
use hostler_core::node::NodeStatus;
use hostler_core::workload::{Kind, NodeGoal, WorkloadStatus};
use hostler_e2e::fleet::{Fleet, free_address};
use hostler_e2e::proxy::Proxy;
use hostler_e2e::witness::Witness;
use hostler_e2e::{eventually, programs};
use hostler_wire::client::NodeClient;
use hostler_wire::node_api::Ensure;
use hostler_wire::rest::{JoinTokenCreate, Node, NodeUpdate};
use tokio::process::Child;

/// A second node, whose word to the control plane goes over a wire.
struct Second {
    _process: Child,
    wire: Proxy,
    data: std::path::PathBuf,
}

async fn second_node(fleet: &Fleet) -> Second {
    let target = fleet
        .url()
        .trim_start_matches("http://")
        .parse()
        .expect("an address");
    let wire = Proxy::start(target).await.expect("a wire");
    let client = fleet.client().expect("a client");
    let token = client
        .join_token_create(&JoinTokenCreate::default())
        .await
        .expect("a token");
    let data = fleet.data().join("second");
    let process = fleet
        .command(&["node", "up", "--name", "second", "--label", "place=second"])
        .expect("a command")
        .arg("--data")
        .arg(&data)
        .args(["--listen", &free_address().expect("an address").to_string()])
        .args(["--control", &format!("http://{}", wire.address)])
        .args(["--join-token", &token.secret])
        .args(["--nats", &fleet.nats_url()])
        .arg("--nats-seed")
        .arg(fleet.data().join("secrets").join("node.nk"))
        .stderr(std::fs::File::create(fleet.folder().join("second.log")).expect("a log"))
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("it starts");
    Second {
        _process: process,
        wire,
        data,
    }
}

async fn node(fleet: &Fleet, name: &str, status: NodeStatus) -> Node {
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

#[tokio::test(flavor = "multi_thread")]
async fn work_of_a_silent_node_runs_elsewhere_once() {
    let fleet = Fleet::up().await.expect("a fleet");
    let witness = Witness::start().await.expect("a witness");
    let second = second_node(&fleet).await;
    let there = node(&fleet, "second", NodeStatus::Online).await;
    let client = fleet.client().expect("a client");
    let nodes = client.nodes().await.expect("nodes");
    let first = nodes
        .into_iter()
        .find(|node| node.id != there.id)
        .expect("the first");

    let close = |scheduling| NodeUpdate {
        scheduling: Some(scheduling),
        labels: None,
    };
    let closed = close(hostler_core::node::Scheduling::Closed);
    client.node_update(first.id, &closed).await.expect("closed");
    let bytes = std::fs::read(programs::counter(fleet.folder()).expect("built")).expect("read");
    let made = fleet.create("wanderer", Kind::Elf, bytes, |body| {
        body.environment
            .insert("WITNESS_PORT".into(), witness.port().to_string());
        body.environment
            .insert("WITNESS_NAME".into(), "wanderer".into());
    });
    let made = made.await.expect("created");
    let running = fleet
        .wait_for(&made, WorkloadStatus::Running)
        .await
        .expect("it runs");
    assert_eq!(running.slave_id, Some(there.id));
    let open = close(hostler_core::node::Scheduling::Open);
    client.node_update(first.id, &open).await.expect("opened");

    second.wire.cut();
    node(&fleet, "second", NodeStatus::Offline).await;
    let moved = eventually("it runs on the first node", || async {
        let now = client.workload(made.id).await.ok()?;
        (now.slave_id == Some(first.id) && now.status == WorkloadStatus::Running).then_some(now)
    });
    let moved = moved
        .await
        .unwrap_or_else(|error| panic!("{error}: {}", fleet.said()));
    assert!(moved.generation > running.generation);
    let once = eventually("one instance runs", || async {
        let count = witness.count("wanderer");
        (count.alive == 1 && count.starts == 2).then_some(count)
    });
    assert_eq!(once.await.expect("one").most, 1, "two ran at once");

    second.wire.heal();
    node(&fleet, "second", NodeStatus::Online).await;
    an_older_order_is_refused(&second, &there, &running).await;
    let count = witness.count("wanderer");
    assert_eq!((count.alive, count.most), (1, 1));
}

async fn an_older_order_is_refused(
    second: &Second,
    there: &Node,
    running: &hostler_wire::rest::Workload,
) {
    let key = hostler_node_key(&second.data);
    let client = NodeClient::new(&format!("http://{}:{}", there.hostname, there.port), &key);
    let client = client.expect("a client");
    let limit = hostler_e2e::PATIENCE;
    let retired = eventually("the returned node holds a tombstone", || async {
        let ledger = client.ledger(limit).await.ok()?;
        let entry = ledger.into_iter().find(|entry| entry.id == running.id)?;
        (entry.generation > Generation::new(running.generation)).then_some(entry)
    });
    let retired = retired.await.expect("retired");
    let old = Ensure {
        generation: Generation::new(running.generation),
        goal: NodeGoal::Running,
        heartbeat: None,
        order: None,
    };
    let answer = client.ensure(running.id, &old, limit).await;
    assert!(
        answer.is_err(),
        "an order older than {:?} was followed",
        retired.generation
    );
}

fn hostler_node_key(data: &std::path::Path) -> String {
    let path = data.join(hostler_node::REGISTRATION_FILE);
    let text = std::fs::read_to_string(&path).expect("the node's registration");
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    value["api_key"].as_str().expect("a key").to_owned()
}
