//! The VMs of a node for tests: orders are decided on as core says, what they
//! want is true at once. A console echoes; a screen is a few bytes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, put};
use axum::{Json, Router};
use hostler_core::id::VmId;
use hostler_core::vm::{RollbackDone, SnapshotState, VmGoal, VmSeenState};
use hostler_wire::node_api::{
    SnapshotEntry, TOKEN_HEADER, VmDefinition, VmEnsure, VmEntry, VmOrder,
};

/// What a node holds of VMs.
#[derive(Default)]
pub(crate) struct Inside {
    ledger: Mutex<BTreeMap<VmId, VmEntry>>,
    orders: Mutex<Vec<(VmId, VmEnsure)>>,
    key: Mutex<String>,
    /// While set, orders are followed, and their answers are lost.
    mute: Mutex<bool>,
}

impl Inside {
    pub(crate) fn set_key(&self, key: &str) {
        key.clone_into(&mut self.key.lock().unwrap());
    }

    /// Follows orders from now on and never answers them, or answers again.
    pub(crate) fn mute(&self, mute: bool) {
        *self.mute.lock().unwrap() = mute;
    }

    /// What it holds, tombstones included.
    pub(crate) fn ledger(&self) -> Vec<VmEntry> {
        self.ledger.lock().unwrap().values().cloned().collect()
    }

    /// Its entry about one VM.
    pub(crate) fn entry(&self, id: &str) -> Option<VmEntry> {
        let id: VmId = id.parse().unwrap();
        self.ledger.lock().unwrap().get(&id).cloned()
    }

    /// Changes its entry about one VM, as if something had happened there.
    pub(crate) fn change(&self, id: &str, change: impl FnOnce(&mut VmEntry)) {
        let id: VmId = id.parse().unwrap();
        change(self.ledger.lock().unwrap().get_mut(&id).unwrap());
    }

    /// Holds what another machine holds, as if it were that one.
    pub(crate) fn take_over(&self, other: &Self) {
        self.ledger
            .lock()
            .unwrap()
            .extend(other.ledger.lock().unwrap().clone());
        let orders = other.orders.lock().unwrap();
        self.orders.lock().unwrap().extend(orders.iter().cloned());
    }

    /// Loses its ledger.
    pub(crate) fn forget_all(&self) {
        self.ledger.lock().unwrap().clear();
    }

    /// The orders it was given about one VM.
    pub(crate) fn orders(&self, id: &str) -> Vec<VmEnsure> {
        let id: VmId = id.parse().unwrap();
        let orders = self.orders.lock().unwrap();
        let about = orders.iter().filter(|(about, _)| *about == id);
        about.map(|(_, order)| order.clone()).collect()
    }

    /// The newest order it was given about one VM, in full.
    pub(crate) fn wanted(&self, id: &str) -> VmOrder {
        let orders = self.orders(id).into_iter().rev();
        { orders }.find_map(|ensure| ensure.order).unwrap()
    }
}

/// The routes of a node that are about VMs.
pub(crate) fn routes(inside: Arc<Inside>) -> Router {
    Router::new()
        .route("/vms/{id}", put(ensure))
        .route("/vms/{id}/definition", get(definition))
        .route("/vms/{id}/screenshot", get(screenshot))
        .route("/vms/{id}/console/{kind}", get(console))
        .with_state(inside)
}

fn proven(inside: &Inside, headers: &HeaderMap) -> Result<(), StatusCode> {
    let key = headers.get(TOKEN_HEADER).and_then(|key| key.to_str().ok());
    let right = key == Some(inside.key.lock().unwrap().as_str());
    right.then_some(()).ok_or(StatusCode::UNAUTHORIZED)
}

