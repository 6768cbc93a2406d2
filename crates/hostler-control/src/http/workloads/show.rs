//! A workload as the API shows it. Its status is computed, its environment is
//! names without values.

use std::collections::BTreeMap;

use hostler_core::id::NodeId;
use hostler_core::node::{Availability, availability};
use hostler_core::placement::Rules;
use hostler_core::workload::{WorkloadStatus, status};
use hostler_store::{NodeRow, SeenReport, StoreError, WorkloadRow};
use hostler_wire::convert::datetime;
use hostler_wire::rest;

use crate::state::App;

/// What is shown of the nodes that workloads sit on.
pub(super) struct Seats(BTreeMap<NodeId, (String, Availability)>);

impl Seats {
    /// Of all nodes, for lists.
    pub(super) async fn all(app: &App) -> Result<Self, StoreError> {
        let rows = app.store.node_list().await?;
        Ok(Self::of(app, rows))
    }

    /// Of the one node that this workload sits on.
    pub(super) async fn of_one(app: &App, row: &WorkloadRow) -> Result<Self, StoreError> {
        let node = match row.facts.seat {
            Some(id) => app.store.node_get(id).await?,
            None => None,
        };
        Ok(Self::of(app, node))
    }

    fn of(app: &App, rows: impl IntoIterator<Item = NodeRow>) -> Self {
        let now = app.now();
        let seat = |row: NodeRow| {
            let heard = availability(row.facts.last_heard, now, &app.timing);
            (row.facts.id, (row.name.to_string(), heard))
        };
        Self(rows.into_iter().map(seat).collect())
    }

    /// The status of a workload.
    pub(super) fn status(&self, row: &WorkloadRow) -> WorkloadStatus {
        let seat = row.facts.seat.and_then(|id| self.0.get(&id));
        status(&row.facts, seat.map(|(_, availability)| *availability))
    }

    /// The workload as it is shown.
    pub(super) fn show(&self, row: WorkloadRow) -> rest::Workload {
        let status = self.status(&row);
        let seat = row.facts.seat.and_then(|id| self.0.get(&id));
        let (facts, spec) = (row.facts, row.spec);
        let problem = row.seen.as_ref().and_then(|seen| seen.problem.clone());
        rest::Workload {
            id: facts.id,
            name: spec.name.to_string(),
            project: spec.project.to_string(),
            kind: spec.kind,
            status,
            reason: reason(status, row.reason, problem),
            goal: facts.goal,
            generation: facts.generation.number(),
            slave_id: facts.seat,
            slave_name: seat.map(|(name, _)| name.clone()),
            seen: row.seen.map(seen),
            artifact: spec.artifact,
            argv: spec.argv,
            environment_names: row.environment_names,
            triggers: spec.triggers,
            essential: spec.essential,
            resources: spec.resources.into(),
            pids: spec.pids,
            labels: spec.labels,
            placement: rules(&spec.rules).into(),
            on_node_loss: spec.on_node_loss,
            description: spec.description,
            created_at: datetime(row.created_at),
        }
    }
}

/// Rules as they were written; what cannot be read any more binds nothing.
pub(super) fn rules(value: &serde_json::Value) -> Rules {
    serde_json::from_value(value.clone()).unwrap_or_default()
}

/// Why it waits, or what its node says is wrong.
fn reason(
    status: WorkloadStatus,
    waits: Option<String>,
    problem: Option<String>,
) -> Option<String> {
    match status {
        WorkloadStatus::Queued => waits,
        WorkloadStatus::Unknown => Some("its node is silent".to_owned()),
        _ => problem,
    }
}

fn seen(report: SeenReport) -> rest::Seen {
    rest::Seen {
        generation: report.generation.number(),
        state: report.state,
        slot: report.slot,
        restarts: report.restarts,
        problem: report.problem,
        at: datetime(report.at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_fits_the_status() {
        let check = |status, expected: Option<&str>| {
            let given = reason(status, Some("no room".into()), Some("exit 1".into()));
            assert_eq!(given.as_deref(), expected, "{status:?}");
        };
        check(WorkloadStatus::Queued, Some("no room"));
        check(WorkloadStatus::Failed, Some("exit 1"));
        check(WorkloadStatus::Unknown, Some("its node is silent"));
    }
}
