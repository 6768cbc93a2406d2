//! The task that owns one piece of work. It alone changes it, writes it into
//! the ledger and speaks to its slot; mail comes before the step under way.

use std::sync::Arc;

use hostler_core::Generation;
use hostler_core::id::{SlotId, WorkloadId};
use hostler_core::workload::{
    AfterExit, Exit, NodeGoal, SeenState, Verdict, may_forget, order_verdict,
};
use hostler_wire::nats::EventData;
use hostler_wire::nats::event::{STOP_MESSAGE, WorkloadStopped, exited_message};
use hostler_wire::node_api::Entry;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::course::{Contact, Course, Step};
use super::mail::Mail;
use super::order::{Order, Wish, same_plan};
use super::steps::{self, StepFuture};
use super::view::View;
use super::{EnsureError, Parts, StartError, StopError, Workloads, lock};
use crate::artifacts::Held;
use crate::fence::Right;
use crate::ledger::{AppendError, Origin, Record, Work};
use crate::relay::Speaker;
use crate::report::report;
use crate::triggers::{Computed, Listening};

/// Who waits for the first start of what was deployed over NATS. Its first
/// failure is its end.
pub(super) struct First {
    pub(super) answer: oneshot::Sender<Result<SlotId, StartError>>,
    pub(super) mark: String,
}

/// The owner of one piece of work.
pub(super) struct Task {
    pub(super) workloads: Workloads,
    pub(super) parts: Arc<Parts>,
    pub(super) course: Course,
    letters: mpsc::UnboundedReceiver<Mail>,
    /// Whether the ledger has heard of it.
    pub(super) known: bool,
    pub(super) artifact: Option<Held>,
    pub(super) listening: Option<Listening>,
    pub(super) computed: Arc<Computed>,
    pub(super) since: Option<Instant>,
    pub(super) first: Option<First>,
    /// Whether it runs, and its end was not told yet.
    pub(super) started: bool,
    /// An end that was told before the answer to the deploy came.
    pub(super) early_exit: Option<Exit>,
    stops: Vec<oneshot::Sender<Result<(), StopError>>>,
    /// Since when it may run, if the lease binds it.
    right: Right,
    /// When its tombstone was written, by the lease's clock; or the daemon's
    /// start.
    buried_at: std::time::Duration,
    step: Option<(Step, StepFuture)>,
}

/// A piece of work that the ledger has not heard of: older than any order.
pub(super) fn unknown(id: WorkloadId) -> Work {
    Work {
        id,
        generation: Generation::new(0),
        goal: NodeGoal::Gone,
        origin: Origin::Fleet,
        plan: None,
        slot: None,
        restarts: 0,
        fate: None,
        fenced: false,
    }
}

impl Task {
    pub(super) fn new(
        workloads: Workloads,
        work: Work,
        letters: mpsc::UnboundedReceiver<Mail>,
        first: Option<(First, Held)>,
    ) -> Self {
        let parts = Arc::clone(&workloads.0.parts);
        let local = matches!(work.origin, Origin::Local { .. });
        let grace = if local { parts.grace.1 } else { parts.grace.0 };
        let known = first.is_none() && work.generation != Generation::new(0);
        let buried_at = parts.lease.now();
        let mut course = Course::new(work, grace);
        let (first, artifact) = first.unzip();
        course.ready = artifact.is_some();
        Self {
            workloads,
            parts,
            course,
            letters,
            known,
            artifact,
            listening: None,
            computed: Arc::default(),
            since: None,
            first,
            started: false,
            early_exit: None,
            stops: Vec::new(),
            right: Right::Inherited,
            buried_at,
            step: None,
        }
    }

