//! Create → committed and seated, through HTTP, with 64 clients; on SQLite and
//! on PostgreSQL, client and server and database on the same machine.
//!
//! The nodes are doubles in this process: each answers every order with
//! *running*, as a node with a warm slot would.

use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use axum::extract::Path;
use axum::routing::put;
use axum::{Json, Router};
use futures::{StreamExt as _, stream};
use hostler_core::id::{BootId, WorkloadId};
use hostler_core::node::Beat;
use hostler_core::workload::{Kind, SeenState};
use hostler_e2e::fleet::{body, free_address};
use hostler_e2e::{eventually, programs};
use hostler_store::testing::Postgres;
use hostler_wire::client::ControlClient;
use hostler_wire::node_api::{Ensure, Entry, Heartbeat, Report};
use hostler_wire::rest::{NodeRegister, Resources, WorkloadQuery};
use sha2::{Digest as _, Sha256};
use tokio::process::{Child, Command};

use crate::cpu::Used;
use crate::figures::figure;

const CLIENTS: usize = 64;
const NODES: usize = 4;
const GROUP: &str = "create → committed and seated, HTTP, 64 clients";

pub(crate) async fn bench() -> Result<()> {
    sqlite().await?;
    postgres().await
}

async fn sqlite() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite://{}", folder.path().join("bench.db").display());
    run("SQLite", &url, ">= 2,000").await
}

async fn postgres() -> Result<()> {
    let server = Postgres::start()?;
    run("PostgreSQL", &server.database()?, ">= 5,000").await
}

async fn run(name: &str, database: &str, aim: &str) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (control, client) = control(folder.path(), database).await?;
    nodes(&client).await?;
    let digest = artifact(&client, folder.path()).await?;
    let count = if crate::is_quick() { 1_000 } else { 10_000 };
    let (started, before) = (Instant::now(), Used::now(control.id()));
    create(&client, &digest, count).await?;
    let created = started.elapsed();
    all_seated(&client).await?;
    let seated = started.elapsed();
    let rate = |taken: Duration| (count as f64 / taken.as_secs_f64(), "/s");
    figure(GROUP, &format!("{name}: created"), rate(created), None);
    figure(
        GROUP,
        &format!("{name}: created and seated"),
        rate(seated),
        Some(aim),
    );
    Used::now(control.id()).tell(&before, (GROUP, name, count));
    Ok(())
}

async fn control(folder: &std::path::Path, database: &str) -> Result<(Child, ControlClient)> {
    let listen = free_address()?;
    let token = "bench-token-that-nobody-else-has";
    let child = Command::new(programs::binary("hostler")?)
        .args([
            "control",
            "--log-level",
            "warn",
            "--listen",
            &listen.to_string(),
        ])
        .args(["--database", database])
        .arg("--data")
        .arg(folder)
        .env("API_TOKEN", token)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let client = ControlClient::new(&format!("http://{listen}"), token)?;
    eventually("the control plane answers", || async {
        client.health().await.ok()
    })
    .await?;
    Ok((child, client))
}

/// Registers the doubles and has them heard once; the bench is over before
/// they would be missed.
async fn nodes(client: &ControlClient) -> Result<()> {
    for number in 0..NODES {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let router = Router::new().route("/workloads/{id}", put(ensure));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let register = NodeRegister {
            name: format!("double-{number}"),
            hostname: "127.0.0.1".into(),
            port,
            labels: std::collections::BTreeMap::new(),
            api_key: None,
        };
        let node = client.node_register(&register).await?;
        client.heartbeat(&node.api_key, &heartbeat(number)).await?;
    }
    Ok(())
}

async fn ensure(Path(id): Path<WorkloadId>, Json(order): Json<Ensure>) -> Json<Entry> {
    Json(Entry {
        id,
        generation: order.generation,
        state: SeenState::Running,
        slot: None,
        restarts: 0,
        problem: None,
    })
}

fn heartbeat(number: usize) -> Heartbeat {
    let report = Report {
        beat: Beat {
            boot: BootId::from_parts(number as u64, [0; 10]),
            sequence: 1,
        },
        fence_after_ms: None,
        version: "double".into(),
        capacity: Resources {
            cpu_millis: 1 << 40,
            memory_bytes: 1 << 50,
        },
        slots: 1 << 20,
        tags: std::collections::BTreeMap::new(),
        ledger: Vec::new(),
        unclaimed: Vec::new(),
        vm_disk_bytes: 0,
        vms: Vec::new(),
        unclaimed_vms: Vec::new(),
    };
    Heartbeat {
        report: Some(report),
        ..Heartbeat::default()
    }
}

async fn artifact(client: &ControlClient, folder: &std::path::Path) -> Result<String> {
    let bytes = std::fs::read(programs::sleeper(folder)?)?;
    let digest = data_encoding::HEXLOWER.encode(&Sha256::digest(&bytes));
    client
        .artifact_put(&digest, "default", bytes.into())
        .await?;
    Ok(digest)
}

async fn create(client: &ControlClient, digest: &str, count: usize) -> Result<()> {
    let requests = stream::iter(0..count).map(|number| {
        let body = body(&format!("w{number}"), Kind::Elf, digest);
        async move {
            client
                .workload_create(&body, &format!("key-{number}"))
                .await
        }
    });
    let answers: Vec<_> = requests.buffer_unordered(CLIENTS).collect().await;
    answers
        .into_iter()
        .collect::<Result<Vec<_>, _>>()
        .map(drop)
        .context("a create failed")
}

async fn all_seated(client: &ControlClient) -> Result<()> {
    let query = WorkloadQuery {
        status: Some(hostler_core::workload::WorkloadStatus::Queued),
        limit: Some(1),
        ..WorkloadQuery::default()
    };
    eventually("all are seated", || async {
        client
            .workloads(&query)
            .await
            .is_ok_and(|page| page.items.is_empty())
            .then_some(())
    })
    .await
}
