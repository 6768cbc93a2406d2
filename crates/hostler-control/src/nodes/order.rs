//! What a node is told, from the rows as they are now.

use std::collections::BTreeMap;

use hostler_core::node::Timing;
use hostler_core::workload::{NodeGoal, SeatView, Step, next_step};
use hostler_core::{Generation, Timestamp};
use hostler_store::{NodeRow, StoreError, WorkloadRow};
use hostler_wire::node_api::{self, Ensure};

use crate::state::App;

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
        (Order::Step | Order::Again, Some(row)) => match next_step(&row.facts, Some(view)) {
            Step::Ensure(_, goal) => Some((row.facts.generation, goal)),
            _ => None,
        },
        // Seated there again since, or not there any more.
        (Order::Retire(_), Some(_)) | (Order::Step | Order::Again, None) => None,
    }
}

/// The body of an order. One to run says how, and names the heartbeat on which
/// it was decided; one to drop needs neither.
pub(super) async fn ensure(
    app: &App,
    node: &NodeRow,
    row: Option<&WorkloadRow>,
    (generation, goal): (Generation, NodeGoal),
) -> Result<Ensure, StoreError> {
    let order = match (goal, row) {
        (NodeGoal::Running, Some(row)) => Some(how(app, row).await?),
        _ => None,
    };
    Ok(Ensure {
        generation,
        goal,
        heartbeat: node.beat,
        order,
    })
}

async fn how(app: &App, row: &WorkloadRow) -> Result<node_api::Order, StoreError> {
    let environment = if row.environment_names.is_empty() {
        BTreeMap::new()
    } else {
        let environment = app.store.workload_environment(row.facts.id).await?;
        environment.unwrap_or_default()
    };
    let spec = row.spec.clone();
    let artifact = app
        .known_artifacts
        .find(&app.store, &spec.project, &spec.artifact)
        .await?;
    Ok(node_api::Order {
        project: spec.project.to_string(),
        name: spec.name.to_string(),
        kind: spec.kind,
        artifact_size: artifact.map_or(0, |artifact| artifact.size),
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
