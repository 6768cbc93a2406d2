//! What mail does to a piece of work. Orders and stops are answered when they
//! are on disk; what the node does by itself is written down as well as can be.

use hostler_core::Generation;
use hostler_core::workload::{AfterExit, Exit, SeenState, Verdict, may_forget, order_verdict};
use hostler_wire::nats::event::exited_message;
use hostler_wire::node_api::Entry;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::course::{Contact, Step};
use super::mail::Mail;
use super::order::{Order, Wish, same_plan};
use super::task::Task;
use super::{EnsureError, StartError, StopError};
use crate::fence::Right;
use crate::ledger::Record;
use crate::report::report;

impl Task {
    pub(super) async fn read(&mut self, mail: Mail) {
        match mail {
            Mail::Order(order, answer) => {
                let result = self.order(order).await;
                answer.send(result).ok();
            }
            Mail::Stop(answer) => self.stop(answer).await,
            Mail::Forget(generation) => self.forget(generation).await,
            Mail::Fence(why) => self.fence(&why).await,
            Mail::LameDuck => {
                if self.course.lame_duck() {
                    self.write_down().await;
                }
            }
            Mail::Exited(slot, exit) if self.course.work.slot == Some(slot) => {
                // Adopted and not asked yet: what ends has been running.
                self.started |= self.course.contact == Contact::Unknown;
                if matches!(self.step, Some((Step::Deploy(_), _))) {
                    self.early_exit = Some(exit);
                } else {
                    self.exited(exit).await;
                }
            }
            Mail::Lost(slot, why) if self.course.work.slot == Some(slot) => {
                self.lost(&why).await;
            }
            Mail::Exited(..) | Mail::Lost(..) => {}
        }
    }

    async fn order(&mut self, order: Order) -> Result<Entry, EnsureError> {
        if self.course.is_local() {
            return Err(EnsureError::NotFleet);
        }
        let fresh = self.parts.lease.admits(order.beat);
        self.lapse().await;
        let held = self.known.then(|| self.course.work.held());
        match order_verdict(held, order.generation, order.node_goal(), fresh) {
            Verdict::Stale => Err(EnsureError::Stale),
            Verdict::Repeat | Verdict::Refuse(_) => Ok(self.entry()),
            Verdict::Follow => {
                let before = self.course.clone();
                self.follow(order);
                if let Err(error) = self.append(Vec::new()).await {
                    self.course = before;
                    return Err(error.into());
                }
                Ok(self.entry())
            }
        }
    }

    fn follow(&mut self, order: Order) {
        match order.goal {
            Wish::Gone => {
                self.buried_at = self.parts.lease.now();
                self.course.dropped(order.generation);
                if self.course.work.slot.is_none() {
                    self.course.work.plan = None;
                }
            }
            Wish::Run(plan, environment) => {
                let vault = &self.parts.vault;
                let held = self.course.work.plan.as_ref();
                let same = same_plan(held, &plan, &environment, vault);
                self.course.ordered(order.generation, *plan, same);
                self.right = Right::Since(self.parts.lease.now());
            }
        }
    }

    async fn stop(&mut self, answer: oneshot::Sender<Result<(), StopError>>) {
        let generation = self.course.work.generation;
        let before = self.course.clone();
        self.course.dropped(generation);
        if let Err(error) = self.append(Vec::new()).await {
            self.course = before;
            answer.send(Err(error.into())).ok();
            return;
        }
        self.stops.push(answer);
        if self.course.state() == SeenState::Absent {
            self.forgotten().await;
        }
    }

    async fn forget(&mut self, generation: Generation) {
        let age = self.parts.lease.now().saturating_sub(self.buried_at);
        let absent = self.course.state() == SeenState::Absent && !self.course.is_local();
        let held = self.course.work.held();
        if absent && may_forget(held, generation, age, self.parts.lease.young()) {
            self.forgotten().await;
        }
    }

    pub(super) async fn fence(&mut self, why: &str) {
        let id = self.course.work.id;
        if self.course.fence(why) {
            tracing::warn!(workload = %id, why, "work bound by the lease is stopped");
            self.write_down().await;
        }
    }

    pub(super) async fn exited(&mut self, exit: Exit) {
        if !self.course.work.wanted() {
            return;
        }
        let Exit { code, .. } = exit;
        self.tell_stopped(code, exited_message);
        let after = self
            .course
            .exited(Instant::now(), exit, &self.parts.restart);
        if self.course.is_local() && !matches!(after, AfterExit::Restart { .. }) {
            self.course.dropped(self.course.work.generation);
        }
        self.write_down().await;
    }

    async fn lost(&mut self, why: &str) {
        let id = self.course.work.id;
        tracing::warn!(workload = %id, why, "the agent of a workload was lost");
        let tell = |_: &str, _: &str, _| format!("its agent was lost: {why}");
        self.tell_stopped(-1, tell);
        self.speaker_drop();
        self.course.lost(Instant::now(), why);
        self.first_failed(StartError::Lost(why.to_owned()));
        self.settle().await;
    }

    /// Writes down what became of it, and ends it if it is to be forgotten.
    pub(super) async fn settle(&mut self) {
        let gone = self.course.state() == SeenState::Absent;
        if gone && self.course.is_local() {
            self.forgotten().await;
        } else {
            self.write_down().await;
        }
    }

    /// Takes it out of the ledger; the task ends after this.
    pub(super) async fn forgotten(&mut self) {
        let id = self.course.work.id;
        if self.known {
            let forget = vec![Record::Forget { id }];
            if let Err(error) = self.parts.ledger.append(forget).await {
                tracing::error!(workload = %id, error = %report(&error), "could not forget a workload");
            }
            self.known = false;
        }
        for answer in self.stops.drain(..) {
            answer.send(Ok(())).ok();
        }
    }

    /// Tells those who wait for the end that it did not come yet.
    pub(super) fn stops_failed(&mut self, problem: &str) {
        for answer in self.stops.drain(..) {
            answer
                .send(Err(StopError::Release(problem.to_owned())))
                .ok();
        }
    }

    /// The first start of what was deployed over NATS failed: so it ends.
    pub(super) fn first_failed(&mut self, error: StartError) {
        if let Some(first) = self.first.take() {
            self.course.dropped(self.course.work.generation);
            first.answer.send(Err(error)).ok();
        }
    }
}
