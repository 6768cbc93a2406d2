//! What is to be done about one piece of work next, and what became of it.
//! Plain data: nothing here waits, writes or asks.
//!
//! ```text
//!  no slot:  rest ── wanted ──▶ fetch ──▶ claim ──▶ (slot)
//!  slot:     probe ─▶ deploy ─▶ (runs) ── no longer wanted, or spent ──▶ release ─▶ (no slot)
//! ```
//!
//! A slot is used once: whatever ended in it, it is released before another
//! is claimed. So one piece of work is in one slot at most.

use std::time::Duration;

use hostler_core::Generation;
use hostler_core::id::SlotId;
use hostler_core::workload::{AfterExit, Exit, NodeGoal, RestartPolicy, SeenState, after_exit};
use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::ledger::{Fate, Origin, Plan, Work};

/// What is known of the slot that the work was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contact {
    /// Nothing: the daemon has just started.
    Unknown,
    /// It is ours, and nothing was sent to it, or it is not known to have come.
    Claimed,
    /// The work runs in it.
    Running,
    /// It is used up.
    Spent,
}

/// The one thing to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing, until something happens.
    Rest,
    /// Nothing before this moment.
    Wait(Instant),
    /// Ask the slot how it is.
    Probe(SlotId),
    /// Get the artifact.
    Fetch,
    /// Get a slot.
    Claim,
    /// Send the work to the slot.
    Deploy(SlotId),
    /// End what is in the slot, and the slot.
    Release(SlotId, Duration),
}

impl Step {
    /// Whether it may be given up half-way. A claim may not: the slot that
    /// comes of it would be nobody's.
    pub(super) fn may_be_dropped(self) -> bool {
        !matches!(self, Self::Claim | Self::Release(..))
    }
}

/// A piece of work and how far it is.
#[derive(Clone, Debug)]
pub(super) struct Course {
    pub(super) work: Work,
    pub(super) contact: Contact,
    /// Whether the artifact is at hand.
    pub(super) ready: bool,
    /// Whether a claim is under way.
    pub(super) claiming: bool,
    /// What is wrong, while it is being tried again.
    pub(super) problem: Option<String>,
    /// The slot it had last; people know it by this.
    pub(super) last_slot: Option<SlotId>,
    /// Time between the polite signal and the hard one.
    grace: Duration,
    start_after: Option<Instant>,
    starts: Backoff,
    release_after: Option<Instant>,
    releases: Backoff,
}

impl Course {
    /// Work from the ledger, or new work.
    pub(super) fn new(work: Work, grace: Duration) -> Self {
        let last_slot = work.slot;
        let longest = Duration::from_secs(30);
        Self {
            work,
            contact: Contact::Unknown,
            ready: false,
            claiming: false,
            problem: None,
            last_slot,
            grace,
            start_after: None,
            starts: Backoff::new(Duration::from_millis(250), longest),
            release_after: None,
            releases: Backoff::new(Duration::from_millis(250), longest),
        }
    }

    /// The next step; `over` says whether the node's lease has ended.
    pub(super) fn next(&self, now: Instant, over: bool) -> Step {
        let bound = over && self.work.leased();
        let wanted = self.work.wanted() && !bound;
        let Some(slot) = self.work.slot else {
            let start = if self.ready { Step::Claim } else { Step::Fetch };
            return if wanted {
                not_before(self.start_after, now, start)
            } else {
                Step::Rest
            };
        };
        match self.contact {
            Contact::Unknown if wanted => not_before(self.start_after, now, Step::Probe(slot)),
            Contact::Claimed if wanted => Step::Deploy(slot),
            Contact::Running if wanted => Step::Rest,
            Contact::Unknown | Contact::Claimed | Contact::Running | Contact::Spent => {
                let at_once = bound || self.work.fenced;
                let grace = if at_once { Duration::ZERO } else { self.grace };
                not_before(self.release_after, now, Step::Release(slot, grace))
            }
        }
    }

    /// What the node says of it.
    pub(super) fn state(&self) -> SeenState {
        let held = self.work.slot.is_some() || self.claiming;
        let stopped = if self.work.goal == NodeGoal::Gone {
            SeenState::Absent
        } else {
            SeenState::Fenced
        };
        match &self.work.fate {
            _ if self.work.goal == NodeGoal::Gone || self.work.fenced => {
                if held {
                    SeenState::Stopping
                } else {
                    stopped
                }
            }
            Some(Fate::Ended) => SeenState::Ended,
            Some(Fate::Failed { .. }) => SeenState::Failed,
            None if self.contact == Contact::Running && held => SeenState::Running,
            None => SeenState::Starting,
        }
    }

    /// What is wrong with it, for people.
    pub(super) fn problem(&self) -> Option<String> {
        match &self.work.fate {
            Some(Fate::Failed { problem }) => Some(problem.clone()),
            _ => self.problem.clone(),
        }
    }

