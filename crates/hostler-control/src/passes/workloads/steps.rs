//! Carrying out what core says, each step once.

use hostler_core::Generation;
use hostler_core::id::NodeId;
use hostler_core::workload::{SeatView, Step, next_step};
use hostler_store::{By, ChangeOutcome, Fence, FencedError, Unseat, WorkloadRow};

use super::{Views, Workloads};
use crate::nodes::Order;
use crate::passes::fleet::unit_of;

impl Workloads {
    /// Does the next step of every row; how many there were to do.
    pub(super) async fn carry_out(
        &mut self,
        views: &Views,
        rows: Vec<WorkloadRow>,
        fence: &Fence,
    ) -> Result<usize, FencedError> {
        let mut done = 0;
        let mut queued = Vec::new();
        for row in rows {
            let view = row.facts.seat.and_then(|node| views.view(node));
            let step = next_step(&row.facts, view);
            done += usize::from(!matches!(step, Step::Nothing | Step::Place));
            match step {
                Step::Nothing => {}
                Step::Place => queued.push(row),
                Step::Ensure(node, _) => self.order(node, &row),
                Step::Unseat(node) => self.unseat(views, &row, node, fence).await?,
                Step::Raise(to) => self.raise(&row, to, fence).await?,
                Step::Erase => self.erase(&row, fence).await?,
            }
        }
        metrics::gauge!("hostler_workloads_queued").set(queued.len() as f64);
        if !queued.is_empty() {
            self.board.renew(&self.app, views, fence).await?;
            done += self.place(views, queued, fence).await?;
        }
        Ok(done)
    }

    fn order(&self, node: NodeId, row: &WorkloadRow) {
        self.app
            .calls
            .order(&self.app, node, row.facts.id, Order::Step);
    }

    async fn unseat(
        &mut self,
        views: &Views,
        row: &WorkloadRow,
        node: NodeId,
        fence: &Fence,
    ) -> Result<(), FencedError> {
        let unseat = Unseat {
            workload: row.facts.id,
            expected: row.facts.generation,
            node,
            why: why(views.view(node)),
        };
        let by = By::new("hostler", self.app.now());
        let (store, fence) = (&self.app.store, Some(fence));
        // What was decided because of silence or absence is decided again in
        // the transaction: the node may have been heard or registered since.
        let outcome = match views.view(node) {
            None => {
                store
                    .workload_unseat_unregistered(&by, unseat, fence)
                    .await?
            }
            Some(view) if view.lost => store.workload_unseat_lost(&by, unseat, fence).await?,
            Some(_) => store.workload_unseat(&by, unseat, fence).await?,
        };
        if outcome == ChangeOutcome::Changed {
            self.board.unseat(&unit_of(row), node);
        }
        // Whatever comes next for it, comes at once.
        self.app.passes.wake();
        Ok(())
    }

    async fn raise(
        &self,
        row: &WorkloadRow,
        to: Generation,
        fence: &Fence,
    ) -> Result<(), FencedError> {
        let by = By::new("hostler", self.app.now());
        let (id, step) = (row.facts.id, (row.facts.generation, to));
        tracing::warn!(workload = %id, %to, "its node was told more than this database knows");
        self.app
            .store
            .workload_raise(&by, id, step, Some(fence))
            .await?;
        self.app.passes.wake();
        Ok(())
    }

    async fn erase(&self, row: &WorkloadRow, fence: &Fence) -> Result<(), FencedError> {
        let by = By::new("hostler", self.app.now());
        let (id, expected) = (row.facts.id, row.facts.generation);
        self.app
            .store
            .workload_erase(&by, id, expected, Some(fence))
            .await?;
        Ok(())
    }
}

/// Why a seat is taken away, in words.
fn why(view: Option<SeatView>) -> &'static str {
    match view {
        None => "its node was unregistered",
        Some(view) if view.lost => "its node was silent until its lease ended",
        Some(view) if view.draining => "its node is being drained, and has dropped it",
        Some(_) => "its node has dropped it",
    }
}
