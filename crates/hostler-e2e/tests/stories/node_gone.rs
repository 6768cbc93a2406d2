//! A node is cut off from its control plane: offline, its work unknown; after
//! the lease the work runs elsewhere, once; the node that returns has let go
//! of it, and refuses what is older.

use hostler_core::Generation;
use hostler_core::node::NodeStatus;
use hostler_core::workload::NodeGoal;
use hostler_e2e::eventually;
use hostler_e2e::fleet::Fleet;
use hostler_e2e::witness::Witness;
use hostler_wire::client::NodeClient;
use hostler_wire::node_api::Ensure;
use hostler_wire::rest::Node;

use crate::second::{Second, node, other_node, runs_on, wanderer};

#[tokio::test(flavor = "multi_thread")]
async fn work_of_a_silent_node_runs_elsewhere_once() {
    let fleet = Fleet::up().await.expect("a fleet");
    let witness = Witness::start().await.expect("a witness");
    let second = Second::start(&fleet).await;
    let there = node(&fleet, "second", NodeStatus::Online).await;
    let first = other_node(&fleet, &there).await;
    let running = wanderer(&fleet, &witness, &first).await;
    assert_eq!(running.slave_id, Some(there.id));

    second.wire.cut();
    node(&fleet, "second", NodeStatus::Offline).await;
    let moved = runs_on(&fleet, &running, &first).await;
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

pub(crate) async fn an_older_order_is_refused(
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
