//! The pass that notices silence: a node that comes, falls silent or comes
//! back is an event, written once. What follows for its work is the business
//! of the workloads' pass, which this one wakes.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use hostler_core::id::NodeId;
use hostler_core::node::{Availability, availability};
use hostler_store::{By, NodeRow, StoreError};

use super::lease::PassLease;
use super::{Outcome, Pass, PassError};
use crate::state::App;

/// The pass.
pub(crate) struct Nodes {
    app: App,
    lease: PassLease,
    noted: BTreeMap<NodeId, Availability>,
}

impl Nodes {
    pub(crate) const fn new(app: App) -> Self {
        Self {
            app,
            lease: PassLease::new("pass.nodes"),
            noted: BTreeMap::new(),
        }
    }

    /// Writes down what has changed since this process looked last; the store
    /// knows what was written before that.
    async fn note(&mut self, rows: &[NodeRow]) -> Result<usize, StoreError> {
        let now = self.app.now();
        let by = By::new("hostler", now);
        let mut turned = 0;
        for row in rows {
            let id = row.facts.id;
            let heard = availability(row.facts.last_heard, now, &self.app.timing);
            if self.noted.get(&id) == Some(&heard) {
                continue;
            }
            if self
                .app
                .store
                .node_availability_note(&by, id, heard)
                .await?
            {
                turned += 1;
                log(row, heard);
            }
            self.noted.insert(id, heard);
        }
        self.noted
            .retain(|id, _| rows.iter().any(|row| row.facts.id == *id));
        Ok(turned)
    }

    fn gauge(&self) {
        let words = [
            (Availability::Pending, "pending"),
            (Availability::Online, "online"),
            (Availability::Suspect, "suspect"),
            (Availability::Offline, "offline"),
        ];
        for (kind, word) in words {
            let count = self.noted.values().filter(|heard| **heard == kind).count();
            metrics::gauge!("hostler_nodes", "availability" => word).set(count as f64);
        }
    }
}

fn log(row: &NodeRow, heard: Availability) {
    let (node, name) = (row.facts.id, &row.name);
    match heard {
        Availability::Suspect | Availability::Offline => {
            tracing::warn!(%node, %name, availability = ?heard, "a node is silent");
        }
        Availability::Pending | Availability::Online => {
            tracing::info!(%node, %name, availability = ?heard, "a node was heard");
        }
    }
}

impl Pass for Nodes {
    const NAME: &'static str = "nodes";
    const ON_WORK: bool = false;

    async fn run(&mut self) -> Result<Outcome, PassError> {
        let rows = self.app.store.node_list().await;
        let rows = rows.map_err(PassError::at("reading nodes"))?;
        self.app.fleet_size.store(rows.len(), Ordering::Relaxed);
        self.app.calls.keep_only(&rows);
        let lease = self.lease.take(&self.app).await;
        if lease.map_err(PassError::at("taking the lease"))?.is_none() {
            return Ok(Outcome::Elsewhere);
        }
        let turned = self.note(&rows).await;
        let turned = turned.map_err(PassError::at("noting what is heard of nodes"))?;
        self.gauge();
        if turned > 0 {
            self.app.passes.wake();
        }
        Ok(Outcome::Did(turned))
    }

    async fn end(&mut self) {
        self.lease.give_back(&self.app).await;
    }
}
