//! How fast workloads are created and seated, with 64 clients at once, on both
//! databases. Prints one JSON line for each figure.
//!
//! A client creates a workload, waits for the answer, hands it to the one
//! seater, and goes on; the seater seats what has gathered, as a pass does. The
//! time counts until the last seat is committed.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::{Duration, Instant};

use hostler_core::id::{BootId, NodeId};
use hostler_core::workload::{Goal, Kind, OnNodeLoss};
use hostler_core::{Labels, Resources, Timestamp};
use hostler_store::testing::Postgres;
use hostler_store::{
    By, HeartbeatOrder, IdempotencyKey, Limits, NewArtifact, NewNode, NewWorkload, NodeReport,
    SealingKey, SeatOutcome, SeatRequest, Secret, SeenEntry, Store, WorkloadSpec,
};
use tokio::sync::mpsc;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const CLIENTS: usize = 64;
const NODES: usize = 100;
const SPAN: Duration = Duration::from_secs(5);
const NOW: Timestamp = Timestamp::from_ms(1_763_672_856_123);
const BY: By<'static> = By::new("bench", NOW);

fn main() -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let folder = tempfile::tempdir()?;
    let sqlite = format!("sqlite://{}", folder.path().join("bench.db").display());
    runtime.block_on(measure("sqlite", &sqlite))?;
    let postgres = Postgres::start()?;
    let url = postgres.database()?;
    runtime.block_on(measure("postgres", &url))
}

fn print(database: &str, figure: &str, value: f64, unit: &str) {
    let name = format!("store.{database}.{figure}");
    println!(
        "{}",
        serde_json::json!({"name": name, "value": value.round(), "unit": unit})
    );
}

async fn measure(database: &str, url: &str) -> Outcome<()> {
    let store = Store::open(url, SealingKey::random()).await?;
    let nodes = prepare(&store).await?;
    let created = create(&store, "warm", Duration::from_secs(1), None).await?;
    print(
        database,
        "warm_up",
        per_second(created.len(), Duration::from_secs(1)),
        "workloads/s",
    );

    let start = Instant::now();
    let created = create(&store, "alone", SPAN, None).await?;
    print(
        database,
        "create",
        per_second(created.len(), start.elapsed()),
        "workloads/s",
    );
    let mut waits = created;
    waits.sort_unstable();
    print(database, "create_p50", micros(waits[waits.len() / 2]), "us");
    print(
        database,
        "create_p99",
        micros(waits[waits.len() * 99 / 100]),
        "us",
    );

    let (hand_over, handed) = mpsc::unbounded_channel();
    let seater = tokio::spawn(seat_all(store.clone(), nodes.clone(), handed));
    let start = Instant::now();
    create(&store, "seated", SPAN, Some(hand_over)).await?;
    let seats = seater.await??;
    print(
        database,
        "create_and_seat",
        per_second(seats, start.elapsed()),
        "workloads/s",
    );

    heartbeats(database, &store, &nodes).await
}

fn per_second(count: usize, span: Duration) -> f64 {
    count as f64 / span.as_secs_f64()
}

fn micros(span: Duration) -> f64 {
    span.as_secs_f64() * 1e6
}

/// An artifact, and nodes with room for everything.
async fn prepare(store: &Store) -> Outcome<Vec<NodeId>> {
    let artifact = NewArtifact {
        digest: "d".repeat(64),
        kind: Kind::Elf.into(),
        size: 1,
        project: "default".parse()?,
    };
    store.artifact_insert(&BY, artifact).await?;
    let mut nodes = Vec::new();
    for number in 0..NODES {
        let node = NewNode {
            runner: None,
            name: format!("n{number}").parse()?,
            hostname: "localhost".to_owned(),
            port: 1,
            labels: Labels::new(),
            key: Secret::new(format!("key {number}")),
        };
        let id = store.node_register(&BY, node, None).await?.node.facts.id;
        store.node_heartbeat(NOW, id, report(1)).await?;
        nodes.push(id);
    }
    Ok(nodes)
}

fn report(sequence: u64) -> NodeReport {
    NodeReport {
        boot: BootId::from_parts(1, [1; 10]),
        sequence,
        version: "bench".to_owned(),
        capacity: Resources::of(1_000_000_000, 1_000_000_000),
        slots: 1_000_000_000,
        tags: Labels::from([("nex.arch".to_owned(), "x86_64".to_owned())]),
        unclaimed: serde_json::json!([]),
        unclaimed_room: Resources::default(),
        unclaimed_slots: 0,
        vm_disk: hostler_core::Bytes::default(),
        unclaimed_vms: serde_json::json!([]),
        lease_until: Timestamp::NEVER,
    }
}

