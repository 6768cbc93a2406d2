//! A node for tests: it takes orders over real HTTP, decides on them as core
//! says, and keeps a ledger. Nothing runs.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::put;
use axum::{Json, Router};
use hostler_core::Generation;
use hostler_core::id::{BootId, WorkloadId};
use hostler_core::workload::{Held, NodeGoal, SeenState, Verdict, order_verdict};
use hostler_wire::node_api::{Ensure, Entry, TOKEN_HEADER};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Ask, House, vms};

type Ledger = BTreeMap<WorkloadId, Entry>;

#[derive(Default)]
struct Inside {
    ledger: Mutex<Ledger>,
    orders: Mutex<Vec<(WorkloadId, Ensure)>>,
    key: Mutex<String>,
    /// While set, orders are received and never answered.
    hangs: Mutex<bool>,
}

/// A registered node.
pub(crate) struct Machine {
    pub(crate) id: String,
    pub(crate) key: String,
    boot: BootId,
    sequence: AtomicU64,
    slots: AtomicU64,
    inside: Arc<Inside>,
    pub(crate) vms: Arc<vms::Inside>,
    disk: AtomicU64,
    _stop: DropGuard,
}

impl Machine {
    /// Starts one and registers it; it was not heard yet.
    pub(crate) async fn register(house: &House, name: &str) -> Self {
        Self::register_with(house, name, json!({})).await
    }

    /// Starts one that is a runner's machine, online and with one slot.
    pub(crate) async fn of_runner(house: &House, runner: &str) -> Self {
        let name = format!("n-{}", &runner[runner.len() - 12..]);
        Self::join_as(house, &name, json!({"runner": runner})).await
    }

    /// Starts one that is a runner's machine; it was not heard yet.
    pub(crate) async fn register_runner(house: &House, runner: &str) -> Self {
        let name = format!("n-{}", &runner[runner.len() - 12..]);
        Self::register_with(house, &name, json!({"runner": runner})).await
    }

    /// Starts one that its cluster calls so, online and with one slot.
    pub(crate) async fn of_cluster(house: &House, node: &str) -> Self {
        Self::join_as(house, node, json!({"kubernetes-node": node})).await
    }

    async fn join_as(house: &House, name: &str, labels: Value) -> Self {
        let machine = Self::register_with(house, name, labels).await;
        machine.grow(house, 1).await;
        machine.beat(house).await;
        machine
    }

    async fn register_with(house: &House, name: &str, labels: Value) -> Self {
        let inside = Arc::new(Inside::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let router = Router::new().route("/workloads/{id}", put(ensure));
        let vms = Arc::new(vms::Inside::default());
        let router = router.with_state(Arc::clone(&inside));
        let router = router.merge(vms::routes(Arc::clone(&vms)));
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        tokio::spawn(async move {
            let serve = async { axum::serve(listener, router).await };
            stopped.run_until_cancelled(serve).await
        });
        let body = json!({"name": name, "hostname": "127.0.0.1", "port": port,
            "labels": labels});
        let made = Ask::post("/slaves")
            .json(&body)
            .send(&house.router)
            .await
            .expect(201);
        let key = made["api_key"].as_str().unwrap().to_owned();
        inside.key.lock().unwrap().clone_from(&key);
        vms.set_key(&key);
        Self {
            id: made["id"].as_str().unwrap().to_owned(),
            key,
            boot: BootId::from_parts(u64::from(port), [7; 10]),
            sequence: AtomicU64::new(0),
            slots: AtomicU64::new(16),
            inside,
            vms,
            disk: AtomicU64::new(0),
            _stop: stop.drop_guard(),
        }
    }

    /// Starts one that is online.
    pub(crate) async fn join(house: &House, name: &str) -> Self {
        let machine = Self::register(house, name).await;
        machine.beat(house).await;
        // From its second heartbeat on it names the span it keeps to.
        machine.beat(house).await;
        machine
    }

    /// Says what it holds; the answer.
    pub(crate) async fn beat(&self, house: &House) -> Value {
        self.ask_beat().send(&house.router).await.expect(200)
    }

    /// Becomes a machine with this many slots, and room to fill them.
    pub(crate) async fn grow(&self, house: &House, slots: u64) {
        self.slots.store(slots, Ordering::Relaxed);
        self.beat(house).await;
    }

    /// Becomes a machine with disk for this many VMs of 64 MiB.
    pub(crate) async fn hold_vms(&self, house: &House, places: u64) {
        self.disk.store(places << 26, Ordering::Relaxed);
        self.beat(house).await;
    }

    /// What it found on itself: a machine, once it holds VMs.
    fn found(&self) -> Value {
        match self.disk.load(Ordering::Relaxed) {
            0 => json!([]),
            _ => json!([{"name": "old", "running": false, "cpus": 1, "memory": 5, "disk": 6}]),
        }
    }

    /// Its next heartbeat, as a request.
    pub(crate) fn ask_beat(&self) -> Ask {
        Ask::post("/slaves/heartbeat")
            .key(&self.key)
            .json(&self.heartbeat())
    }

    fn heartbeat(&self) -> Value {
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed) + 1;
        let slots = self.slots.load(Ordering::Relaxed);
        let ledger: Vec<Entry> = self.ledger().into_values().collect();
        json!({
            "total_cpu": 4, "total_mem": 8192, "total_disk": 100,
            "report": {
                "boot": self.boot, "sequence": sequence, "version": "test",
                "fence_after_ms": (sequence > 1).then_some(40_000),
                "capacity": {"cpu_millis": slots * 250, "memory_bytes": slots << 29},
                "slots": slots, "tags": {"nex.arch": "test"},
                "ledger": ledger, "unclaimed": [],
                "vm_disk_bytes": self.disk.load(Ordering::Relaxed),
                "vms": self.vms.ledger(), "unclaimed_vms": self.found(),
            },
        })
    }

