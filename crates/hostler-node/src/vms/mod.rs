//! The VMs of this node.
//!
//! One task owns each VM ([`task`]); what it does next is decided in
//! [`hostler_core::vm::next_act`]; everybody else sends it mail and looks at
//! what it publishes ([`VmView`]). A task lives as long as its VM is in the
//! ledger, tombstones included.
//!
//! At the start every VM of the ledger gets its task, which looks at its
//! machine: what runs is left alone. Stopping or killing the node ends tasks
//! and nothing else; the machines run on.
//!
//! What must never happen: an order answered before it is on disk; a VM that
//! the lease binds started before whoever fences it in the daemon's place knows
//! of it; a machine touched that is not in the ledger.

mod acts;
mod book;
mod eyes;
mod kept;
mod letters;
mod mail;
mod order;
mod record;
mod shows;
mod task;
#[cfg(test)]
pub(crate) mod tests;
mod view;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hostler_core::Generation;
use hostler_core::id::VmId;
use hostler_core::vm::{Power, VmGoal};
use hostler_wire::node_api::{DiskSource, VmDefinition, VmEnsure, VmEntry, VmOrder};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use book::BookError;
pub(crate) use mail::VmEnsureError;
pub use view::{VmRoster, VmView};

use book::Book;
use eyes::Eyes;
use mail::Mail;
use record::VmRecord;
use task::Task;

use crate::fence::Lease;
use crate::guard::Guard;
use crate::hypervisor::machines::Machinery;
use crate::images::Images;

/// Below the data folder.
const LEDGER: &str = "vm-ledger";

/// How a node holds VMs.
#[derive(Clone, Debug)]
pub struct VmsOptions {
    /// What makes machines.
    pub machinery: Machinery,
    /// Bytes that the node gives to their disks.
    pub disk_bytes: u64,
    /// Bytes of images kept, beyond those in use.
    pub image_bytes: u64,
    /// How often machines are looked at.
    pub look_every: Duration,
    /// The program and first arguments of whoever fences VMs in the daemon's
    /// place ([`crate::guard`]); the node's data folder is added. None: nobody does.
    pub guard: Option<Vec<String>>,
}

impl VmsOptions {
    /// The usual settings over these machines.
    pub fn new(machinery: Machinery, disk_bytes: u64) -> Self {
        Self {
            machinery,
            disk_bytes,
            image_bytes: 64 << 30,
            look_every: Duration::from_secs(1),
            guard: None,
        }
    }
}

/// Whether a node with these data remembers VMs.
pub fn holds_vms(data: &Path) -> bool {
    let entries = std::fs::read_dir(data.join(LEDGER));
    entries.is_ok_and(|mut entries| entries.next().is_some())
}

/// What tasks work with.
pub(crate) struct VmParts {
    pub(crate) machinery: Machinery,
    pub(crate) images: Images,
    pub(crate) lease: Lease,
    pub(crate) guard: Guard,
    pub(crate) look_every: Duration,
}

/// The VMs of this node. Cloning gives another handle to the same.
#[derive(Clone)]
pub(crate) struct Vms(Arc<Shared>);

struct Shared {
    parts: VmParts,
    book: Book,
    eyes: Eyes,
    stop: CancellationToken,
    tasks: TaskTracker,
    mailboxes: Mutex<HashMap<VmId, mpsc::UnboundedSender<Mail>>>,
    roster: watch::Sender<VmRoster>,
}

impl Vms {
    /// Opens the ledger below a data folder and takes up every VM in it.
    pub(crate) fn start(
        parts: VmParts,
        data: &Path,
        stop: CancellationToken,
    ) -> Result<Self, BookError> {
        let (book, records) = Book::open(&data.join(LEDGER))?;
        let eyes = Eyes::new(Arc::clone(&parts.machinery.machines));
        let every = parts.look_every;
        let vms = Self(Arc::new(Shared {
            parts,
            book,
            eyes: eyes.clone(),
            stop: stop.clone(),
            tasks: TaskTracker::new(),
            mailboxes: Mutex::default(),
            roster: watch::Sender::default(),
        }));
        for record in records {
            vms.begin_locked(lock(&vms.0.mailboxes), record, true, None);
        }
        vms.0.tasks.spawn(eyes.run(every, stop));
        vms.0.tasks.spawn(vms.clone().strangers());
        Ok(vms)
    }

    /// What there is to see; changes wake its readers.
    pub(crate) fn roster(&self) -> watch::Receiver<VmRoster> {
        self.0.roster.subscribe()
    }

    /// The machines.
    pub(crate) fn machinery(&self) -> &Machinery {
        &self.0.parts.machinery
    }

    /// An image that is here, as the root of a disk.
    pub(crate) fn image(&self, digest: &str) -> Option<DiskSource> {
        self.0.parts.images.known(digest)
    }

    /// Takes an order of the control plane; on disk when this returns. The
    /// answer says what is, also when the order was refused as older.
    pub(crate) async fn ensure(
        &self,
        id: VmId,
        ensure: VmEnsure,
    ) -> Result<VmEntry, VmEnsureError> {
        order::check(&ensure)?;
        let (answer, answered) = oneshot::channel();
        self.post_or_begin(id, Mail::Order(Box::new(ensure), answer));
        answered.await.map_err(|_| VmEnsureError::Stopping)?
    }

    /// Makes a VM of the node's own.
    pub(crate) async fn local_create(
        &self,
        id: VmId,
        goal: VmGoal,
        order: VmOrder,
    ) -> Result<VmEntry, VmEnsureError> {
        order::check(&VmEnsure {
            generation: Generation::new(0),
            goal,
            heartbeat: None,
            order: Some(order.clone()),
        })?;
        let (answer, answered) = oneshot::channel();
        self.post_or_begin(id, Mail::Local(goal, Some(Box::new(order)), answer));
        answered.await.map_err(|_| VmEnsureError::Stopping)?
    }

