//! The node's own durable list of what it must run.
//!
//! One thread owns the file. Callers send records and wait until they are on
//! disk; what has queued up meanwhile goes into the same frame, so a burst
//! costs one `fdatasync`. The thread folds what it writes, which is all it
//! needs to write the file anew when it has grown.
//!
//! What must never happen: an answer before the sync; a slot that is sent a
//! workload before the ledger says so; two daemons over one file.

mod journal;
mod record;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::FlockOperation;
use tokio::sync::{mpsc, oneshot};

pub(crate) use journal::{Cut, JournalError};
pub use record::Work;
pub(crate) use record::{ArtifactRef, ArtifactSource, Book, Fate, ObjectRef, Origin, Plan, Record};

use journal::{Journal, Opened};

use crate::report::report;

/// Below this many bytes a file is not written anew.
const COMPACT_FROM: u64 = 1 << 20;

/// The ledger could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another daemon has it.
    #[error("another node daemon works with the data folder {0}")]
    Taken(PathBuf),
    /// The lock file could not be made.
    #[error("could not lock the data folder {path}")]
    Lock {
        /// Which folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A whole record cannot be understood: written by a newer version.
    #[error("could not understand record {number} of the ledger {path}")]
    Record {
        /// Which file.
        path: PathBuf,
        /// Counted from one.
        number: usize,
        /// Why.
        source: serde_json::Error,
    },
    /// The thread could not be started.
    #[error("could not start the ledger's thread")]
    Thread(#[source] std::io::Error),
}

/// Records were not written.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AppendError {
    /// The file could not be written.
    #[error("could not write to the ledger")]
    Write(#[source] Arc<JournalError>),
    /// The ledger was closed.
    #[error("the ledger is closed")]
    Closed,
}

/// The ledger. Cloning gives another handle to the same one.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    jobs: mpsc::Sender<Job>,
}

#[derive(Debug)]
enum Job {
    Append(Vec<Record>, oneshot::Sender<Result<(), AppendError>>),
    Close(oneshot::Sender<()>),
}

/// A ledger just opened.
#[derive(Debug)]
pub(crate) struct Recovered {
    /// The handle.
    pub ledger: Ledger,
    /// What it remembers.
    pub book: Book,
    /// What was torn off its end by a crash.
    pub cut: Option<Cut>,
}

impl Ledger {
    /// Opens or makes the ledger in a data folder and takes its lock.
    pub(crate) fn open(data: &Path) -> Result<Recovered, OpenError> {
        let lock = lock(data)?;
        let path = data.join("ledger");
        let Opened {
            journal,
            payloads,
            cut,
        } = Journal::open(&path)?;
        let book = fold(&path, &payloads)?;
        let (jobs, queue) = mpsc::channel(1_024);
        let writer = Writer {
            journal,
            book: book.clone(),
            compact_at: COMPACT_FROM,
            _lock: lock,
        };
        std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || writer.run(queue))
            .map_err(OpenError::Thread)?;
        Ok(Recovered {
            ledger: Self { jobs },
            book,
            cut,
        })
    }

    /// Writes records, all or none; they are on disk when this returns `Ok`.
    pub(crate) async fn append(&self, records: Vec<Record>) -> Result<(), AppendError> {
        let (done, answer) = oneshot::channel();
        let job = Job::Append(records, done);
        self.jobs.send(job).await.map_err(|_| AppendError::Closed)?;
        answer.await.map_err(|_| AppendError::Closed)?
    }

    /// Closes the file and gives up its lock; later appends fail.
    pub(crate) async fn close(&self) {
        let (done, answer) = oneshot::channel();
        if self.jobs.send(Job::Close(done)).await.is_ok() {
            answer.await.ok();
        }
    }
}

struct Writer {
    journal: Journal,
    book: Book,
    compact_at: u64,
    _lock: Lock,
}

