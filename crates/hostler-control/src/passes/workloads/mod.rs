//! The pass that makes workloads be as wanted.
//!
//! It reads the nodes, then the workloads that are not settled and those on
//! nodes that are lost or draining, asks core for the one next step of each,
//! and carries it out: seats are given in batches, a seat is taken back or a
//! row erased one by one, and orders are handed to the callers of nodes
//! ([`crate::nodes`]), which look at the rows again before they send. It never
//! waits for a node. It does the same after a crash at any point.
//!
//! Nodes are read before workloads, so that no decision combines a heartbeat
//! with a seat older than it.

mod board;
mod place;
mod steps;

use std::collections::BTreeMap;

use hostler_core::id::{NodeId, WorkloadId};
use hostler_core::workload::SeatView;
use hostler_store::{FencedError, NodeRow, StoreError, WorkloadRow};

use super::fleet::PAGE;
use super::lease::PassLease;
use super::{Outcome, Pass, PassError};
use crate::state::App;
use board::Board;

/// The pass.
pub(crate) struct Workloads {
    app: App,
    lease: PassLease,
    board: Board,
}

/// The nodes, as they were when the pass began.
pub(super) struct Views(BTreeMap<NodeId, (SeatView, NodeRow)>);

impl Views {
    fn of(app: &App, nodes: Vec<NodeRow>) -> Self {
        let now = app.now();
        let view = |row: NodeRow| {
            let view = SeatView::of(&row.facts, now, &app.timing);
            (row.facts.id, (view, row))
        };
        Self(nodes.into_iter().map(view).collect())
    }

    fn view(&self, node: NodeId) -> Option<SeatView> {
        self.0.get(&node).map(|(view, _)| *view)
    }

    fn row(&self, node: NodeId) -> Option<&NodeRow> {
        self.0.get(&node).map(|(_, row)| row)
    }

    /// Nodes whose settled workloads need a look all the same.
    fn troubled(&self) -> Vec<NodeId> {
        let troubled = |(view, _): &&(SeatView, NodeRow)| view.lost || view.draining;
        self.0
            .values()
            .filter(troubled)
            .map(|(_, row)| row.facts.id)
            .collect()
    }
}

impl Workloads {
    pub(crate) fn new(app: App) -> Self {
        Self {
            board: Board::new(&app),
            lease: PassLease::new("pass.workloads"),
            app,
        }
    }

    async fn look(&self, views: &Views) -> Result<Vec<WorkloadRow>, StoreError> {
        let mut rows = Vec::new();
        let mut after: Option<WorkloadId> = None;
        loop {
            let page = self.app.store.workload_unsettled(after, PAGE).await?;
            let full = page.len() as u64 == PAGE;
            after = page.last().map(|row| row.facts.id);
            rows.extend(page);
            if !full {
                break;
            }
        }
        let troubled = views.troubled();
        if !troubled.is_empty() {
            let mut known: BTreeMap<_, _> =
                rows.into_iter().map(|row| (row.facts.id, row)).collect();
            for row in self.app.store.workload_on_node(&troubled).await? {
                known.entry(row.facts.id).or_insert(row);
            }
            rows = known.into_values().collect();
        }
        Ok(rows)
    }
}

impl Pass for Workloads {
    const NAME: &'static str = "workloads";
    const ON_WORK: bool = true;

    async fn run(&mut self) -> Result<Outcome, PassError> {
        let lease = self.lease.take(&self.app).await;
        let Some(fence) = lease.map_err(PassError::at("taking the lease"))? else {
            return Ok(Outcome::Elsewhere);
        };
        let nodes = self.app.store.node_list().await;
        let nodes = nodes.map_err(PassError::at("reading nodes"))?;
        let views = Views::of(&self.app, nodes);
        let rows = self.look(&views).await;
        let rows = rows.map_err(PassError::at("reading workloads"))?;
        if rows.is_empty() {
            return Ok(Outcome::Did(0));
        }
        let done = self.carry_out(&views, rows, &fence).await;
        if let Err(FencedError::Fenced { .. }) = &done {
            self.lease.lose();
            self.board.forget();
        }
        done.map(Outcome::Did)
            .map_err(PassError::at("carrying out steps"))
    }

    async fn end(&mut self) {
        self.lease.give_back(&self.app).await;
    }
}
