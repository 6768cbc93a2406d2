//! The pass that looks into what heartbeats remarked. It runs in every control
//! plane, each for the heartbeats it answered: an order names a generation, and
//! so does a remark, so it does no harm to look into one twice.
//!
//! What is missing is given a new generation before it is ordered again. The
//! node may have dropped it by an order of the present one, in a drain that was
//! called off, and have lost the tombstone with its ledger: its *absent* may
//! still be under way, and must not be taken for a word about what runs then.

use hostler_core::Generation;
use hostler_core::id::{NodeId, WorkloadId};
use hostler_core::workload::Goal;
use hostler_store::{By, FencedError};

use super::{Outcome, Pass, PassError, Stray};
use crate::nodes::Order;
use crate::state::App;

/// The pass.
pub(crate) struct StrayPass(pub(crate) App);

impl Pass for StrayPass {
    const NAME: &'static str = "strays";
    const ON_WORK: bool = true;

    async fn run(&mut self) -> Result<Outcome, PassError> {
        let remarks = self.0.strays.take();
        let count = remarks.len();
        for (node, workload, stray) in remarks {
            match stray {
                Stray::Retire(generation) => {
                    let order = Order::Retire(generation);
                    self.0.calls.order(&self.0, node, workload, order);
                }
                Stray::Missing(generation) => {
                    let raised = self.raise(node, workload, generation).await;
                    raised.map_err(PassError::at("raising what is missing"))?;
                }
            }
        }
        Ok(Outcome::Did(count))
    }
}

impl StrayPass {
    /// What runs after all by the same plan runs on under the new generation.
    async fn raise(
        &self,
        node: NodeId,
        workload: WorkloadId,
        missing: Generation,
    ) -> Result<(), FencedError> {
        let app = &self.0;
        let Some(row) = app.store.workload_get(workload).await? else {
            return Ok(());
        };
        let (facts, step) = (&row.facts, (missing, missing.next()));
        if facts.seat != Some(node) || facts.goal != Goal::Running {
            return Ok(());
        }
        tracing::warn!(%workload, %node, "it is missing on its node, and ordered again");
        let by = By::new("hostler", app.now());
        app.store.workload_raise(&by, workload, step, None).await?;
        app.passes.wake();
        Ok(())
    }
}