    pub(super) async fn run(mut self) {
        let stop = self.workloads.0.stop.clone();
        if let Some(slot) = self.course.work.slot {
            self.speaker_set(slot);
        }
        loop {
            self.lapse().await;
            self.tidy();
            if self.is_over() && self.leave() {
                return;
            }
            self.step_choose();
            let step = async {
                match &mut self.step {
                    Some((_, future)) => future.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                mail = self.letters.recv() => match mail {
                    Some(mail) => self.read(mail).await,
                    None => return,
                },
                outcome = step => {
                    self.step = None;
                    self.finish(outcome).await;
                }
            }
        }
    }

    /// Whether the lease lets it run.
    fn is_covered(&self) -> bool {
        !self.course.work.leased() || self.parts.lease.covers(self.right)
    }

    /// Fences what the lease no longer covers, or has not covered in between.
    async fn lapse(&mut self) {
        if self.course.work.wanted() && !self.is_covered() {
            self.fence("this node's lease has lapsed").await;
        }
    }

    /// Lets go of what only has a use in another state, and shows the rest.
    fn tidy(&mut self) {
        let runs = self.course.contact == Contact::Running && self.course.work.wanted();
        if !runs {
            self.listening = None;
            self.since = None;
        }
        if !self.course.work.wanted() && self.course.work.slot.is_none() {
            self.artifact = None;
            self.course.ready = false;
        }
        if self.known {
            self.publish();
        }
    }

    fn publish(&self) {
        let view = View {
            work: self.course.work.clone(),
            state: self.course.state(),
            problem: self.course.problem(),
            slot: self.course.work.slot.or(self.course.last_slot),
            since: self.since,
            computed: Arc::clone(&self.computed),
        };
        self.workloads.0.roster.send_if_modified(|roster| {
            let held = roster.views.get(&view.work.id);
            let same = held.is_some_and(|held| {
                held.work == view.work
                    && held.state == view.state
                    && held.problem == view.problem
                    && held.slot == view.slot
                    && held.since == view.since
            });
            if !same {
                roster.views.insert(view.work.id, Arc::new(view));
            }
            !same
        });
    }

    /// Whether there is nothing left to own.
    fn is_over(&self) -> bool {
        let gone = self.course.state() == SeenState::Absent && self.step.is_none();
        gone && (!self.known || self.course.is_local())
    }

    /// Ends the task, unless there is mail.
    fn leave(&mut self) -> bool {
        let mut mailboxes = lock(&self.workloads.0.mailboxes);
        if !self.letters.is_empty() {
            return false;
        }
        let id = self.course.work.id;
        mailboxes.remove(&id);
        drop(mailboxes);
        let roster = &self.workloads.0.roster;
        roster.send_if_modified(|roster| roster.views.remove(&id).is_some());
        true
    }

    fn step_choose(&mut self) {
        let next = self.course.next(Instant::now(), !self.is_covered());
        match &self.step {
            Some((step, _)) if *step == next || !step.may_be_dropped() => return,
            _ => {}
        }
        self.step = self.step_begin(next).map(|future| (next, future));
    }

    fn step_begin(&mut self, step: Step) -> Option<StepFuture> {
        let parts = Arc::clone(&self.parts);
        let work = &self.course.work;
        match step {
            Step::Rest => None,
            Step::Wait(until) => Some(steps::wait(until)),
            Step::Probe(slot) => Some(steps::probe(parts, slot, work)),
            Step::Fetch => work.plan.as_ref().map(|plan| steps::fetch(parts, plan)),
            Step::Claim => {
                self.course.claiming = true;
                let plan = self.course.work.plan.as_ref();
                plan.map(|plan| steps::claim(parts, plan))
            }
            Step::Deploy(slot) => match &self.artifact {
                Some(held) => Some(steps::deploy(parts, slot, work, held)),
                // A slot from before a restart, and nothing known to be in it.
                None => work.plan.as_ref().map(|plan| steps::fetch(parts, plan)),
            },
            Step::Release(slot, grace) => Some(steps::release(parts, slot, grace)),
        }
    }

    async fn read(&mut self, mail: Mail) {
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

    async fn fence(&mut self, why: &str) {
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
    async fn forgotten(&mut self) {
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
            answer.send(Err(StopError::Release(problem.to_owned()))).ok();
        }
    }

    /// The first start of what was deployed over NATS failed: so it ends.
    pub(super) fn first_failed(&mut self, error: StartError) {
        if let Some(first) = self.first.take() {
            self.course.dropped(self.course.work.generation);
            first.answer.send(Err(error)).ok();
        }
    }

    /// Says once for each start that it has ended.
    pub(super) fn tell_stopped(
        &mut self,
        code: i32,
        message: impl FnOnce(&str, &str, i32) -> String,
    ) {
        if !std::mem::take(&mut self.started) {
            return;
        }
        if let Some(speaker) = self.speaker() {
            let (name, slot) = (speaker.name.to_string(), speaker.slot.to_string());
            let message = message(&name, &slot, code);
            let data = WorkloadStopped {
                workload_name: name,
                code,
                message,
            };
            let relay = &self.parts.relay;
            relay.workload_event(&speaker, EventData::WorkloadStopped(data));
        }
    }

    /// The end that somebody ordered, or that the lease brought.
    pub(super) fn tell_released(&mut self) {
        if self.course.work.fenced {
            let why = self.course.problem.clone().unwrap_or_default();
            self.tell_stopped(-1, |_, _, _| why);
        } else {
            self.tell_stopped(0, |_, _, _| STOP_MESSAGE.to_owned());
        }
    }

    fn speaker(&self) -> Option<Speaker> {
        let plan = self.course.work.plan.as_ref()?;
        Some(steps::speaker(plan, self.course.last_slot?))
    }

    pub(super) fn speaker_set(&self, slot: SlotId) {
        if let Some(speaker) = self.speaker() {
            let id = self.course.work.id;
            lock(&self.workloads.0.speakers).insert(slot, (id, speaker));
        }
    }

    pub(super) fn speaker_drop(&self) {
        if let Some(slot) = self.course.work.slot {
            lock(&self.workloads.0.speakers).remove(&slot);
        }
    }

    fn entry(&self) -> Entry {
        Entry {
            id: self.course.work.id,
            generation: self.course.work.generation,
            state: self.course.state(),
            slot: self.course.work.slot.map(|slot| slot.to_string()),
            restarts: self.course.work.restarts,
            problem: self.course.problem(),
        }
    }

    /// Writes the work as it is now, and further records with it.
    pub(super) async fn append(&mut self, more: Vec<Record>) -> Result<(), AppendError> {
        let mut records = vec![Record::Work(Box::new(self.course.work.clone()))];
        records.extend(more);
        self.parts.ledger.append(records).await?;
        self.known = true;
        Ok(())
    }

    /// Writes what only spares the next daemon a question.
    pub(super) async fn write_down(&mut self) {
        if !self.known {
            return;
        }
        if let Err(error) = self.append(Vec::new()).await {
            let id = self.course.work.id;
            tracing::error!(workload = %id, error = %report(&error), "could not write down what became of a workload");
        }
    }
}
