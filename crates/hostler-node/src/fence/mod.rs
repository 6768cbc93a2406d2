//! The lease of this node, and what happens at its end.
//!
//! [`hostler_core::node::HeldLease`] decides; here it is kept on disk, shared
//! between the heartbeat (which renews it), the API (which asks it whether an
//! order is fresh) and [`watch`] (which stops leased work at its end).
//!
//! Two files: `lease-span`, on disk before any heartbeat names it; and
//! `lease-end`, the moment up to which the daemon before this one had its
//! lease, so that a restarted daemon need not stop what still runs by right.
//! Losing the second only makes the node more careful.

mod watch;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hostler_core::id::BootId;
use hostler_core::node::{Beat, HeldLease};
use hostler_daemon::secret;
use tokio::sync::watch as channel;

pub(crate) use watch::watch;

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
}

#[derive(Debug)]
struct Held {
    /// [`hostler_core::node::Timing::fence_after`] as registered.
    young: Duration,
    lease: HeldLease,
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

    /// Notes the answer to a heartbeat and the span it tells. When the span
    /// cannot be written down, the answer counts for nothing.
    pub fn answered(&self, sequence: u64, told: Option<Duration>) -> Result<(), LeaseError> {
        if let Some(told) = told.filter(|told| Some(*told) != self.span()) {
            let (path, text) = (self.0.folder.join(SPAN), told.as_millis().to_string());
            secret::write(&path, text.as_bytes())
                .map_err(|source| LeaseError::File { path, source })?;
        }
        let now = self.now();
        let mut held = self.held();
        if held.lease.answered(sequence, told, now) {
            held.first_proof.get_or_insert(now);
        }
        drop(held);
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
mod tests {
    use super::*;

    const SPAN: Duration = Duration::from_mins(1);

    fn open(folder: &Path, boot: u64, clock: &Clock) -> Lease {
        let boot = BootId::from_parts(boot, [0; 10]);
        Lease::open(folder, boot, SPAN, clock.clone()).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_span_once_told_is_on_disk_and_binds_the_next_daemon() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::of_runtime();
        let first = open(folder.path(), 1, &clock);
        assert_eq!(first.ends_at(), None);
        first.sent(1);
        first.answered(1, Some(SPAN)).unwrap();
        assert_eq!(first.ends_at(), Some(SPAN));
        tokio::time::advance(Duration::from_secs(10)).await;

        let second = open(folder.path(), 2, &clock);
        assert_eq!(second.span(), Some(SPAN));
        assert_eq!(second.ends_at(), Some(SPAN), "the first one's lease");
        assert!(!second.is_over());
        tokio::time::advance(Duration::from_secs(50)).await;
        assert!(second.is_over());
        second.sent(1);
        second.answered(1, Some(SPAN)).unwrap();
        assert!(!second.is_over());
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_another_kernel_start_grants_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::of_runtime();
        let first = open(folder.path(), 1, &clock);
        first.sent(1);
        first.answered(1, Some(SPAN)).unwrap();
        std::fs::write(folder.path().join(END), "other-kernel 99999999").unwrap();
        assert!(open(folder.path(), 2, &clock).is_over());
        std::fs::remove_file(folder.path().join(END)).unwrap();
        assert!(open(folder.path(), 2, &clock).is_over());
    }

    #[tokio::test(start_paused = true)]
    async fn a_fresh_order_renews_the_lease() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::of_runtime();
        secret::write(&folder.path().join(super::SPAN), b"60000").unwrap();
        let lease = open(folder.path(), 2, &clock);
        let beat = |boot| Beat {
            boot: BootId::from_parts(boot, [0; 10]),
            sequence: 1,
        };
        lease.sent(1);
        assert!(lease.is_over());
        assert!(!lease.admits(Some(beat(1))));
        assert!(!lease.admits(None));
        assert!(lease.admits(Some(beat(2))));
        assert!(!lease.is_over());
    }

    #[tokio::test(start_paused = true)]
    async fn a_lapse_that_nobody_saw_ends_every_right_given_before() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::of_runtime();
        let advance = |seconds| tokio::time::advance(Duration::from_secs(seconds));
        let lease = open(folder.path(), 1, &clock);
        lease.sent(1);
        lease.answered(1, Some(SPAN)).unwrap();
        let right = Right::Since(lease.now());
        assert!(lease.covers(right) && lease.covers(Right::Inherited));
        advance(59).await;
        lease.sent(2);
        advance(1).await;
        assert!(!lease.covers(right));
        lease.answered(2, None).unwrap();
        assert!(!lease.is_over());
        assert!(!lease.covers(right) && !lease.covers(Right::Inherited));
        assert!(lease.covers(Right::Since(lease.now())));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_adopted_in_time_is_confirmed_by_the_first_answer() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::of_runtime();
        let advance = |seconds| tokio::time::advance(Duration::from_secs(seconds));
        let first = open(folder.path(), 1, &clock);
        first.sent(1);
        first.answered(1, Some(SPAN)).unwrap();

        advance(30).await;
        let second = open(folder.path(), 2, &clock);
        assert!(second.covers(Right::Inherited));
        second.sent(1);
        second.answered(1, Some(SPAN)).unwrap();
        advance(40).await;
        assert!(second.covers(Right::Inherited), "past the first one's end");

        advance(30).await;
        let third = open(folder.path(), 3, &clock);
        assert!(!third.covers(Right::Inherited));
        third.sent(1);
        third.answered(1, Some(SPAN)).unwrap();
        assert!(!third.covers(Right::Inherited), "too late");
    }

    #[test]
    fn a_damaged_span_is_an_error_and_not_a_lease_without_end() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(super::SPAN), "soon").unwrap();
        let boot = BootId::from_parts(1, [0; 10]);
        let opened = Lease::open(folder.path(), boot, SPAN, Clock::default());
        assert!(matches!(opened, Err(LeaseError::Content(_))));
    }
}
