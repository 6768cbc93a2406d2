//! What mail does to a VM. Orders are answered when they are on disk.

use hostler_core::Generation;
use hostler_core::vm::{Life, VmGoal, VmSeenState, vm_order_verdict};
use hostler_core::workload::{Held, NodeGoal, Verdict, may_forget};
use hostler_wire::node_api::{VmEnsure, VmEntry, VmOrder};

use super::mail::{Mail, VmEnsureError};
use super::record::Origin;
use super::task::Task;
use crate::fence::Right;
use crate::report::report;

impl Task {
    pub(super) async fn read(&mut self, mail: Mail) {
        match mail {
            Mail::Order(ensure, answer) => {
                let result = self.order(*ensure).await;
                answer.send(result).ok();
            }
            Mail::Local(goal, order, answer) => {
                let result = self.local(goal, order.map(|order| *order)).await;
                answer.send(result).ok();
            }
            Mail::Tell(answer) => drop(answer.send(self.definition())),
            Mail::Forget(generation) => self.forget(generation).await,
            Mail::Fence => self.lapse().await,
        }
    }

    async fn order(&mut self, ensure: VmEnsure) -> Result<VmEntry, VmEnsureError> {
        let fresh = self.lease().admits(ensure.heartbeat);
        self.lapse().await;
        let held = self.known.then(|| self.record.held());
        match vm_order_verdict(held, ensure.generation, ensure.goal, fresh) {
            Verdict::Stale => Err(VmEnsureError::Stale),
            Verdict::Repeat | Verdict::Refuse(_) => Ok(self.entry()),
            Verdict::Follow => {
                self.record_with(|record| {
                    record.generation = ensure.generation;
                    record.origin = Origin::Fleet;
                })
                .followed(ensure.goal, ensure.order)
                .await
            }
        }
    }

    async fn local(
        &mut self,
        goal: VmGoal,
        order: Option<VmOrder>,
    ) -> Result<VmEntry, VmEnsureError> {
        match (self.known, self.record.origin) {
            (true, Origin::Fleet) => return Err(VmEnsureError::NotLocal),
            (false, _) if order.is_none() => return Err(VmEnsureError::Unknown),
            _ => {}
        }
        let order = order.or_else(|| self.record.order.clone());
        self.record_with(|record| record.origin = Origin::Local)
            .followed(goal, order)
            .await
    }

    /// The record as it will be; nothing of it counts before it is written.
    fn record_with(&mut self, change: impl FnOnce(&mut super::record::VmRecord)) -> Draft<'_> {
        let mut record = self.record.clone();
        change(&mut record);
        Draft { task: self, record }
    }

    async fn forget(&mut self, generation: Generation) {
        let age = self.lease().now().saturating_sub(self.buried_at);
        let goal = if self.record.goal == VmGoal::Gone {
            NodeGoal::Gone
        } else {
            NodeGoal::Running
        };
        let held = Held {
            generation: self.record.generation,
            goal,
            fenced: false,
        };
        let absent = self.entry().state == VmSeenState::Absent;
        if absent && may_forget(held, generation, age, self.lease().young()) {
            self.erase().await;
        }
    }

    /// Fences what the lease no longer covers, or has not covered in between.
    pub(super) async fn lapse(&mut self) {
        let lives = self.record.goal != VmGoal::Gone && !self.record.fenced;
        if !lives || !self.known || self.is_covered() {
            return;
        }
        let id = self.record.id;
        tracing::warn!(vm = %id, "a VM bound by the lease is switched off: the lease has lapsed");
        self.record.fenced = true;
        self.record.done.life = Life::Off;
        self.problem = Some("this node's lease has lapsed".to_owned());
        if let Err(error) = self.write().await {
            tracing::error!(vm = %id, error = %report(&error), "could not write down that a VM is fenced");
        }
    }
}

/// A record that is not written yet.
struct Draft<'a> {
    task: &'a mut Task,
    record: super::record::VmRecord,
}

impl Draft<'_> {
    /// An order is followed: written down, then answered.
    async fn followed(
        mut self,
        goal: VmGoal,
        order: Option<VmOrder>,
    ) -> Result<VmEntry, VmEnsureError> {
        let record = &mut self.record;
        record.goal = goal;
        record.fenced = false;
        record.failed = None;
        if goal != VmGoal::Gone {
            record.order = order;
        }
        // Whoever orders it anew wants it on, whatever its guest wanted.
        if record.done.life == Life::Left {
            record.done.life = Life::Off;
        }
        self.task.parts_book().write(&self.record).await?;
        let task = self.task;
        task.record = self.record;
        task.followed_now();
        task.right = Right::Since(task.lease().now());
        Ok(task.entry())
    }
}
