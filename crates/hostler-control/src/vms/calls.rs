//! Orders about VMs, on their way to nodes: one at a time for each VM, a few
//! at a time for each node. Each is decided again from the rows as they are
//! when its turn comes. One that failed is not repeated here: the pass finds
//! the VM as it was.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hostler_core::id::{NodeId, VmId, WorkloadId};
use hostler_store::{NodeRow, StoreError};
use hostler_wire::client::ClientError;
use tokio::sync::Semaphore;

use super::order::{decide, ensure};
use super::seen_entry;
use crate::http::chain;
use crate::nodes::{Flight, Flights, Line, LineError, Order};
use crate::passes::Passes;
use crate::state::App;

/// How many orders a node is sent at a time.
const AT_ONCE: usize = 8;

/// Why an order brought no answer.
#[derive(Debug, thiserror::Error)]
enum CallError {
    #[error("reading what to order, or writing the answer")]
    Store(#[from] StoreError),
    #[error("finding the way to the node")]
    Line(#[from] LineError),
    #[error("the node did not take it")]
    Call(#[from] ClientError),
}

/// The way to one node.
struct Way {
    line: Line,
    turns: Semaphore,
}

/// Calls to nodes about VMs, under way and possible.
pub(crate) struct VmCalls {
    ways: Mutex<BTreeMap<NodeId, Arc<Way>>>,
    flights: Arc<Flights>,
    deadline: Duration,
}

impl VmCalls {
    /// Calls that answer in time or not at all.
    pub(crate) fn new(deadline: Duration, passes: Passes) -> Self {
        Self {
            ways: Mutex::default(),
            flights: Arc::new(Flights::new(passes)),
            deadline,
        }
    }

    /// Sends an order about a VM to a node, unless one is under way. The
    /// caller does not wait.
    pub(crate) fn order(&self, app: &App, node: NodeId, vm: VmId, order: Order) {
        let Some(flight) = self.flights.begin(node, key(vm)) else {
            return;
        };
        let (app, way) = (app.clone(), self.way(node));
        tokio::spawn(async move {
            if let Err(error) = app.vm_calls.send(&app, &way, &flight, order).await {
                metrics::counter!("hostler_vm_orders_failed_total").increment(1);
                tracing::warn!(%node, %vm, error = %chain(&error), "an order for a VM failed");
            }
            drop(flight);
        });
    }

    fn way(&self, node: NodeId) -> Arc<Way> {
        let mut ways = self.ways.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || {
            Arc::new(Way {
                line: Line::default(),
                turns: Semaphore::new(AT_ONCE),
            })
        };
        Arc::clone(ways.entry(node).or_insert_with(new))
    }

    /// Whether no order is under way.
    #[cfg(test)]
    pub(crate) fn is_idle(&self) -> bool {
        self.flights.is_empty()
    }

    /// Forgets the ways to nodes that are gone.
    pub(crate) fn keep_only(&self, nodes: &[NodeRow]) {
        let known = |id: &NodeId| nodes.iter().any(|row| row.facts.id == *id);
        let mut ways = self.ways.lock().unwrap_or_else(PoisonError::into_inner);
        ways.retain(|id, _| known(id));
    }

    async fn send(
        &self,
        app: &App,
        way: &Way,
        flight: &Flight,
        order: Order,
    ) -> Result<(), CallError> {
        let (node, vm) = (flight.node(), VmId::from_uuid(flight.workload().uuid()));
        let Ok(_turn) = way.turns.acquire().await else {
            return Ok(());
        };
        // The node before the VM: an order never names a heartbeat younger
        // than the seat it is about.
        let Some(known) = app.store.node_get(node).await? else {
            return Ok(());
        };
        let row = app.store.vm_get(vm).await?;
        let Some(told) = decide(order, &known, row.as_ref(), (app.now(), &app.timing)) else {
            return Ok(());
        };
        let body = ensure(app, &known, row.as_ref(), told).await?;
        let client = way.line.client(&app.store, &known).await?;
        let entry = client.vm_ensure(vm, &body, self.deadline).await?;
        let seen = [seen_entry(entry)];
        let turned = app.store.vm_seen(app.now(), node, &seen, None).await?;
        if !turned.is_empty() {
            app.passes.wake();
        }
        Ok(())
    }
}

/// Ids never meet, so flights of VMs are kept like those of workloads.
fn key(vm: VmId) -> WorkloadId {
    WorkloadId::from_uuid(vm.uuid())
}
