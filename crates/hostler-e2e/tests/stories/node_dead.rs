//! A node's daemon dies and stays dead, while its machine, its agents and its
//! inner NATS live: its work ends with the lease all the same, before it runs
//! elsewhere; and the daemon that returns finds nothing of it.

use hostler_core::node::NodeStatus;
use hostler_e2e::fleet::Fleet;
use hostler_e2e::witness::{Count, Witness};
use hostler_e2e::{eventually, processes};
use hostler_wire::rest::Node;

use crate::node_gone::an_older_order_is_refused;
use crate::second::{Second, node, other_node, runs_on, wanderer};

/// Waits until the node has named its span: it is on disk, and told since.
async fn is_bound(fleet: &Fleet, second: &Second) -> Node {
    let written = eventually("the node has a lease", || async {
        second.data.join("lease-span").exists().then_some(())
    });
    written.await.expect("a lease");
    let mut heard = Vec::new();
    loop {
        let now = node(fleet, "second", NodeStatus::Online).await;
        if heard.last() != Some(&now.last_heartbeat) {
            heard.push(now.last_heartbeat);
        }
        // Of the first, and of one under way then, it is not known.
        if heard.len() > 3 {
            return now;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// Processes of the second node with this in their command line.
fn living(second: &Second, what: &str) -> usize {
    let all = processes::below(&second.data);
    all.iter().filter(|one| one.command.contains(what)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn work_of_a_dead_daemon_ends_with_its_lease_and_runs_elsewhere_once() {
    let fleet = Fleet::up().await.expect("a fleet");
    let witness = Witness::start().await.expect("a witness");
    let mut second = Second::start(&fleet).await;
    let there = node(&fleet, "second", NodeStatus::Online).await;
    let first = other_node(&fleet, &there).await;
    let running = wanderer(&fleet, &witness, &first).await;
    assert_eq!(running.slave_id, Some(there.id));
    is_bound(&fleet, &second).await;

    second.kill().await;
    let alone = Count {
        starts: 1,
        alive: 1,
        most: 1,
    };
    assert_eq!(witness.count("wanderer"), alone, "it outlives the daemon");
    assert_eq!(living(&second, "nats-server"), 1);
    assert!(living(&second, "hostler-agent") > 0);
    runs_on(&fleet, &running, &first).await;
    let counted = eventually("the witness knows of it", || async {
        let count = witness.count("wanderer");
        (count.starts == 2).then_some(count)
    });
    let once = Count { starts: 2, ..alone };
    assert_eq!(counted.await.expect("one"), once, "two ran at once");
    assert_eq!(living(&second, "nats-server"), 1, "only the daemon died");
    assert_eq!(living(&second, "wanderer"), 0);

    second.start_again(&fleet);
    node(&fleet, "second", NodeStatus::Online).await;
    an_older_order_is_refused(&second, &there, &running).await;
    assert_eq!(living(&second, "wanderer"), 0);
    assert_eq!(witness.count("wanderer"), once);
}
