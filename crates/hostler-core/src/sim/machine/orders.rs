//! What a node makes of orders.

use super::super::network::{Body, End};
use super::super::stage::Stage;
use super::super::trace::Note;
use super::super::{Beat, Entry, Event, Guard, Invariant};
use super::{Known, Machine, Record};
use crate::Generation;
use crate::id::WorkloadId;
use crate::workload::{Held, NodeGoal, SeenState, Verdict, order_verdict};

impl Machine {
    /// Follows an order, or does not, and says what is then.
    pub(super) fn order(
        &mut self,
        stage: &mut Stage,
        from: End,
        (id, beat): (WorkloadId, Option<Beat>),
        order: Record,
    ) {
        let now = self.clock.at(stage.now);
        let Some(daemon) = &mut self.daemon else {
            return;
        };
        let renewed = daemon.lease.admits(beat, now);
        if renewed {
            self.renew(stage);
        }
        let fresh = renewed || !stage.guards(Guard::FreshOrder);
        let held = self.disk.ledger.get(&id).map(|record| Held {
            generation: record.generation,
            goal: record.goal,
            fenced: self.state(id, record, now) == SeenState::Fenced,
        });
        let verdict = match order_verdict(held, order.generation, order.goal, fresh) {
            Verdict::Refuse(_) if !stage.guards(Guard::GenerationCheck) => Verdict::Follow,
            verdict => verdict,
        };
        stage.note(Note::Order(from, id, order.generation, order.goal, verdict));
        match verdict {
            Verdict::Stale => return,
            Verdict::Follow => self.follow(stage, id, order),
            Verdict::Repeat | Verdict::Refuse(_) => (),
        }
        self.word(stage, from, id, order.generation);
    }

    fn word(&self, stage: &mut Stage, to: End, workload: WorkloadId, asked: Generation) {
        let now = self.clock.at(stage.now);
        let record = self.disk.ledger.get(&workload);
        let entry = Entry {
            workload,
            generation: record.map_or(asked, |record| record.generation),
            state: record.map_or(SeenState::Absent, |record| {
                self.state(workload, record, now)
            }),
        };
        if let Some(node) = self.disk.node {
            stage.send(End::Machine(self.at), to, Body::Word(node, entry));
        }
    }

    /// Within a generation *gone* is higher than *running*. What runs of a lost
    /// ledger is being stopped, so an older order to drop it does it no harm.
    fn check_order(&mut self, stage: &mut Stage, id: WorkloadId, order: Record) {
        let rank = (order.generation, order.goal == NodeGoal::Gone);
        let highest = *self.highest.entry(id).or_insert(rank);
        let doomed = order.goal == NodeGoal::Gone && !self.disk.ledger.contains_key(&id);
        let running = self.agents.iter().find(|agent| agent.runs(id));
        let newer = running.filter(|agent| agent.generation > order.generation && !doomed);
        if newer.is_some() || (order.goal == NodeGoal::Running && rank < highest) {
            stage.violate(Invariant::NoOldOrder, || {
                format!("{id:?} obeyed {order:?} after an order of {highest:?}")
            });
        }
        self.highest.insert(id, rank.max(highest));
    }

    /// Writes an order down, then does it.
    fn follow(&mut self, stage: &mut Stage, workload: WorkloadId, order: Record) {
        self.check_order(stage, workload, order);
        let now = self.clock.at(stage.now);
        let Some(daemon) = &mut self.daemon else {
            return;
        };
        let (machine, life) = (self.at, self.life);
        self.disk.ledger.insert(workload, order);
        let known = Known {
            relies_on: Some(now),
            written_at: now,
            restarts: 0,
        };
        daemon.known.insert(workload, known);
        let running = self.agents.iter().find(|agent| agent.runs(workload));
        match (order.goal, running.map(|agent| agent.number)) {
            (NodeGoal::Running, _) => {
                self.agent_replace(stage, workload);
                stage.after(
                    5,
                    600,
                    Event::Start {
                        machine,
                        life,
                        workload,
                    },
                );
            }
            (NodeGoal::Gone, Some(agent)) => {
                stage.after(
                    5,
                    500,
                    Event::Stopped {
                        machine,
                        life,
                        agent,
                    },
                );
            }
            (NodeGoal::Gone, None) => self.cleared(stage, workload),
        }
    }

    /// What is left to do when nothing runs any more of what was dropped.
    pub(in crate::sim) fn cleared(&mut self, stage: &Stage, workload: WorkloadId) {
        if !stage.guards(Guard::Tombstone) {
            self.disk.ledger.remove(&workload);
        }
    }
}
