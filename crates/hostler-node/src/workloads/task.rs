//! The task that owns one piece of work. It alone changes it, writes it into
//! the ledger and speaks to its slot; mail comes before the step under way.
//!
//! What mail does is in `letters`, what comes of steps in `outcome`, what is
//! said of the work in `words`.

use std::sync::Arc;
use std::time::Duration;

use hostler_core::Generation;
use hostler_core::id::{SlotId, WorkloadId};
use hostler_core::workload::{Exit, NodeGoal, SeenState};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::course::{Contact, Course, Step};
use super::mail::Mail;
use super::steps::{self, StepFuture};
use super::view::View;
use super::{Parts, StartError, StopError, Workloads, lock};
use crate::artifacts::Held;
use crate::fence::Right;
use crate::ledger::{AppendError, Origin, Record, Work};
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
    pub(super) stops: Vec<oneshot::Sender<Result<(), StopError>>>,
    /// Since when it may run, if the lease binds it.
    pub(super) right: Right,
    /// When its tombstone was written, by the lease's clock; or the daemon's
    /// start.
    pub(super) buried_at: Duration,
    /// The slot that is known to have leased work.
    bound: Option<SlotId>,
    pub(super) step: Option<(Step, StepFuture)>,
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
        let mut task = Self {
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
            bound: None,
            step: None,
        };
        task.bind();
        task
    }

    pub(super) async fn run(mut self) {
        let stop = self.workloads.0.stop.clone();
        if let Some(slot) = self.course.work.slot {
            self.speaker_set(slot);
        }
        loop {
            self.lapse().await;
            self.bind();
            self.tidy();
            if self.is_over() && self.leave() {
                return;
            }
            self.step_choose();
            let outcome = async {
                match &mut self.step {
                    Some((_, future)) => future.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                mail = self.letters.recv() => match mail {
                    Some(mail) => self.read(mail).await,
                    None => return,
                },
                outcome = outcome => {
                    self.step = None;
                    self.finish(outcome).await;
                }
            }
        }
        self.stopped().await;
    }

    /// The node is stopping. What somebody over NATS was not told of yet is
    /// not taken up again: its slot will be nobody's at the next start.
    async fn stopped(&mut self) {
        if self.first.is_some() {
            self.forgotten().await;
        }
    }

    /// Whether the lease lets it run.
    fn is_covered(&self) -> bool {
        !self.course.work.leased() || self.parts.lease.covers(self.right)
    }

    /// Fences what the lease no longer covers, or has not covered in between.
    pub(super) async fn lapse(&mut self) {
        if self.course.work.wanted() && !self.is_covered() {
            self.fence("this node's lease has lapsed").await;
        }
    }

    /// Has the agent of its slot told of the lease, from before anything is sent
    /// to it until nothing of the slot is left.
    fn bind(&mut self) {
        let work = &self.course.work;
        let bound = work.slot.filter(|_| work.leased());
        if bound != self.bound {
            let lease = &self.parts.lease;
            if let Some(slot) = self.bound {
                lease.let_go(slot);
            }
            if let Some(slot) = bound {
                lease.hold(slot);
            }
            self.bound = bound;
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
