//! The lease of this node, and what happens at its end.
//!
//! [`hostler_core::node::HeldLease`] decides; here it is kept on disk, shared
//! between the heartbeat (which renews it), the API (which asks it whether an
//! order is fresh), [`watch`] (which stops leased work at its end) and [`tell`]
//! (which has agents stop it even if this daemon is dead by then).
//!
//! Two files: `lease-span`, on disk before any heartbeat names it; and
//! `lease-end`, the moment up to which the daemon before this one had its
//! lease, so that a restarted daemon need not stop what still runs by right.
//! Losing the second only makes the node more careful.
//!
//! What must never happen: a span named in a heartbeat that an agent with
//! leased work does not know an end by, if it can know one.

mod agents;
mod tell;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hostler_core::id::BootId;
use hostler_core::node::{Beat, HeldLease};
use hostler_daemon::secret;
use tokio::sync::{Notify, watch as channel};

pub use agents::Word;
pub(crate) use tell::tell;
pub(crate) use watch::watch;

use agents::Agents;

use crate::clock::{Clock, kernel_boot};

const SPAN: &str = "lease-span";
const END: &str = "lease-end";

/// The node's lease. Cloning gives another handle to the same one.
#[derive(Clone, Debug)]
pub struct Lease(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    clock: Clock,
    kernel: Option<String>,
    /// Until when the daemon before this one had its lease.
    inherited: Duration,
    boot: BootId,
    /// Whether there was a lease without end when the daemon started.
    endless: bool,
    held: Mutex<Held>,
    ends: channel::Sender<Option<Duration>>,
    /// One at a time publishes: the file never says an earlier end than the
    /// one that was published last.
    publishing: Mutex<()>,
    /// Wakes [`tell`]: an agent may know less than it should.
    untold: Notify,
}

#[derive(Debug)]
struct Held {
    /// [`hostler_core::node::Timing::fence_after`] as registered.
    young: Duration,
    lease: HeldLease,
    agents: Agents,
    /// When this daemon's first proof came.
    first_proof: Option<Duration>,
}

/// Since when a piece of work has its right to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    /// From the daemon before this one, which had a lease.
    Inherited,
    /// From an order followed at this moment.
    Since(Duration),
}

/// The span on disk cannot be understood.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// The file could not be read or written.
    #[error("could not read or write {path}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It holds no number.
    #[error("{0} does not hold a number of milliseconds")]
    Content(PathBuf),
}

impl Lease {
    /// The lease at the start of a daemon: nothing is proven yet. `young` is
    /// the span at which orders are too old while none was ever told.
    pub fn open(
        data: &Path,
        boot: BootId,
        young: Duration,
        clock: Clock,
    ) -> Result<Self, LeaseError> {
        let span = span_read(&data.join(SPAN))?;
        let kernel = kernel_boot();
        let inherited = end_read(&data.join(END), kernel.as_deref()).unwrap_or_default();
        let held = HeldLease::new(boot, span, young);
        let ends = channel::Sender::new(end_of(&held, inherited));
        let endless = span.is_none();
        let held = Held {
            young,
            lease: held,
            agents: Agents::default(),
            first_proof: None,
        };
        Ok(Self(Arc::new(Shared {
            folder: data.to_owned(),
            clock,
            kernel,
            inherited,
            boot,
            endless,
            held: Mutex::new(held),
            ends,
            publishing: Mutex::new(()),
            untold: Notify::new(),
        })))
    }

    /// The present moment on the lease's clock.
    pub fn now(&self) -> Duration {
        self.0.clock.now()
    }

    /// The span to name in heartbeats; it is on disk.
    pub fn span(&self) -> Option<Duration> {
        self.held().lease.span()
    }

    /// The span the node keeps to, or would if it were told one.
    pub fn young(&self) -> Duration {
        let held = self.held();
        held.lease.span().unwrap_or(held.young)
    }

    /// The node has joined a fleet with this span in want of one told. To be
    /// said before its first heartbeat.
    pub(crate) fn joined(&self, young: Duration) {
        let mut held = self.held();
        if held.first_proof.is_none() {
            let span = held.lease.span();
            held.young = young;
            held.lease = HeldLease::new(self.0.boot, span, young);
        }
    }

    /// Notes that a heartbeat is being sent.
    pub fn sent(&self, sequence: u64) {
        let now = self.now();
        self.held().lease.sent(sequence, now);
    }

    /// Notes the answer to a heartbeat and the span it tells, which is taken
    /// over when all agents know an end by it.
    pub fn answered(&self, sequence: u64, told: Option<Duration>) -> Result<(), LeaseError> {
        let now = self.now();
        let mut held = self.held();
        if held.lease.answered(sequence, told, now) {
            held.first_proof.get_or_insert(now);
        }
        drop(held);
        let taken = self.take_over();
        self.publish();
        taken
    }