async fn ensure(
    State(inside): State<Arc<Inside>>,
    Path(id): Path<VmId>,
    headers: HeaderMap,
    Json(order): Json<VmEnsure>,
) -> Result<Json<VmEntry>, StatusCode> {
    proven(&inside, &headers)?;
    inside.orders.lock().unwrap().push((id, order.clone()));
    let answer = obey(&mut inside.ledger.lock().unwrap(), id, &order);
    if *inside.mute.lock().unwrap() {
        return Err(StatusCode::INTERNAL_SERVER_ERROR);
    }
    answer.map(Json)
}

fn obey(
    ledger: &mut BTreeMap<VmId, VmEntry>,
    id: VmId,
    order: &VmEnsure,
) -> Result<VmEntry, StatusCode> {
    let held = ledger.get(&id);
    let late = held.is_some_and(|held| order.generation < held.generation);
    let gone = order.goal == VmGoal::Gone;
    let dead = held.is_some_and(|held| {
        held.generation == order.generation && held.state == VmSeenState::Absent && !gone
    });
    if late || dead || (order.heartbeat.is_none() && !gone) {
        return Err(StatusCode::CONFLICT);
    }
    let entry = followed(id, order);
    ledger.insert(id, entry.clone());
    Ok(entry)
}

fn followed(id: VmId, ensure: &VmEnsure) -> VmEntry {
    let order = ensure.order.as_ref();
    let snapshots = order
        .map(|order| order.snapshots.clone())
        .unwrap_or_default();
    let snapshots = snapshots.into_iter().map(|snapshot| SnapshotEntry {
        id: snapshot.id,
        state: SnapshotState::Ready,
        taken_at: None,
        problem: None,
    });
    let rollback = order.and_then(|order| order.rollback.as_ref());
    VmEntry {
        id,
        generation: ensure.generation,
        state: match ensure.goal {
            VmGoal::Running => VmSeenState::Running,
            VmGoal::Paused => VmSeenState::Paused,
            VmGoal::Stopped => VmSeenState::Stopped,
            VmGoal::Gone => VmSeenState::Absent,
        },
        size: order.map(|order| order.size),
        problem: None,
        progress: None,
        addresses: vec!["10.0.0.9".parse().unwrap()],
        disk_used: 1 << 20,
        wants_restart: Vec::new(),
        reboots: order.map_or(0, |order| order.reboots),
        snapshots: snapshots.collect(),
        rollback: rollback.map(|rollback| RollbackDone {
            number: rollback.number,
            problem: None,
        }),
    }
}

/// By what it was last ordered.
async fn definition(
    State(inside): State<Arc<Inside>>,
    Path(id): Path<VmId>,
    headers: HeaderMap,
) -> Result<Json<VmDefinition>, StatusCode> {
    proven(&inside, &headers)?;
    let ledger = inside.ledger.lock().unwrap();
    let held = ledger.get(&id).ok_or(StatusCode::NOT_FOUND)?;
    let orders = inside.orders.lock().unwrap();
    let mut orders = orders.iter().rev().filter(|(about, _)| *about == id);
    let newest = orders.find_map(|(_, ensure)| Some((ensure.goal, ensure.order.clone()?)));
    let (goal, order) = newest.ok_or(StatusCode::NOT_FOUND)?;
    let generation = held.generation;
    Ok(Json(VmDefinition {
        generation,
        goal,
        order,
    }))
}

async fn screenshot(
    State(inside): State<Arc<Inside>>,
    headers: HeaderMap,
) -> Result<&'static [u8], StatusCode> {
    proven(&inside, &headers)?;
    Ok(b"\x89PNG picture")
}

/// Says back what it is told.
async fn console(
    State(inside): State<Arc<Inside>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Result<Response, StatusCode> {
    proven(&inside, &headers)?;
    Ok(upgrade.on_upgrade(|mut socket| async move {
        while let Some(Ok(message)) = socket.recv().await {
            if let Message::Binary(bytes) = message
                && socket.send(Message::Binary(bytes)).await.is_err()
            {
                return;
            }
        }
    }))
}
