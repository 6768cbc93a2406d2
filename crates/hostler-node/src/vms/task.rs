//! The task that owns one VM. It alone changes it, writes it down and has its
//! machine changed; mail comes before the act under way.
//!
//! What mail does is in `letters`, what acts do is in `acts`, what it says in `shows`.

use std::pin::Pin;
use std::time::Duration;

use hostler_core::id::VmId;
use hostler_core::vm::{
    Act, Life, Shown, Stopping, VmGoal, VmNow, VmSeenState, VmSize, next_act, seen_state,
};
use hostler_wire::node_api::DiskSource;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::book::{Book, BookError};
use super::eyes::Picture;
use super::mail::Mail;
use super::record::{Origin, VmRecord};
use super::{VmParts, Vms, lock, order};
use crate::backoff::Backoff;
use crate::clock::kernel_boot;
use crate::fence::{Lease, Right};
use crate::hypervisor::machines::{Files, MachineError, Sight};
use crate::report::report;

/// What came of an act.
pub(super) type Outcome = Result<Option<Files>, MachineError>;
/// An act under way.
pub(super) type ActFuture = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// How long a look at progress, or at a lease, may wait.
const TICK: Duration = Duration::from_millis(500);

/// What can happen to a task.
enum Event {
    /// The node is stopping.
    Over,
    Mail(Mail),
    /// The act under way has ended.
    Ended(Outcome),
    /// There is something new to see, or it is time to look.
    Woken,
}

/// What the hypervisor shows of a VM.
pub(super) enum Seen {
    /// It does not answer.
    Dark,
    /// It answers, and has no such machine.
    Nothing,
    Machine(Box<Sight>),
}

impl Seen {
    pub(super) fn machine(&self) -> Option<&Sight> {
        match self {
            Self::Machine(sight) => Some(sight),
            Self::Dark | Self::Nothing => None,
        }
    }

    fn is_clear(&self) -> bool {
        !matches!(self, Self::Dark)
    }
}

/// The owner of one VM.
pub(super) struct Task {
    pub(super) vms: Vms,
    pub(super) record: VmRecord,
    /// Whether the ledger has heard of it.
    pub(super) known: bool,
    letters: mpsc::UnboundedReceiver<Mail>,
    pictures: watch::Receiver<Picture>,
    /// Its machine, if the hypervisor answers.
    pub(super) sight: Seen,
    pub(super) files: Option<Files>,
    /// Whether something was done since the last look.
    pub(super) dirty: bool,
    pub(super) stopping: Option<Stopping>,
    /// Size and devices that a start under way gives it.
    pub(super) started: Option<(VmSize, u64)>,
    pub(super) right: Right,
    /// When its tombstone was written, by the lease's clock; or the start.
    pub(super) buried_at: Duration,
    pub(super) problem: Option<String>,
    /// Failures in a row, and before when nothing is tried.
    pub(super) failures: u32,
    pub(super) pauses: Backoff,
    pub(super) not_before: Option<Instant>,
    pub(super) step: Option<(Act, ActFuture)>,
    boot: Option<String>,
}

impl Task {
    pub(super) fn new(
        vms: Vms,
        record: VmRecord,
        known: bool,
        letters: mpsc::UnboundedReceiver<Mail>,
    ) -> Self {
        let pictures = vms.0.eyes.pictures();
        let buried_at = vms.0.parts.lease.now();
        let first = vms.0.parts.look_every.min(Duration::from_millis(250));
        Self {
            vms,
            record,
            known,
            letters,
            pictures,
            sight: Seen::Dark,
            files: None,
            dirty: true,
            stopping: None,
            started: None,
            right: Right::Inherited,
            buried_at,
            problem: None,
            failures: 0,
            pauses: Backoff::new(first, Duration::from_secs(30)),
            not_before: None,
            step: None,
            boot: kernel_boot(),
        }
    }