    /// Whether somebody deployed it over NATS.
    pub(super) fn is_local(&self) -> bool {
        matches!(self.work.origin, Origin::Local { .. })
    }

    /// An order to run was written down. What runs by the same plan goes on.
    pub(super) fn ordered(&mut self, generation: Generation, plan: Plan, same: bool) {
        let runs_on = same && self.work.wanted();
        self.work.generation = generation;
        self.work.goal = NodeGoal::Running;
        self.work.fenced = false;
        if runs_on {
            return;
        }
        self.work.plan = Some(plan);
        self.work.fate = None;
        self.work.restarts = 0;
        self.ready = false;
        self.begin_anew();
        if self.work.slot.is_some() {
            self.contact = Contact::Spent;
        }
    }

    /// An order to drop was written down.
    pub(super) fn dropped(&mut self, generation: Generation) {
        self.work.generation = generation;
        self.work.goal = NodeGoal::Gone;
        self.work.fenced = false;
        self.work.fate = None;
        self.problem = None;
    }

    /// The lease has ended: whether that stops this work.
    pub(super) fn fence(&mut self, why: &str) -> bool {
        let stops = self.work.leased() && self.work.wanted();
        if stops {
            self.work.fenced = true;
            self.problem = Some(why.to_owned());
            self.release_after = None;
        }
        stops
    }

    /// A slot was claimed.
    pub(super) fn claimed(&mut self, slot: SlotId) {
        self.work.slot = Some(slot);
        self.last_slot = Some(slot);
        self.contact = Contact::Claimed;
    }

    /// The agent says that the work runs.
    pub(super) fn runs(&mut self) {
        self.contact = Contact::Running;
        self.problem = None;
        self.starts.reset();
        self.start_after = None;
    }

    /// The slot is confirmed gone.
    pub(super) fn released(&mut self) {
        self.work.slot = None;
        self.contact = Contact::Unknown;
        self.release_after = None;
        self.releases.reset();
        if self.work.goal == NodeGoal::Gone {
            self.work.plan = None;
        }
    }

    /// The slot could not be ended; it is tried again.
    pub(super) fn release_failed(&mut self, now: Instant, problem: String) {
        self.problem = Some(problem);
        self.release_after = Some(now + self.releases.next());
    }

    /// Something went wrong that may be better next time.
    pub(super) fn retry(&mut self, now: Instant, problem: String) {
        self.problem = Some(problem);
        self.start_after = Some(now + self.starts.next());
        if matches!(self.contact, Contact::Claimed | Contact::Running) {
            self.contact = Contact::Spent;
        }
    }

    /// The slot does not answer; it is asked again.
    pub(super) fn probe_again(&mut self, now: Instant, problem: &str) {
        self.problem = Some(problem.to_owned());
        self.start_after = Some(now + self.starts.next());
    }

    /// Something went wrong for good.
    pub(super) fn failed(&mut self, problem: String) {
        self.work.fate = Some(Fate::Failed { problem });
        self.spend();
    }

    /// The slot died, and nothing of it is left.
    pub(super) fn lost(&mut self, now: Instant, why: &str) {
        self.work.slot = None;
        self.contact = Contact::Unknown;
        self.retry(now, format!("its agent was lost: {why}"));
    }

    /// The work ended by itself.
    pub(super) fn exited(&mut self, now: Instant, exit: Exit, policy: &RestartPolicy) -> AfterExit {
        let essential = self.work.plan.as_ref().is_some_and(|plan| plan.essential);
        let after = after_exit(exit, essential, self.work.restarts, policy);
        let code = exit.code;
        match after {
            AfterExit::Ended => self.work.fate = Some(Fate::Ended),
            AfterExit::Failed if essential => {
                let count = self.work.restarts;
                self.failed(format!(
                    "exited with status {code} after {count} restarts in a row, and is given up"
                ));
            }
            AfterExit::Failed => self.failed(format!("exited with status {code}")),
            AfterExit::Restart { pause, restarts } => {
                self.work.restarts = restarts;
                self.problem = Some(format!(
                    "exited with status {code}; restart {restarts} follows"
                ));
                self.start_after = Some(now + pause);
            }
        }
        self.spend();
        after
    }

    /// It must not be started again by itself.
    pub(super) fn lame_duck(&mut self) -> bool {
        let essential = self.work.plan.as_mut().map(|plan| &mut plan.essential);
        essential.is_some_and(std::mem::take)
    }

    fn spend(&mut self) {
        if self.work.slot.is_some() {
            self.contact = Contact::Spent;
        }
    }

    fn begin_anew(&mut self) {
        self.problem = None;
        self.start_after = None;
        self.starts.reset();
    }
}

fn not_before(at: Option<Instant>, now: Instant, step: Step) -> Step {
    match at {
        Some(at) if now < at => Step::Wait(at),
        _ => step,
    }
}

#[cfg(test)]
mod tests;
