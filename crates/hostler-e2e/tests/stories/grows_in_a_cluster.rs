//! A cluster is asked for the machines: placeholders make its autoscaler bring
//! nodes, and what runs on each of them joins the fleet under the name that the
//! cluster calls it. The cluster is one in memory; the rest is real.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use hostler_core::runner::RunnerStatus;
use hostler_core::workload::{Kind, WorkloadStatus};
use hostler_e2e::eventually;
use hostler_e2e::fleet::{Fleet, free_address};
use hostler_e2e::programs;
use hostler_kubesim::{Cluster, Options, Pool, Timings};
use hostler_wire::client::ControlClient;
use hostler_wire::rest::{JoinTokenCreate, Resources, RunnerQuery, Workload};
use serde_json::json;
use tokio::process::Child;

const PLACEHOLDERS: &str = "app=node-placeholder";

/// A cluster that brings machines at once, with a program on each.
async fn cluster() -> Cluster {
    let pool = Pool {
        boot: Some(Duration::ZERO),
        ready: Some(Duration::ZERO),
        ..Pool::runners(3)
    };
    let options = Options {
        pools: vec![pool],
        timings: Timings::instant(),
        ..Options::default()
    };
    let cluster = Cluster::start(options).await.expect("a cluster");
    let labels = json!({"app": "daytona-runner"});
    let programs = json!({
        "metadata": {"name": "daytona-runner"},
        "spec": {"selector": {"matchLabels": labels}, "template": {
            "metadata": {"labels": labels},
            "spec": {
                "nodeSelector": {"daytona-sandbox-c": "true"},
                "tolerations": [{"key": "sandbox", "operator": "Exists"}],
                "containers": [{"name": "node", "image": "hostler"}],
            },
        }},
    });
    let url = format!(
        "{}/apis/apps/v1/namespaces/default/daemonsets",
        cluster.url()
    );
    let request = reqwest::Client::new().post(url);
    let request = request.bearer_auth(cluster.token("admin")).json(&programs);
    let made = request.send().await.expect("an answer");
    assert!(made.status().is_success(), "{made:?}");
    cluster
}

fn written(fleet: &Fleet, name: &str, text: &str) -> PathBuf {
    let path = fleet.folder().join(name);
    std::fs::write(&path, text).expect("written");
    path
}

/// A second control plane of the same fleet, which has the cluster.
fn control(fleet: &Fleet, cluster: &Cluster, cpu_millis: u64) -> (Child, ControlClient) {
    let pool = format!(
        "[growth]\npatience_s = 0\n[[pool]]\nname = 'default'\nmax = 2\ncpu = '{cpu_millis}m'\n\
         memory = '1GiB'\nidle_for_s = 1\ncool_down_s = 0\n"
    );
    let pools = written(fleet, "cluster.toml", &pool);
    let kubeconfig = written(fleet, "kubeconfig", &cluster.kubeconfig("admin", "default"));
    let listen = free_address().expect("an address").to_string();
    let log = std::fs::File::create(fleet.folder().join("second.log")).expect("a log");
    let mut command = fleet
        .command(&["control", "--runners", "kubernetes"])
        .expect("a command");
    command
        .args(["--listen", &listen, "--heartbeat-ms", "500"])
        .arg("--data")
        .arg(fleet.data().join("control"))
        .arg("--runners-file")
        .arg(pools)
        .env("KUBECONFIG_PATH", kubeconfig)
        .current_dir(fleet.folder())
        .stderr(log)
        .stdout(Stdio::null())
        .kill_on_drop(true);
    let token = fleet.token().expect("a token");
    let client = ControlClient::new(&format!("http://{listen}"), &token).expect("a client");
    (command.spawn().expect("it starts"), client)
}

async fn work(fleet: &Fleet, name: &str, cpu_millis: u64) -> Workload {
    let program = programs::sleeper(fleet.folder()).expect("built");
    let bytes = std::fs::read(program).expect("read");
    let made = fleet.create(name, Kind::Elf, bytes, |body| {
        body.resources = Some(Resources {
            cpu_millis,
            memory_bytes: 64 << 20,
        });
    });
    made.await.expect("created")
}

/// What the `DaemonSet` of a real cluster does on a machine of it.
async fn join(fleet: &Fleet, node: &str) -> Child {
    let client = fleet.client().expect("a client");
    let token = client.join_token_create(&JoinTokenCreate::default()).await;
    let log = std::fs::File::create(fleet.folder().join("machine.log")).expect("a log");
    let label = format!("kubernetes-node={node}");
    let mut command = fleet
        .command(&["node", "up", "--name", node])
        .expect("a command");
    command
        .args(["--label", &label, "--control", &fleet.url()])
        .args(["--join-token", &token.expect("a token").secret])
        .arg("--data")
        .arg(fleet.data().join("machine"))
        .stderr(log)
        .stdout(Stdio::null())
        .kill_on_drop(true);
    command.spawn().expect("it starts")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_gives_a_machine_for_work_and_has_it_back_after_it() {
    let fleet = Fleet::up().await.expect("a fleet");
    let first = fleet
        .client()
        .expect("a client")
        .nodes()
        .await
        .expect("nodes")
        .remove(0);
    // The first client of the process chooses its cryptography.
    let cluster = cluster().await;
    let whole = first.capacity.cpu_millis;
    let (_control, client) = control(&fleet, &cluster, whole);
    let said = || std::fs::read_to_string(fleet.folder().join("second.log")).unwrap_or_default();

    let stays = work(&fleet, "stays", whole * 3 / 5).await;
    fleet
        .wait_for(&stays, WorkloadStatus::Running)
        .await
        .expect("it runs");
    let moves = work(&fleet, "moves", whole * 3 / 5).await;
    let given = eventually("the cluster has given a machine", || async {
        let pods = cluster.look(|view| view.pods(PLACEHOLDERS));
        Some(pods.first()?["spec"]["nodeName"].as_str()?.to_owned())
    });
    let node = given
        .await
        .unwrap_or_else(|error| panic!("{error}: {}", said()));
    let _machine = join(&fleet, &node).await;
    let running = fleet.wait_for(&moves, WorkloadStatus::Running).await;
    let running = running.unwrap_or_else(|error| panic!("{error:#}: {}", said()));
    assert_eq!(running.slave_name.as_deref(), Some(node.as_str()));
    let ready = eventually("its runner is ready", || async {
        let runners = client.runners(&RunnerQuery::default()).await.ok()?;
        let is_ready = runners.len() == 1 && runners[0].status == RunnerStatus::Ready;
        is_ready.then_some(())
    });
    ready
        .await
        .unwrap_or_else(|error| panic!("{error}: {}", said()));

    fleet.say(&["rm", "moves"]).await.expect("removed");
    let back = eventually("the machine is given back", || async {
        let nodes = client.nodes().await.ok()?;
        let is_back = cluster.look(|view| view.pods(PLACEHOLDERS).is_empty());
        (nodes.len() == 1 && nodes[0].id == first.id && is_back).then_some(())
    });
    back.await
        .unwrap_or_else(|error| panic!("{error}: {}", said()));
    fleet
        .wait_for(&stays, WorkloadStatus::Running)
        .await
        .expect("it runs on");
}
