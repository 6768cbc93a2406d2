//! Adds runners, removes them, and looks after those that were added.
//!
//! Each job has one task, its *keeper*, which alone changes the job: it looks
//! at the provider's facts, asks core for the next step, carries it out and
//! writes it down. Requests only write a job and wait for its keeper. Reads
//! answer from the provider's last snapshot and the jobs in memory; none of
//! them calls the provider.
//!
//! Of several managers on one book, one leads: it keeps all jobs. The others
//! answer reads, and keep a job of their own until its requests are made.

mod add;
mod board;
mod count;
mod create;
mod error;
mod house;
mod keeper;
mod look;
mod removal;
mod remove;
mod rests;
mod rules;
mod show;

use std::sync::Arc;

use hostler_core::Timestamp;
use hostler_core::runner::{PoolName, RunnerPool};
use tokio::sync::{Mutex, Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::fleet::Fleet;
use crate::jobs::JobBook;
use crate::provider::{Provider, ProviderInfo, Snapshot};
use board::Board;
use rests::PoolRests;

pub use add::AddRequest;
pub use error::ManagerError;
pub use look::CALL;
pub use remove::{RemoveRequest, Removed};
pub use rules::Rules;

/// What a manager works with.
pub struct Parts {
    /// What gives the machines.
    pub provider: Arc<dyn Provider>,
    /// Where jobs are written down.
    pub book: Arc<dyn JobBook>,
    /// The fleet that the machines join.
    pub fleet: Arc<dyn Fleet>,
    /// The kinds of machines, the default one first.
    pub pools: Vec<Arc<RunnerPool>>,
    /// How it is configured.
    pub rules: Rules,
    /// What time it is.
    pub clock: Clock,
    /// Whether this manager leads; one that is alone always does.
    pub leads: watch::Receiver<bool>,
}

struct Inner {
    parts: Parts,
    board: Board,
    rests: PoolRests,
    /// Counting the runners of a pool and writing the next job are one act.
    admission: Mutex<()>,
    /// Whether the book has been read.
    is_loaded: watch::Sender<bool>,
    wake: Notify,
    /// Somebody else has written the book.
    book_changed: Notify,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// A runner manager. Cheap to clone.
#[derive(Clone)]
pub struct Manager(Arc<Inner>);

impl Manager {
    /// Starts one. It stops when `stop` is cancelled; nothing has to be said to
    /// it before: whatever it is doing then, the next one goes on with.
    pub fn start(parts: Parts, stop: CancellationToken) -> Self {
        let manager = Self(Arc::new(Inner {
            parts,
            board: Board::default(),
            rests: PoolRests::default(),
            admission: Mutex::default(),
            is_loaded: watch::Sender::new(false),
            wake: Notify::new(),
            book_changed: Notify::new(),
            stop,
            tasks: TaskTracker::new(),
        }));
        manager.spawn(house::keep(manager.clone()));
        manager
    }

    /// Waits until the book has been read.
    pub async fn loaded(&self) {
        let mut loaded = self.0.is_loaded.subscribe();
        // The sender lives as long as this manager.
        let _ = loaded.wait_for(|is_loaded| *is_loaded).await;
    }

    /// Makes all keepers look again now.
    pub fn wake(&self) {
        self.0.wake.notify_waiters();
    }

    /// Reads the book again soon: somebody else has written it. For a book that
    /// is shared, as [`Rules::book_poll`] says.
    pub fn book_changed(&self) {
        self.0.book_changed.notify_one();
    }

    /// Whether the book has been read.
    pub fn is_loaded(&self) -> bool {
        *self.0.is_loaded.borrow()
    }

    /// Waits until all tasks have ended; they do once `stop` is cancelled.
    pub async fn join(&self) {
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    /// The name of the provider.
    pub fn provider_name(&self) -> &'static str {
        self.info().name
    }

    /// How it is configured.
    pub fn rules(&self) -> &Rules {
        &self.0.parts.rules
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.tasks.spawn(task);
    }

    fn info(&self) -> ProviderInfo {
        self.0.parts.provider.info()
    }

    fn now(&self) -> Timestamp {
        (self.0.parts.clock)()
    }

    fn leads(&self) -> bool {
        *self.0.parts.leads.borrow()
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        self.0.parts.provider.snapshots().borrow().clone()
    }

    fn pool(&self, name: &PoolName) -> Option<&Arc<RunnerPool>> {
        self.0.parts.pools.iter().find(|pool| pool.name == *name)
    }
}
