//! A node's heartbeats: what it says of its ledger, and what it makes of the
//! answers.

use std::time::Duration;

use super::super::network::{Body, End};
use super::super::stage::Stage;
use super::super::{Beat, Entry, Event};
use super::{Machine, Record};
use crate::Generation;
use crate::id::WorkloadId;
use crate::workload::{Held, NodeGoal, OnNodeLoss, SeenState, may_forget};

impl Machine {
    /// Sends a heartbeat, and plans the next.
    pub(in crate::sim) fn beat(&mut self, stage: &mut Stage, controls: usize) {
        let now = self.clock.at(stage.now);
        let ledger = self.ledger(now);
        let (machine, life) = (self.at, self.life);
        let (Some(node), Some(daemon)) = (self.disk.node, self.daemon.as_mut()) else {
            return;
        };
        daemon.sequence += 1;
        daemon.lease.sent(daemon.sequence, now);
        let beat = Beat {
            boot: daemon.boot,
            sequence: daemon.sequence,
        };
        let span = daemon.lease.span();
        let to = End::Control(stage.rng.place(controls));
        stage.send(
            End::Machine(machine),
            to,
            Body::Heartbeat {
                node,
                beat,
                span,
                ledger,
            },
        );
        stage.after(900, 1_100, Event::Beat { machine, life });
    }

    fn ledger(&self, now: Duration) -> Vec<Entry> {
        let records = self.disk.ledger.iter();
        let entry = |(id, record): (&WorkloadId, &Record)| Entry {
            workload: *id,
            generation: record.generation,
            state: self.state(*id, record, now),
        };
        records.map(entry).collect()
    }

    /// What is true of an entry, by the daemon's knowledge.
    pub(in crate::sim) fn state(
        &self,
        id: WorkloadId,
        record: &Record,
        now: Duration,
    ) -> SeenState {
        let runs = self.agents.iter().any(|agent| agent.runs(id));
        match (record.goal, record.outcome, runs) {
            (NodeGoal::Gone, _, true) => SeenState::Stopping,
            (NodeGoal::Gone, _, false) => SeenState::Absent,
            (NodeGoal::Running, Some(outcome), _) => outcome,
            (NodeGoal::Running, None, true) => SeenState::Running,
            (NodeGoal::Running, None, false) if self.may_start(id, record, now) => {
                SeenState::Starting
            }
            (NodeGoal::Running, None, false) => SeenState::Fenced,
        }
    }

    /// Whether the lease, if it binds this entry, lets its process be started.
    pub(in crate::sim) fn may_start(&self, id: WorkloadId, record: &Record, now: Duration) -> bool {
        let Some(daemon) = &self.daemon else {
            return false;
        };
        let relies_on = daemon.known.get(&id).and_then(|known| known.relies_on);
        let covered = relies_on.is_some_and(|at| daemon.lease.covers(at, now));
        covered || record.spec.on_node_loss == OnNodeLoss::Wait
    }

    /// Takes in what was said to it; what was told to the whole machine as an
    /// unknown node is not for this.
    pub(in crate::sim) fn hear(&mut self, stage: &mut Stage, from: End, body: Body) {
        match body {
            Body::Answer {
                boot,
                sequence,
                fence_after,
                forget,
            } => {
                let now = self.clock.at(stage.now);
                let Some(daemon) = self.daemon.as_mut().filter(|daemon| daemon.boot == boot) else {
                    return;
                };
                if daemon.lease.answered(sequence, fence_after, now) {
                    self.renew(stage);
                    self.take_over(stage);
                }
                self.forget(stage, &forget);
            }
            Body::Order {
                workload,
                generation,
                goal,
                beat,
                spec,
            } => {
                let record = Record {
                    generation,
                    goal,
                    spec,
                    outcome: None,
                };
                self.order(stage, from, (workload, beat), record);
            }
            _ => (),
        }
    }

    fn forget(&mut self, stage: &Stage, asked: &[(WorkloadId, Generation)]) {
        let now = self.clock.at(stage.now);
        let Some(daemon) = &mut self.daemon else {
            return;
        };
        for (id, generation) in asked {
            let (Some(record), Some(known)) = (self.disk.ledger.get(id), daemon.known.get(id))
            else {
                continue;
            };
            let age = now.saturating_sub(known.written_at);
            let held = Held {
                generation: record.generation,
                goal: record.goal,
                fenced: false,
            };
            if may_forget(held, *generation, age, stage.timing.fence_after) {
                self.disk.ledger.remove(id);
                daemon.known.remove(id);
            }
        }
    }
}