    /// Takes over the span that is offered, if all agents know an end by it.
    /// On disk first; when it cannot be written down it is not taken over.
    pub(crate) fn take_over(&self) -> Result<(), LeaseError> {
        let offered = {
            let held = self.held();
            let known = |offered: &Duration| held.agents.all_know(*offered);
            held.lease.offered().filter(known)
        };
        let Some(offered) = offered else {
            return Ok(());
        };
        let (path, text) = (self.0.folder.join(SPAN), offered.as_millis().to_string());
        secret::write(&path, text.as_bytes())
            .map_err(|source| LeaseError::File { path, source })?;
        self.held().lease.take_over(offered);
        self.publish();
        Ok(())
    }

    /// Whether an order to run that names `beat` is fresh now; a fresh one
    /// renews the lease.
    pub fn admits(&self, beat: Option<Beat>) -> bool {
        let now = self.now();
        let mut held = self.held();
        let fresh = held.lease.admits(beat, now);
        if fresh {
            held.first_proof.get_or_insert(now);
        }
        drop(held);
        if fresh {
            self.publish();
        }
        fresh
    }

    /// When leased work must have stopped; `None` for never.
    pub fn ends_at(&self) -> Option<Duration> {
        end_of(&self.held().lease, self.0.inherited)
    }

    /// Whether leased work must not run now.
    pub fn is_over(&self) -> bool {
        let now = self.now();
        self.ends_at().is_some_and(|end| now >= end)
    }

    /// Whether leased work with this right may run now: the lease holds, and
    /// has not lapsed since the right was given.
    pub(crate) fn covers(&self, right: Right) -> bool {
        let now = self.now();
        let held = self.held();
        let since = match (right, held.first_proof) {
            (Right::Since(at), _) => at,
            (Right::Inherited, None) => {
                return held.lease.span().is_none() || now < self.0.inherited;
            }
            // The first proof confirms what it finds running by right.
            (Right::Inherited, Some(at)) if self.0.endless || at < self.0.inherited => at,
            (Right::Inherited, Some(_)) => return false,
        };
        held.lease.covers(since, now)
    }

    /// Tells of every change of [`Lease::ends_at`].
    pub(crate) fn ends(&self) -> channel::Receiver<Option<Duration>> {
        self.0.ends.subscribe()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self) {
        self.0.untold.notify_one();
        let publishing = &self.0.publishing;
        let _one = publishing.lock().unwrap_or_else(PoisonError::into_inner);
        let end = self.ends_at();
        let changed = self.0.ends.send_if_modified(|held| {
            let changed = *held != end;
            *held = end;
            changed
        });
        if let (true, Some(end), Some(kernel)) = (changed, end, &self.0.kernel) {
            let text = format!("{kernel} {}", end.as_millis());
            if let Err(error) = end_write(&self.0.folder.join(END), &text) {
                tracing::warn!(%error, "could not write down the end of the lease");
            }
        }
    }
}

/// The end of the lease as the daemon over this data folder last wrote it down,
/// in this start of the machine; `None` for never.
pub(crate) fn end_on_disk(data: &Path) -> Option<Duration> {
    end_read(&data.join(END), kernel_boot().as_deref())
}

/// What the daemon before had is still ours, up to its end.
fn end_of(held: &HeldLease, inherited: Duration) -> Option<Duration> {
    held.ends_at().map(|end| end.max(inherited))
}

fn span_read(path: &Path) -> Result<Option<Duration>, LeaseError> {
    match std::fs::read_to_string(path) {
        Ok(text) => match text.trim().parse() {
            Ok(ms) => Ok(Some(Duration::from_millis(ms))),
            Err(_) => Err(LeaseError::Content(path.to_owned())),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(LeaseError::File {
            path: path.to_owned(),
            source,
        }),
    }
}

fn end_read(path: &Path, kernel: Option<&str>) -> Option<Duration> {
    let text = std::fs::read_to_string(path).ok()?;
    let (boot, ms) = text.trim().split_once(' ')?;
    let ms = ms.parse().ok()?;
    (Some(boot) == kernel).then(|| Duration::from_millis(ms))
}

/// Not synced: what a crash takes away only makes the lease shorter.
fn end_write(path: &Path, text: &str) -> std::io::Result<()> {
    let fresh = path.with_extension("new");
    std::fs::write(&fresh, text)?;
    std::fs::rename(&fresh, path)
}

#[cfg(test)]
mod tests;
