//! The work of this node.
//!
//! One task owns each piece of work ([`task`]); what it does next is decided
//! in a plain struct ([`course`]); everybody else sends it mail and looks at
//! what it publishes ([`View`]). A task lives as long as its piece of work is
//! in the ledger, tombstones included.
//!
//! At the start every entry of the ledger gets its task, which asks its slot
//! how it is: what runs is left alone, what is lost is started again, and
//! slots that nobody knows are released.
//!
//! Stopping the node ends the tasks and nothing else; the work runs on.
//!
//! What must never happen: one piece of work in two slots; an order answered
//! before it is on disk; a slot told something before the ledger says so.

mod course;
mod letters;
mod mail;
mod order;
mod outcome;
mod pump;
mod steps;
mod task;
mod view;
mod words;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hostler_core::Generation;
use hostler_core::id::{SlotId, WorkloadId};
use hostler_core::workload::{NodeGoal, RestartPolicy};
use hostler_wire::nats::Claims;
use hostler_wire::node_api::{Ensure, Entry};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use mail::{EnsureError, StartError, StopError};
pub(crate) use pump::pump;
pub use view::{Roster, View};

use mail::Mail;
use order::Order;
use task::{First, Task};

use crate::artifacts::{Artifacts, Held};
use crate::fence::Lease;
use crate::identity::Vault;
use crate::ledger::{AppendError, Book, Ledger, Origin, Plan, Record, Work};
use crate::relay::{Relay, Speaker};
use crate::slots::Slots;
use crate::triggers::Triggers;

/// What tasks work with.
pub(crate) struct Parts {
    pub(crate) slots: Slots,
    pub(crate) ledger: Ledger,
    pub(crate) artifacts: Artifacts,
    pub(crate) triggers: Triggers,
    pub(crate) relay: Relay,
    pub(crate) vault: Vault,
    pub(crate) lease: Lease,
    pub(crate) restart: RestartPolicy,
    /// Time between the polite signal and the hard one for the control
    /// plane's work, and for what was deployed over NATS, whose requesters
    /// wait for the end.
    pub(crate) grace: (Duration, Duration),
}

/// A deploy over NATS that passed every check.
#[derive(Debug)]
pub(crate) struct LocalDeploy {
    pub(crate) plan: Plan,
    pub(crate) claims: Claims,
    pub(crate) artifact: Held,
    /// Remembers the deploy token as used, in the write that records the slot.
    pub(crate) mark: String,
}

/// The work of this node. Cloning gives another handle to the same.
#[derive(Clone)]
pub(crate) struct Workloads(Arc<Shared>);

struct Shared {
    parts: Arc<Parts>,
    stop: CancellationToken,
    tasks: TaskTracker,
    mailboxes: Mutex<HashMap<WorkloadId, mpsc::UnboundedSender<Mail>>>,
    speakers: Mutex<HashMap<SlotId, (WorkloadId, Speaker)>>,
    roster: watch::Sender<Roster>,
}

impl Workloads {
    /// Takes up everything in the book, and releases adopted slots that it
    /// does not know.
    pub(crate) fn start(parts: Parts, book: &Book, stop: CancellationToken) -> Self {
        let known: Vec<SlotId> = book.work.values().filter_map(|work| work.slot).collect();
        let stray = parts.slots.adopted().into_iter();
        let stray: Vec<SlotId> = stray.filter(|slot| !known.contains(slot)).collect();
        let workloads = Self(Arc::new(Shared {
            parts: Arc::new(parts),
            stop,
            tasks: TaskTracker::new(),
            mailboxes: Mutex::default(),
            speakers: Mutex::default(),
            roster: watch::Sender::new(Roster {
                lame_duck: book.lame_duck,
                ..Roster::default()
            }),
        }));
        for work in book.work.values() {
            workloads.adopt(work.clone());
        }
        for slot in stray {
            workloads.release_stray(slot);
        }
        workloads
    }

    /// What there is to see; changes wake its readers.
    pub(crate) fn roster(&self) -> watch::Receiver<Roster> {
        self.0.roster.subscribe()
    }

    /// Takes an order of the control plane; on disk when this returns. The
    /// answer says what is, also when the order was refused as older.
    pub(crate) async fn ensure(
        &self,
        id: WorkloadId,
        ensure: Ensure,
    ) -> Result<Entry, EnsureError> {
        let order = Order::read(ensure, &self.0.parts.vault)?;
        let unheard = {
            let roster = self.0.roster.borrow();
            let held = roster.views.get(&id);
            let refuses = held.is_none_or(|view| !view.work.wanted());
            roster.lame_duck && refuses
        };
        if unheard && order.node_goal() == NodeGoal::Running {
            return Err(EnsureError::LameDuck);
        }
        let (answer, answered) = oneshot::channel();
        self.post_or_begin(id, Mail::Order(order, answer));
        answered.await.map_err(|_| EnsureError::Stopping)?
    }