/// Creates from all clients for a while; how long each had to wait.
async fn create(
    store: &Store,
    series: &'static str,
    span: Duration,
    hand_over: Option<mpsc::UnboundedSender<SeatRequest>>,
) -> Outcome<Vec<Duration>> {
    let end = Instant::now() + span;
    let clients = (0..CLIENTS).map(|client| {
        let (store, hand_over) = (store.clone(), hand_over.clone());
        tokio::spawn(async move {
            let mut waits = Vec::new();
            while Instant::now() < end {
                let name = format!("{series}-{client}-{}", waits.len());
                let start = Instant::now();
                let made = store
                    .workload_insert(&BY, workload(&name)?, Some(key(name)))
                    .await?;
                waits.push(start.elapsed());
                if let Some(hand_over) = &hand_over {
                    hand_over.send(request(made.row().facts.id))?;
                }
            }
            Outcome::Ok(waits)
        })
    });
    let mut waits = Vec::new();
    for client in clients.collect::<Vec<_>>() {
        waits.extend(client.await??);
    }
    Ok(waits)
}

fn key(key: String) -> IdempotencyKey {
    IdempotencyKey {
        key,
        request_hash: [1; 32],
        actor: "bench".to_owned(),
    }
}

/// For a node that the seater chooses.
fn request(workload: hostler_core::id::WorkloadId) -> SeatRequest {
    SeatRequest {
        workload,
        expected: hostler_core::Generation::FIRST,
        node: NodeId::from_parts(1, [0; 10]),
        limits: Limits::default(),
    }
}

fn workload(name: &str) -> Outcome<NewWorkload> {
    Ok(NewWorkload {
        spec: WorkloadSpec {
            project: "default".parse()?,
            name: name.parse()?,
            kind: Kind::Elf,
            artifact: "d".repeat(64),
            argv: vec!["--verbose".to_owned()],
            triggers: Vec::new(),
            essential: true,
            resources: Resources::of(100, 64),
            pids: 64,
            labels: Labels::from([("app".to_owned(), "bench".to_owned())]),
            rules: serde_json::json!({}),
            on_node_loss: OnNodeLoss::Restart,
            description: String::new(),
        },
        environment: BTreeMap::from([("KEY".to_owned(), "value".to_owned())]),
        goal: Goal::Running,
    })
}

/// Seats what is handed over, node by node in turn, until nobody hands over.
async fn seat_all(
    store: Store,
    nodes: Vec<NodeId>,
    mut handed: mpsc::UnboundedReceiver<SeatRequest>,
) -> Outcome<usize> {
    let mut group = Vec::new();
    let mut seats = 0;
    while handed.recv_many(&mut group, 256).await > 0 {
        for (place, request) in group.iter_mut().enumerate() {
            request.node = nodes[(seats + place) % nodes.len()];
        }
        let outcomes = store.workload_seat_many(&BY, &group, None).await?;
        let seated = |outcome: &&SeatOutcome| matches!(outcome, SeatOutcome::Seated(_));
        seats += outcomes.iter().filter(seated).count();
        group.clear();
    }
    Ok(seats)
}

/// A heartbeat with a ledger of a hundred entries, of which none is news.
async fn heartbeats(database: &str, store: &Store, nodes: &[NodeId]) -> Outcome<()> {
    let rows = store.workload_on_node(&nodes[..1]).await?;
    let ledger: Vec<_> = rows.iter().take(100).map(running).collect();
    let boot = BootId::from_parts(1, [1; 10]);
    let start = Instant::now();
    let mut sequence = 2;
    while start.elapsed() < Duration::from_secs(2) {
        store
            .node_heartbeat(NOW, nodes[0], report(sequence))
            .await?;
        let order = HeartbeatOrder { boot, sequence };
        store
            .workload_seen(NOW, nodes[0], &ledger, Some(order))
            .await?;
        sequence += 1;
    }
    let beats = usize::try_from(sequence - 2)?;
    print(
        database,
        "heartbeats_of_100",
        per_second(beats, start.elapsed()),
        "heartbeats/s",
    );
    Ok(())
}

fn running(row: &hostler_store::WorkloadRow) -> SeenEntry {
    SeenEntry {
        id: row.facts.id,
        generation: row.facts.generation,
        state: hostler_core::workload::SeenState::Running,
        slot: None,
        restarts: 0,
        problem: None,
    }
}