    pub(super) async fn run(mut self) {
        let stop = self.vms.0.stop.clone();
        loop {
            self.lapse().await;
            self.advance().await;
            self.publish();
            if !self.known && self.letters.is_empty() && self.leave() {
                return;
            }
            match self.event(&stop).await {
                Event::Over => return,
                Event::Mail(mail) => self.read(mail).await,
                Event::Ended(outcome) => self.ended(outcome).await,
                Event::Woken => {}
            }
        }
    }

    /// Waits for the next thing that happens.
    async fn event(&mut self, stop: &CancellationToken) -> Event {
        let wake = self.wake();
        let Self {
            step,
            letters,
            pictures,
            ..
        } = self;
        let outcome = async {
            match step {
                Some((_, future)) => future.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => Event::Over,
            mail = letters.recv() => mail.map_or(Event::Over, Event::Mail),
            outcome = outcome => Event::Ended(outcome),
            changed = pictures.changed() => if changed.is_ok() { Event::Woken } else { Event::Over },
            () = tokio::time::sleep_until(wake) => Event::Woken,
        }
    }

    /// Writes down what needs only that, and begins the next act.
    async fn advance(&mut self) {
        self.picture_take();
        if !self.known {
            return;
        }
        loop {
            let next = self.next();
            match &self.step {
                Some((act, _)) if !gives_way(act, &next) => return,
                _ => self.step = None,
            }
            if self.is_put_off(&next) {
                return;
            }
            match next {
                Act::Rest | Act::Wait(_) => return self.rest().await,
                Act::Note(note) => {
                    if !self.note(note).await {
                        return;
                    }
                }
                Act::GiveUp(why) => {
                    if !self.give_up(why).await {
                        return;
                    }
                }
                act => {
                    let future = self.begin(&act);
                    self.step = Some((act, future));
                    return;
                }
            }
        }
    }

    /// Whether it is too early after a failure. Switching off is not put off,
    /// and neither is a look at what came of it.
    fn is_put_off(&self, next: &Act) -> bool {
        let early = self.not_before.is_some_and(|at| Instant::now() < at);
        let sees = self.sight.is_clear() && self.files.is_some();
        early && *next != Act::Off && !(*next == Act::Look && sees)
    }

    fn next(&self) -> Act {
        if self.dirty {
            return Act::Look;
        }
        self.with_facts(next_act)
    }

    /// Nothing is to be done: a VM that is gone becomes a tombstone.
    async fn rest(&mut self) {
        let buried = self.record.goal == VmGoal::Gone && self.record.order.is_some();
        if !buried || self.state() != VmSeenState::Absent {
            return;
        }
        let local = self.record.origin == Origin::Local;
        self.vms.0.parts.guard.let_go(self.record.id).await;
        self.record.bury();
        self.buried_at = self.lease().now();
        if local {
            return self.erase().await;
        }
        if let Err(error) = self.write().await {
            self.complain("could not write down a tombstone", &error);
        }
    }

    /// Takes over what the newest picture shows.
    fn picture_take(&mut self) {
        let seen = self.pictures.borrow_and_update().machines.clone();
        self.sight = match seen.map(|seen| seen.ours.get(&self.record.id).cloned()) {
            None => Seen::Dark,
            Some(None) => Seen::Nothing,
            Some(Some(sight)) => Seen::Machine(Box::new(sight)),
        };
    }

    /// Everything that the next act depends on.
    fn with_facts<T>(&self, decide: impl FnOnce(&VmNow<'_>) -> T) -> T {
        let disks = self.parts().machinery.disks.as_ref();
        let spec = order::spec(&self.record, disks);
        let definition = spec.as_ref().map_or(0, |spec| order::numbers(spec).0);
        let wanted = order::wanted(&self.record, definition);
        let shown = self.shown();
        let other_boot = self.record.boot.is_some() && self.record.boot != self.boot;
        decide(&VmNow {
            wanted: &wanted,
            done: &self.record.done,
            shown: shown.as_ref(),
            fenced: self.record.fenced || !self.is_covered(),
            failed: self.record.failed.is_some(),
            other_boot,
            stopping: self.stopping,
            now: self.lease().now(),
        })
    }

    fn shown(&self) -> Option<Shown> {
        let files = self.files.as_ref().filter(|_| self.sight.is_clear())?;
        let sight = self.sight.machine();
        let disks = files.disks.iter();
        let snapshots = sight.map(|sight| sight.snapshots.clone());
        Some(Shown {
            power: sight.map(|sight| sight.power),
            image: self.image_is_ready(),
            disks: disks
                .map(|(name, disk)| (name.clone(), disk.bytes))
                .collect(),
            files: files.any,
            snapshots: snapshots.unwrap_or_default(),
        })
    }

    fn image_is_ready(&self) -> bool {
        match self.record.order.as_ref().map(|order| &order.root) {
            Some(DiskSource::Image { digest, .. }) => self.parts().images.is_ready(digest),
            _ => true,
        }
    }

    pub(super) fn state(&self) -> VmSeenState {
        // Before the first order there is nothing here.
        if !self.known {
            return VmSeenState::Absent;
        }
        self.with_facts(seen_state)
    }

    /// Ends the task of a VM that the ledger does not know, unless there is mail.
    fn leave(&mut self) -> bool {
        let mut mailboxes = lock(&self.vms.0.mailboxes);
        if !self.letters.is_empty() {
            return false;
        }
        let id: VmId = self.record.id;
        mailboxes.remove(&id);
        drop(mailboxes);
        let roster = &self.vms.0.roster;
        roster.send_if_modified(|roster| roster.views.remove(&id).is_some());
        true
    }

    /// When to look again without being woken.
    fn wake(&self) -> Instant {
        let now = Instant::now();
        let busy = matches!(self.step, Some((Act::FetchImage, _)));
        let until = match (&self.step, self.not_before) {
            (None, Some(at)) if at > now => at,
            (None, _) => match self.with_facts(next_act) {
                Act::Wait(until) => now + until.saturating_sub(self.lease().now()),
                _ => now + Duration::from_mins(1),
            },
            (Some(_), _) if busy => now + TICK,
            (Some(_), _) => now + Duration::from_mins(1),
        };
        // The lease's clock counts while the machine sleeps, timers do not.
        if self.record.is_bound() {
            until.min(now + TICK)
        } else {
            until
        }
    }

    /// Whether the lease lets it run.
    pub(super) fn is_covered(&self) -> bool {
        !self.record.is_bound() || self.lease().covers(self.right)
    }

    /// An order was written down: what went wrong before counts no more.
    pub(super) fn followed_now(&mut self) {
        self.known = true;
        self.dirty = true;
        self.problem = None;
        self.failures = 0;
        self.pauses.reset();
        self.not_before = None;
        if self.record.done.life != Life::Ending {
            self.stopping = None;
        }
    }

    /// Writes the VM as it is now.
    pub(super) async fn write(&mut self) -> Result<(), BookError> {
        self.vms.0.book.write(&self.record).await
    }

    /// Forgets it.
    pub(super) async fn erase(&mut self) {
        match self.vms.0.book.erase(self.record.id).await {
            Ok(()) => {
                self.known = false;
                self.record = VmRecord::unknown(self.record.id);
            }
            Err(error) => self.complain("could not forget a VM", &error),
        }
    }

    pub(super) fn complain(&mut self, what: &'static str, error: &dyn std::error::Error) {
        let error = report(error).to_string();
        tracing::error!(vm = %self.record.id, error, "{what}");
        self.problem = Some(error);
        self.not_before = Some(Instant::now() + self.pauses.next());
    }

    pub(super) fn parts(&self) -> &VmParts {
        &self.vms.0.parts
    }

    pub(super) fn parts_book(&self) -> &Book {
        &self.vms.0.book
    }

    pub(super) fn lease(&self) -> &Lease {
        &self.vms.0.parts.lease
    }

    pub(super) fn boot_now(&self) -> Option<String> {
        self.boot.clone()
    }
}

/// Whether an act under way is given up for another. What changes a machine
/// is waited for, but for switching it off.
fn gives_way(act: &Act, next: &Act) -> bool {
    let idle = matches!(act, Act::FetchImage | Act::MakeDisk(_));
    act != next && (idle || (*next == Act::Off && *act != Act::Look))
}
