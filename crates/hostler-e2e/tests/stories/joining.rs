//! A machine joins with nothing but the line that `hostler node token` prints:
//! it takes work, is reached over NATS with a key of its own, may not order
//! others about, and is out of NATS as soon as it is out of the fleet.

use std::path::Path;
use std::process::Stdio;

use async_nats::{Client, ConnectOptions};
use futures::StreamExt as _;
use hostler_core::node::{NodeStatus, Scheduling};
use hostler_core::workload::{Kind, WorkloadStatus};
use hostler_e2e::fleet::Fleet;
use hostler_e2e::{eventually, nats, programs};
use hostler_wire::rest::{Node, NodeUpdate, WorkloadCreate};
use tokio::process::Child;

/// Runs the printed line, as on another machine: with a data folder and a name
/// of its own.
async fn join(fleet: &Fleet, data: &Path) -> Child {
    let line = fleet.say(&["node", "token"]).await.expect("a line");
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words[..3], ["hostler", "node", "up"], "{line}");
    let mut command = fleet.command(&words[1..]).expect("a command");
    command
        .args(["--name", "second"])
        .env("HOSTLER_DATA", data)
        .env_remove("HOSTLER_CONFIG")
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(fleet.folder().join("second.log")).expect("a log"))
        .kill_on_drop(true);
    command.spawn().expect("it starts")
}

async fn online(fleet: &Fleet, name: &str) -> Node {
    let client = fleet.client().expect("a client");
    let what = format!("{name} is online");
    let node = eventually(&what, || async {
        let nodes = client.nodes().await.ok()?;
        let node = nodes.into_iter().find(|node| node.name == name)?;
        (node.status == NodeStatus::Online).then_some(node)
    });
    let said = || std::fs::read_to_string(fleet.folder().join("second.log")).unwrap_or_default();
    node.await
        .unwrap_or_else(|error| panic!("{error}: {}", said()))
}

async fn login(fleet: &Fleet, data: &Path) -> Option<Client> {
    let seed = std::fs::read_to_string(data.join("nats.nk")).ok()?;
    let options = ConnectOptions::with_nkey(seed.trim().to_owned());
    options.connect(fleet.nats_url()).await.ok()
}

/// A subject on which a node may speak.
const MARK: &str = "$NEX.logs.a.b.c.mark";

/// What a node says to another in NATS does not arrive; the rest does.
async fn orders_nobody_about(fleet: &Fleet, node: &Client) {
    let listener = nats::connect(fleet).await.expect("a connection");
    let mut heard = listener.subscribe("$NEX.>").await.expect("subscribed");
    // An answer, even that nobody is there, comes after the subscription.
    let asked = listener.request("nobody.listens.here", "".into()).await;
    assert!(asked.is_err(), "{asked:?}");
    for subject in ["$NEX.DEPLOY.default.N", "$NEX.STOP.default.N", MARK] {
        let sent = node.publish(subject, "x".into()).await;
        sent.expect("sent");
    }
    node.flush().await.expect("flushed");
    loop {
        let message = heard.next().await.expect("a message");
        let subject = message.subject.as_str();
        assert!(!subject.ends_with(".default.N"), "{subject} arrived");
        if subject == MARK {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_joins_with_the_printed_line_and_nothing_else() {
    let fleet = Fleet::up().await.expect("a fleet");
    let data = fleet.data().join("second");
    let client = fleet.client().expect("a client");
    let first = client.nodes().await.expect("nodes").remove(0);
    let process = join(&fleet, &data).await;
    let second = online(&fleet, "second").await;

    let closed = NodeUpdate {
        scheduling: Some(Scheduling::Closed),
        labels: None,
    };
    let update = client.node_update(first.id, &closed).await;
    update.expect("the first takes nothing more");
    let echo = wat::parse_str(programs::ECHO_WAT).expect("a module");
    let heard = |body: &mut WorkloadCreate| body.triggers = vec!["echo".to_owned()];
    let created = fleet.create("echo", Kind::Wasm, echo, heard).await;
    let workload = created.expect("created");
    let running = fleet.wait_for(&workload, WorkloadStatus::Running).await;
    assert_eq!(running.expect("it runs").slave_id, Some(second.id));
    let answer = eventually("the second answers over NATS", || async {
        fleet.say(&["call", "echo", "hello"]).await.ok()
    });
    assert_eq!(answer.await.expect("an answer").trim(), "hello");

    let node = login(&fleet, &data).await.expect("its key is let in");
    orders_nobody_about(&fleet, &node).await;
    drop(node);

    drop(process);
    client.node_remove_forced(second.id).await.expect("removed");
    let refused = eventually("a node that is none is not let in", || async {
        login(&fleet, &data).await.is_none().then_some(())
    });
    refused.await.expect("refused");
    assert!(
        !fleet.said().contains("WARN child=nats"),
        "{}",
        fleet.said()
    );
}