impl Writer {
    fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        let mut closing = None;
        while closing.is_none() {
            let Some(job) = queue.blocking_recv() else {
                return;
            };
            let more = std::iter::from_fn(|| queue.try_recv().ok());
            let (mut records, mut waiting) = (Vec::new(), Vec::new());
            for job in std::iter::once(job).chain(more) {
                match job {
                    Job::Append(some, done) => {
                        records.extend(some);
                        waiting.push(done);
                    }
                    Job::Close(done) => closing = Some(done),
                }
            }
            let result = self.write(records);
            for done in waiting {
                done.send(result.clone()).ok();
            }
        }
        drop(self);
        if let Some(done) = closing {
            done.send(()).ok();
        }
    }

    fn write(&mut self, records: Vec<Record>) -> Result<(), AppendError> {
        if records.is_empty() {
            return Ok(());
        }
        let failed = |error| AppendError::Write(Arc::new(error));
        let payload = self.encoded(&records).map_err(failed)?;
        self.journal.append(&payload).map_err(failed)?;
        for record in records {
            self.book.apply(record);
        }
        if self.journal.length() > self.compact_at {
            self.compact();
        }
        Ok(())
    }

    fn compact(&mut self) {
        let payload = self.encoded(&self.book.records());
        if let Err(error) = payload.and_then(|payload| self.journal.replace(&payload)) {
            tracing::warn!(error = %report(&error), "could not shrink the ledger");
        }
        self.compact_at = COMPACT_FROM.max(self.journal.length() * 4);
    }

    fn encoded(&self, records: &[Record]) -> Result<Vec<u8>, JournalError> {
        serde_json::to_vec(records).map_err(|error| self.journal.encode_error(error))
    }
}

fn fold(path: &Path, payloads: &[Vec<u8>]) -> Result<Book, OpenError> {
    let mut book = Book::default();
    for (index, payload) in payloads.iter().enumerate() {
        let records: Vec<Record> =
            serde_json::from_slice(payload).map_err(|source| OpenError::Record {
                path: path.to_owned(),
                number: index + 1,
                source,
            })?;
        for record in records {
            book.apply(record);
        }
    }
    Ok(book)
}

/// The lock on a data folder, given up when dropped.
struct Lock(File);

impl Drop for Lock {
    /// Closing the file would not do: a child that is just being started has
    /// a copy of it for a moment, and with it the lock.
    fn drop(&mut self) {
        rustix::fs::flock(&self.0, FlockOperation::Unlock).ok();
    }
}

fn lock(data: &Path) -> Result<Lock, OpenError> {
    let path = data.to_owned();
    let file = File::create(data.join("node.lock")).map_err(|source| OpenError::Lock {
        path: path.clone(),
        source,
    })?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Lock(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(OpenError::Taken(path)),
        Err(error) => Err(OpenError::Lock {
            path,
            source: error.into(),
        }),
    }
}

#[cfg(test)]
pub(crate) mod testing {
    //! Work for tests.

    use hostler_core::id::WorkloadId;
    use hostler_core::workload::{Kind, NodeGoal, OnNodeLoss};
    use hostler_core::{Generation, Resources};

    use super::{ArtifactRef, ArtifactSource, Origin, Plan, Work};

    /// Fleet work number so and so, without a slot.
    pub(crate) fn work(number: u8) -> Work {
        Work {
            id: WorkloadId::from_parts(1, [number; 10]),
            generation: Generation::FIRST,
            goal: NodeGoal::Running,
            origin: Origin::Fleet,
            plan: Some(plan()),
            slot: None,
            restarts: 0,
            fate: None,
            fenced: false,
        }
    }

    /// An essential service.
    pub(crate) fn plan() -> Plan {
        Plan {
            namespace: "default".into(),
            name: "echo".into(),
            kind: Kind::Elf,
            artifact: ArtifactRef {
                digest: "00".repeat(32),
                size: 3,
                source: ArtifactSource::ControlPlane,
            },
            argv: vec![],
            environment: String::new(),
            triggers: vec![],
            essential: true,
            resources: Resources::of(100, 64),
            pids: 64,
            on_node_loss: OnNodeLoss::Restart,
            description: String::new(),
        }
    }
}

#[cfg(test)]
mod tests;