    /// Gives a VM of the node's own another goal.
    pub(crate) async fn local_goal(
        &self,
        id: VmId,
        goal: VmGoal,
    ) -> Result<VmEntry, VmEnsureError> {
        let (answer, answered) = oneshot::channel();
        if !self.post(id, Mail::Local(goal, None, answer)) {
            return Err(VmEnsureError::Unknown);
        }
        answered.await.map_err(|_| VmEnsureError::Stopping)?
    }

    /// What a machine of ours is: by the ledger, or else by what was written
    /// down beside its disks when it was defined.
    pub(crate) async fn definition(&self, id: VmId) -> Result<VmDefinition, VmEnsureError> {
        let (answer, answered) = oneshot::channel();
        if self.post(id, Mail::Tell(answer)) {
            let told = answered.await.map_err(|_| VmEnsureError::Stopping)?;
            return told.ok_or(VmEnsureError::Unknown);
        }
        let seen = self.0.eyes.pictures().borrow().machines.clone();
        let sight = seen.as_ref().and_then(|seen| seen.ours.get(&id));
        let sight = sight.ok_or(VmEnsureError::Unknown)?;
        let folder = self.machinery().disks.folder(id);
        Ok(VmDefinition {
            generation: Generation::new(0),
            goal: match sight.power {
                Power::Off => VmGoal::Stopped,
                Power::Running => VmGoal::Running,
                Power::Paused => VmGoal::Paused,
            },
            order: kept::read(folder).await.ok_or(VmEnsureError::NotKept)?,
        })
    }

    /// The lease has ended: switches off what it binds.
    pub(crate) fn fence(&self) {
        for mailbox in lock(&self.0.mailboxes).values() {
            mailbox.send(Mail::Fence).ok();
        }
    }

    /// The control plane has no more use for these tombstones.
    pub(crate) fn forget(&self, tombstones: &[(VmId, Generation)]) {
        for (id, generation) in tombstones {
            self.post(*id, Mail::Forget(*generation));
        }
    }

    /// Waits until every task has ended, after the stop token was cancelled.
    pub(crate) async fn wait(&self) {
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    /// Removes images that no VM needs, if there are too many, and if it is
    /// known of every VM what it needs.
    fn images_evict(&self) {
        let tasks = lock(&self.0.mailboxes).len();
        let roster = self.0.roster.borrow();
        if let Some(needed) = roster.images().filter(|_| roster.views.len() == tasks) {
            self.0.parts.images.evict(&needed);
        }
    }

    fn post(&self, id: VmId, mail: Mail) -> bool {
        let mailboxes = lock(&self.0.mailboxes);
        let mailbox = mailboxes.get(&id);
        mailbox.is_some_and(|mailbox| mailbox.send(mail).is_ok())
    }

    /// Sends mail to a VM, which begins with it if it is unknown.
    fn post_or_begin(&self, id: VmId, mail: Mail) {
        // One look and one deed under one lock: two orders for one unknown VM
        // must not make two tasks.
        let mailboxes = lock(&self.0.mailboxes);
        if let Some(mailbox) = mailboxes.get(&id) {
            mailbox.send(mail).ok();
            return;
        }
        self.begin_locked(mailboxes, VmRecord::unknown(id), false, Some(mail));
    }

    fn begin_locked(
        &self,
        mut mailboxes: MutexGuard<'_, HashMap<VmId, mpsc::UnboundedSender<Mail>>>,
        record: VmRecord,
        known: bool,
        mail: Option<Mail>,
    ) {
        let (mailbox, letters) = mpsc::unbounded_channel();
        if let Some(mail) = mail {
            mailbox.send(mail).ok();
        }
        mailboxes.insert(record.id, mailbox);
        let task = Task::new(self.clone(), record, known, letters);
        self.0.tasks.spawn(task.run());
    }

    /// Keeps the list of machines that nobody here ordered.
    async fn strangers(self) {
        let mut pictures = self.0.eyes.pictures();
        loop {
            let seen = pictures.borrow_and_update().machines.clone();
            if let Some(seen) = seen {
                let known = lock(&self.0.mailboxes).keys().copied().collect();
                let unclaimed = view::unclaimed(&seen, &known);
                self.0.roster.send_if_modified(|roster| {
                    let changed = roster.strangers != unclaimed;
                    roster.strangers = unclaimed;
                    changed
                });
            }
            tokio::select! {
                () = self.0.stop.cancelled() => return,
                changed = pictures.changed() => if changed.is_err() { return },
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
pub(crate) mod testing {
    //! Orders for tests.

    use hostler_core::Bytes;
    use hostler_core::vm::{Firmware, VmSize};
    use hostler_core::workload::OnNodeLoss;
    use hostler_wire::node_api::{DiskSource, Network, Nic, Seed, VmOrder};

    /// A small VM with nothing on its disk.
    pub(crate) fn order() -> VmOrder {
        VmOrder {
            project: "default".into(),
            name: "web".into(),
            size: VmSize {
                cpus: 1,
                memory: Bytes::mib(128),
                disk: Bytes::mib(10),
            },
            firmware: Firmware::Bios,
            root: DiskSource::Blank,
            disks: vec![],
            nics: vec![Nic {
                network: Network::Nat,
                mac: "52:54:00:01:02:03".into(),
                incoming: None,
            }],
            seed: Seed {
                hostname: "web".into(),
                ..Seed::default()
            },
            autostart: false,
            on_node_loss: OnNodeLoss::Wait,
            stop_deadline_ms: 60_000,
            reboots: 0,
            snapshots: vec![],
            rollback: None,
        }
    }
}
