//! What a node is told, from the rows as they are now.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hostler_core::node::Timing;
use hostler_core::workload::{Goal, NodeGoal, SeatView, Step, next_step};
use hostler_core::{Generation, Timestamp};
use hostler_store::{NodeRow, Store, StoreError, WorkloadRow, WorkloadSpec};
use hostler_wire::node_api::{self, Ensure};

/// Why a node is to be told something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// The pass found that it is the next step.
    Step,
    /// The node lost it, and is to be told again.
    Again,
    /// The node holds it and should not, up to this generation.
    Retire(Generation),
}

/// What to tell the node about the workload now; `None` when there is nothing.
pub(super) fn decide(
    order: Order,
    node: &NodeRow,
    row: Option<&WorkloadRow>,
    now: Timestamp,
    timing: &Timing,
) -> Option<(Generation, NodeGoal)> {
    let seated = row.filter(|row| row.facts.seat == Some(node.facts.id));
    let view = SeatView::of(&node.facts, now, timing);
    match (order, seated) {
        (Order::Retire(generation), None) => {
            let known = row.map_or(generation, |row| row.facts.generation);
            Some((generation.max(known), NodeGoal::Gone))
        }
        (Order::Step, Some(row)) => match next_step(&row.facts, Some(view)) {
            Step::Ensure(_, goal) => Some((row.facts.generation, goal)),
            _ => None,
        },
        (Order::Again, Some(row)) => {
            let keeps = row.facts.goal == Goal::Running && view.reachable && !view.draining;
            keeps.then_some((row.facts.generation, NodeGoal::Running))
        }
        // Seated there again since, or not there any more.
        (Order::Retire(_), Some(_)) | (Order::Step | Order::Again, None) => None,
    }
}

/// Sizes of artifacts, which never change, so that they are read once.
#[derive(Default)]
pub(super) struct Sizes(Mutex<BTreeMap<String, u64>>);

/// So many sizes are remembered.
const SIZES_KEPT: usize = 10_000;

impl Sizes {
    /// The body of an order. One to run says how, and names the heartbeat on
    /// which it was decided; one to drop needs neither.
    pub(super) async fn ensure(
        &self,
        store: &Store,
        node: &NodeRow,
        row: Option<&WorkloadRow>,
        (generation, goal): (Generation, NodeGoal),
    ) -> Result<Ensure, StoreError> {
        let order = match (goal, row) {
            (NodeGoal::Running, Some(row)) => Some(self.how(store, row).await?),
            _ => None,
        };
        Ok(Ensure {
            generation,
            goal,
            heartbeat: node.beat,
            order,
        })
    }

    async fn how(&self, store: &Store, row: &WorkloadRow) -> Result<node_api::Order, StoreError> {
        let environment = if row.environment_names.is_empty() {
            BTreeMap::new()
        } else {
            store.workload_environment(row.facts.id).await?.unwrap_or_default()
        };
        let spec = row.spec.clone();
        Ok(node_api::Order {
            artifact_size: self.size(store, &spec).await?,
            project: spec.project.to_string(),
            name: spec.name.to_string(),
            kind: spec.kind,
            artifact: spec.artifact,
            argv: spec.argv,
            environment,
            triggers: spec.triggers,
            essential: spec.essential,
            resources: spec.resources.into(),
            pids: spec.pids,
            on_node_loss: spec.on_node_loss,
            description: spec.description,
        })
    }

    async fn size(&self, store: &Store, spec: &WorkloadSpec) -> Result<u64, StoreError> {
        if let Some(size) = self.known().get(&spec.artifact) {
            return Ok(*size);
        }
        let artifact = store.artifact_get(&spec.project, &spec.artifact).await?;
        let size = artifact.map_or(0, |artifact| artifact.size);
        let mut known = self.known();
        if known.len() >= SIZES_KEPT {
            known.clear();
        }
        known.insert(spec.artifact.clone(), size);
        Ok(size)
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