    /// Starts what was deployed over NATS; returns when it runs or never will.
    pub(crate) async fn start_local(&self, deploy: LocalDeploy) -> Result<SlotId, StartError> {
        let millis = chrono::Utc::now().timestamp_millis().unsigned_abs();
        let work = Work {
            id: WorkloadId::from_parts(millis, rand::random()),
            generation: Generation::FIRST,
            goal: NodeGoal::Running,
            origin: Origin::Local {
                claims: deploy.claims,
            },
            plan: Some(deploy.plan),
            slot: None,
            restarts: 0,
            fate: None,
            fenced: false,
        };
        let (answer, answered) = oneshot::channel();
        let first = First {
            answer,
            mark: deploy.mark,
        };
        self.begin(work, Some((first, deploy.artifact)), None);
        answered.await.map_err(|_| StartError::Stopped)?
    }

    /// Stops what was deployed over NATS; returns when it is gone.
    pub(crate) async fn stop_local(&self, id: WorkloadId) -> Result<(), StopError> {
        let (answer, answered) = oneshot::channel();
        self.post(id, Mail::Stop(answer));
        answered.await.map_err(|_| StopError::Stopping)?
    }

    /// The lease has ended: kills leased work at once and starts none before
    /// a fresh order. Does nothing the second time.
    pub(crate) fn fence(&self, why: &str) {
        let why: Arc<str> = why.into();
        self.post_all(|| Mail::Fence(Arc::clone(&why)));
    }

    /// The control plane has no more use for these tombstones.
    pub(crate) fn forget(&self, tombstones: &[(WorkloadId, Generation)]) {
        for (id, generation) in tombstones {
            self.post(*id, Mail::Forget(*generation));
        }
    }

    /// Refuses new work for good, and has nothing started again by itself.
    /// Whether this is the first time.
    pub(crate) async fn lame_duck(&self) -> Result<bool, AppendError> {
        if self.0.roster.borrow().lame_duck {
            return Ok(false);
        }
        let record = Record::LameDuck { entered: true };
        self.0.parts.ledger.append(vec![record]).await?;
        let entered = self.0.roster.send_if_modified(|roster| {
            let entered = !roster.lame_duck;
            roster.lame_duck = true;
            entered
        });
        if entered {
            self.post_all(|| Mail::LameDuck);
        }
        Ok(entered)
    }

    /// Waits until every task has ended, after the stop token was cancelled.
    pub(crate) async fn wait(&self) {
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    fn adopt(&self, work: Work) {
        self.begin(work, None, None);
    }

    /// Sends mail to a piece of work, if it is known.
    fn post(&self, id: WorkloadId, mail: Mail) -> bool {
        let mailboxes = lock(&self.0.mailboxes);
        mailboxes
            .get(&id)
            .is_some_and(|mailbox| mailbox.send(mail).is_ok())
    }

    fn post_all(&self, mail: impl Fn() -> Mail) {
        for mailbox in lock(&self.0.mailboxes).values() {
            mailbox.send(mail()).ok();
        }
    }

    /// Sends mail to a piece of work, which begins with it if it is unknown.
    fn post_or_begin(&self, id: WorkloadId, mail: Mail) {
        // One look and one deed under one lock: two orders for one unknown
        // piece of work must not make two tasks.
        let mailboxes = lock(&self.0.mailboxes);
        if let Some(mailbox) = mailboxes.get(&id) {
            mailbox.send(mail).ok();
            return;
        }
        self.begin_locked(mailboxes, task::unknown(id), None, Some(mail));
    }

    fn begin(&self, work: Work, first: Option<(First, Held)>, mail: Option<Mail>) {
        self.begin_locked(lock(&self.0.mailboxes), work, first, mail);
    }

    fn begin_locked(
        &self,
        mut mailboxes: MutexGuard<'_, HashMap<WorkloadId, mpsc::UnboundedSender<Mail>>>,
        work: Work,
        first: Option<(First, Held)>,
        mail: Option<Mail>,
    ) {
        let (mailbox, letters) = mpsc::unbounded_channel();
        if let Some(mail) = mail {
            mailbox.send(mail).ok();
        }
        mailboxes.insert(work.id, mailbox);
        let task = Task::new(self.clone(), work, letters, first);
        self.0.tasks.spawn(task.run());
    }

    /// A slot that was claimed for work nobody wrote down.
    fn release_stray(&self, slot: SlotId) {
        tracing::warn!(%slot, "releasing a slot that no work is known for");
        let (parts, stop) = (Arc::clone(&self.0.parts), self.0.stop.clone());
        self.0.tasks.spawn(async move {
            let mut pauses =
                crate::backoff::Backoff::new(Duration::from_secs(1), Duration::from_mins(1));
            while let Err(error) = parts.slots.release(slot, Duration::ZERO).await {
                tracing::error!(%slot, error = %crate::report::report(&error), "could not release a slot");
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(pauses.next()) => {}
                }
            }
        });
    }

    fn speaker_of(&self, slot: SlotId) -> Option<(WorkloadId, Speaker)> {
        lock(&self.0.speakers).get(&slot).cloned()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