    /// What it holds, tombstones included.
    pub(crate) fn ledger(&self) -> Ledger {
        self.inside.ledger.lock().unwrap().clone()
    }

    /// Its entry about one workload.
    pub(crate) fn entry(&self, id: &str) -> Option<Entry> {
        self.ledger().get(&id.parse().unwrap()).cloned()
    }

    /// The state it says a workload is in.
    pub(crate) fn state(&self, id: &str) -> Option<SeenState> {
        self.entry(id).map(|entry| entry.state)
    }

    /// Writes an entry as if something had happened on the machine.
    pub(crate) fn set(&self, entry: Entry) {
        self.inside.ledger.lock().unwrap().insert(entry.id, entry);
    }

    /// Sends its next heartbeat as if so many before it had never been sent.
    pub(crate) fn rewind(&self, beats: u64) {
        self.sequence.fetch_sub(beats, Ordering::Relaxed);
    }

    /// Loses its disk.
    pub(crate) fn forget_all(&self) {
        self.inside.ledger.lock().unwrap().clear();
    }

    /// Receives orders from now on, and never answers them.
    pub(crate) fn hang(&self) {
        *self.inside.hangs.lock().unwrap() = true;
    }

    /// The orders it was given about one workload.
    pub(crate) fn orders(&self, id: &str) -> Vec<Ensure> {
        let id: WorkloadId = id.parse().unwrap();
        let orders = self.inside.orders.lock().unwrap();
        orders
            .iter()
            .filter(|(about, _)| *about == id)
            .map(|(_, order)| order.clone())
            .collect()
    }
}

async fn ensure(
    State(inside): State<Arc<Inside>>,
    Path(id): Path<WorkloadId>,
    headers: HeaderMap,
    Json(order): Json<Ensure>,
) -> Result<Json<Entry>, StatusCode> {
    let key = headers.get(TOKEN_HEADER).and_then(|key| key.to_str().ok());
    if key != Some(inside.key.lock().unwrap().as_str()) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    inside.orders.lock().unwrap().push((id, order.clone()));
    let hangs = *inside.hangs.lock().unwrap();
    if hangs {
        std::future::pending::<()>().await;
    }
    obey(&mut inside.ledger.lock().unwrap(), id, &order).map(Json)
}

fn obey(ledger: &mut Ledger, id: WorkloadId, order: &Ensure) -> Result<Entry, StatusCode> {
    let held = ledger.get(&id).map(|entry| Held {
        generation: entry.generation,
        goal: if entry.state == SeenState::Absent {
            NodeGoal::Gone
        } else {
            NodeGoal::Running
        },
        fenced: entry.state == SeenState::Fenced,
    });
    match order_verdict(
        held,
        order.generation,
        order.goal,
        order.heartbeat.is_some(),
    ) {
        Verdict::Follow => drop(ledger.insert(id, followed(id, order.generation, order.goal))),
        Verdict::Repeat => {}
        Verdict::Refuse(_) | Verdict::Stale => return Err(StatusCode::CONFLICT),
    }
    Ok(ledger[&id].clone())
}

fn followed(id: WorkloadId, generation: Generation, goal: NodeGoal) -> Entry {
    let runs = goal == NodeGoal::Running;
    Entry {
        id,
        generation,
        state: if runs {
            SeenState::Running
        } else {
            SeenState::Absent
        },
        slot: runs.then(|| "slot".to_owned()),
        restarts: 0,
        problem: None,
    }
}
