//! The pass that carries on operations: it claims one that is due, does what
//! core says until it must wait or has ended, and writes each action's word
//! after the action. Every action done twice ends the same, so a worker may
//! die anywhere; one whose claim was taken over can write nothing more.

use std::time::Duration;

use chrono::{DateTime, Utc};
use hostler_core::Timestamp;
use hostler_core::id::NodeId;
use hostler_core::node::Scheduling;
use hostler_core::operation::{
    Action, NodeWorld, OperationFacts, OperationKind, OperationState, OperationStep, next_step,
    progress,
};
use hostler_store::{
    By, ClaimError, NodeLeaveError, OperationClaim, OperationOutcome, OperationRow, StoreError,
};
use hostler_wire::convert::timestamp;

use super::{Outcome, Pass, PassError};
use crate::state::App;

/// How long a worker may take for one step before another takes over.
const CLAIM: Duration = Duration::from_secs(30);

/// The pass.
pub(crate) struct Operations(pub(crate) App);

impl Pass for Operations {
    const NAME: &'static str = "operations";
    const ON_WORK: bool = false;

    async fn run(&mut self) -> Result<Outcome, PassError> {
        let mut done = 0;
        loop {
            let now = self.0.now();
            let claim = self
                .0
                .store
                .operation_claim(&self.0.holder, now, CLAIM)
                .await;
            let Some(claim) = claim.map_err(PassError::at("claiming an operation"))? else {
                return Ok(Outcome::Did(done));
            };
            match self.carry_on(claim).await {
                Ok(steps) => done += steps,
                Err(ClaimError::Lost(operation)) => {
                    tracing::warn!(%operation, "another worker has taken this operation over");
                }
                Err(error) => return Err(PassError::at("carrying on an operation")(error)),
            }
        }
    }
}

impl Operations {
    /// Steps until the operation waits or has ended; how many were done.
    async fn carry_on(&self, mut claim: OperationClaim) -> Result<usize, ClaimError> {
        let id = claim.row.id;
        let mut done = 0;
        loop {
            let now = self.0.now();
            let by = By::new("hostler", now);
            let Some(row) = self.0.store.operation_get(id).await? else {
                return Err(ClaimError::Lost(id));
            };
            claim.row = row;
            let Some(work) = Work::read(&claim.row) else {
                let problem = Some("this version does not know such an operation");
                self.end(&by, &claim, OperationOutcome::Stuck, problem)
                    .await?;
                return Ok(done);
            };
            let world = self.world(work.node).await?;
            let facts = work.facts(&claim.row);
            let text = progress(&facts, &world);
            match next_step(&facts, &world, now) {
                OperationStep::Do(action) | OperationStep::Undo(action) => {
                    if !self.act(&by, &claim, (work.node, action)).await? {
                        return self.wait(&claim, now, &text).await.map(|()| done);
                    }
                    let store = &self.0.store;
                    store
                        .operation_step_done(&by, &claim, action.word(), &text)
                        .await?;
                    done += 1;
                }
                OperationStep::Wait => return self.wait(&claim, now, &text).await.map(|()| done),
                OperationStep::Finish(state) => {
                    self.end(&by, &claim, outcome(state), None).await?;
                    return Ok(done + 1);
                }
                OperationStep::Stuck(why) => {
                    self.end(&by, &claim, OperationOutcome::Stuck, Some(&why))
                        .await?;
                    return Ok(done + 1);
                }
            }
        }
    }

    /// Lets go for a while.
    async fn wait(
        &self,
        claim: &OperationClaim,
        now: Timestamp,
        progress: &str,
    ) -> Result<(), ClaimError> {
        let due = now + self.0.timing.heartbeat.min(LONGEST_WAIT);
        self.0.store.operation_release(claim, due, progress).await
    }

    async fn end(
        &self,
        by: &By<'_>,
        claim: &OperationClaim,
        outcome: OperationOutcome,
        problem: Option<&str>,
    ) -> Result<(), ClaimError> {
        let operation = claim.row.id;
        tracing::info!(%operation, kind = claim.row.kind, ?outcome, problem, "an operation ended");
        self.0
            .store
            .operation_end(by, claim, outcome, problem)
            .await
    }

    async fn world(&self, node: NodeId) -> Result<NodeWorld, StoreError> {
        let row = self.0.store.node_get(node).await?;
        let seated = self.0.store.workload_on_node(&[node]).await?;
        let movable = seated
            .iter()
            .filter(|row| row.facts.leaves_when_drained())
            .count();
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Ok(NodeWorld {
            scheduling: row.map(|row| row.facts.scheduling),
            movable: count(movable),
            staying: count(seated.len() - movable),
        })
    }

    /// Whether the action was done; if not, it may be later.
    async fn act(
        &self,
        by: &By<'_>,
        claim: &OperationClaim,
        (node, action): (NodeId, Action),
    ) -> Result<bool, ClaimError> {
        let (scheduling, puts_back) = match action {
            Action::Remember(_) => return Ok(true),
            Action::Unregister => return Ok(self.unregister(by, node).await?),
            Action::Drain => (Scheduling::Draining, false),
            Action::Close => (Scheduling::Closed, false),
            Action::PutBack(was) => (was, true),
        };
        let place = (node, scheduling);
        let store = &self.0.store;
        let done = store.operation_schedule(by, claim, place, puts_back).await;
        self.0.passes.wake();
        done
    }

    /// Whether anything is seated there is looked at in the transaction.
    async fn unregister(&self, by: &By<'_>, node: NodeId) -> Result<bool, StoreError> {
        match self.0.store.node_leave(by, node).await {
            Ok(()) | Err(NodeLeaveError::Unknown(_)) => Ok(true),
            Err(NodeLeaveError::Seated(_) | NodeLeaveError::Vms(_)) => Ok(false),
            Err(NodeLeaveError::Store(error)) => Err(error),
        }
    }
}

const LONGEST_WAIT: Duration = Duration::from_secs(1);

fn outcome(state: OperationState) -> OperationOutcome {
    match state {
        OperationState::Done => OperationOutcome::Done,
        OperationState::Undone => OperationOutcome::Undone,
        OperationState::Stuck | OperationState::Waiting | OperationState::Running => {
            OperationOutcome::Stuck
        }
    }
}

/// What an operation says it is about.
struct Work {
    kind: OperationKind,
    node: NodeId,
    deadline: Timestamp,
}

impl Work {
    fn read(row: &OperationRow) -> Option<Self> {
        let deadline = row.arguments.get("deadline")?.as_str()?;
        let deadline = deadline.parse::<DateTime<Utc>>().ok()?;
        Some(Self {
            kind: row.kind.parse().ok()?,
            node: row.subject.parse().ok()?,
            deadline: timestamp(deadline),
        })
    }

    fn facts<'a>(&self, row: &'a OperationRow) -> OperationFacts<'a> {
        OperationFacts {
            kind: self.kind,
            steps_done: &row.steps_done,
            cancel_asked: row.cancel_asked,
            deadline: self.deadline,
        }
    }
}
