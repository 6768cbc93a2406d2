//! Seats for those that wait: chosen on the board, given in batches by the
//! store. Who waited longest chooses first. Who finds no place waits on, with
//! the reason written down where people look.

use std::collections::BTreeMap;

use hostler_core::id::NodeId;
use hostler_core::placement::{Overcommit, Rules, Unit};
use hostler_core::{Labels, Name};
use hostler_store::{
    By, Fence, FencedError, Limits, SeatOutcome, SeatRequest, StoreError, WorkloadRow,
};

use super::{Views, Workloads};
use crate::passes::fleet::unit_of;

/// The most reasons written in one run. They change with every seat given
/// elsewhere, and nobody reads ten thousand of them a second.
const REASONS: usize = 64;

/// What two units that fare alike have in common.
type Shape = (Name, Labels, Rules, u64, u64);

fn shape(unit: &Unit) -> Shape {
    let needs = unit.resources;
    (
        unit.project.clone(),
        unit.labels.clone(),
        unit.rules.clone(),
        needs.cpu.as_millis(),
        needs.memory.get(),
    )
}

impl Workloads {
    /// How many seats were asked for and reasons written.
    pub(super) async fn place(
        &mut self,
        views: &Views,
        queued: Vec<WorkloadRow>,
        fence: &Fence,
    ) -> Result<usize, FencedError> {
        let mut requests = Vec::new();
        let mut waiting = Vec::new();
        let mut refused: BTreeMap<Shape, String> = BTreeMap::new();
        for row in queued {
            let unit = unit_of(&row);
            let known = refused.get(&shape(&unit)).cloned();
            let choice = known.map_or_else(
                || {
                    self.board
                        .choose(&unit)
                        .map_err(|refusal| refusal.to_string())
                },
                Err,
            );
            match choice {
                Ok(node) => requests.push(self.request(views, &row, node)),
                Err(reason) => {
                    refused
                        .entry(shape(&unit))
                        .or_insert_with(|| reason.clone());
                    waiting.push((row, reason));
                }
            }
        }
        self.seat(&requests, fence).await?;
        Ok(requests.len() + self.tell(&waiting).await?)
    }

    fn request(&self, views: &Views, row: &WorkloadRow, node: NodeId) -> SeatRequest {
        let labels = views.row(node).map(|row| &row.facts.labels);
        let overcommits = &self.app.placing.overcommits;
        let percent = labels.map(|labels| Overcommit::of(overcommits, labels));
        let percent = percent.unwrap_or_default();
        SeatRequest {
            workload: row.facts.id,
            expected: row.facts.generation,
            node,
            limits: Limits {
                cpu_percent: percent.cpu_percent,
                memory_percent: percent.memory_percent,
            },
        }
    }

    /// A seat that was not given means that the board was wrong, or the
    /// workload has changed: both look again at once.
    async fn seat(&mut self, requests: &[SeatRequest], fence: &Fence) -> Result<(), FencedError> {
        if requests.is_empty() {
            return Ok(());
        }
        let by = By::new("hostler", self.app.now());
        let outcomes = self
            .app
            .store
            .workload_seat_many(&by, requests, Some(fence))
            .await;
        let outcomes = outcomes.inspect_err(|_| self.board.forget())?;
        let seated = |outcome: &SeatOutcome| matches!(outcome, SeatOutcome::Seated(_));
        let given = outcomes.iter().filter(|outcome| seated(outcome)).count();
        metrics::counter!("hostler_seats_given_total").increment(given as u64);
        if given < outcomes.len() {
            self.board.forget();
        }
        tracing::debug!(given, asked = outcomes.len(), "seats were given");
        // Each of them now wants an order.
        self.app.passes.wake();
        Ok(())
    }

    /// How many reasons were written.
    async fn tell(&self, waiting: &[(WorkloadRow, String)]) -> Result<usize, StoreError> {
        let by = By::new("hostler", self.app.now());
        let changed = |(row, reason): &&(WorkloadRow, String)| row.reason.as_ref() != Some(reason);
        let (never_told, told): (Vec<_>, Vec<_>) = waiting
            .iter()
            .filter(changed)
            .partition(|(row, _)| row.reason.is_none());
        let mut written = 0;
        for (row, reason) in never_told.into_iter().chain(told).take(REASONS) {
            let id = row.facts.id;
            self.app
                .store
                .workload_reason_set(&by, id, Some(reason))
                .await?;
            written += 1;
        }
        Ok(written)
    }
}
