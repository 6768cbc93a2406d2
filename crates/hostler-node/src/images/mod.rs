//! Images of disks, by digest, as files `images/{sha256}` in the data folder.
//!
//! However many VMs ask for one at once, it is fetched once; what was fetched
//! before the line was cut is kept as `{sha256}.part` and gone on with. The name
//! without the ending is given only to bytes of that digest which were looked
//! into ([`inspect`]) and are all there is of the image.
//!
//! An image stays as long as a disk lies over it: whoever evicts asks who needs
//! it ([`Images::evict`]).
//!
//! What must never happen: bytes under a digest they do not have; an image
//! used that names another file; one evicted that a disk lies over.

mod fetch;
pub(crate) mod inspect;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hostler_wire::client::ControlClient;
use hostler_wire::node_api::DiskSource;
use tokio::sync::{Mutex as Turn, watch};

use crate::artifacts::is_digest;
use crate::hypervisor::machines::MachineError;
use crate::identity::ApiKey;

/// Where images come from.
#[derive(Clone, Debug)]
pub(crate) struct ImageSource {
    pub(crate) control: Option<ControlClient>,
    pub(crate) key: watch::Receiver<Option<ApiKey>>,
}

/// The images of a node. Cloning gives another handle to the same ones.
#[derive(Clone, Debug)]
pub(crate) struct Images(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    /// Bytes kept beyond what is needed.
    spare: u64,
    source: ImageSource,
    /// False where machines are none.
    wanted: bool,
    flights: Mutex<HashMap<String, Arc<Flight>>>,
}

/// One image being fetched.
#[derive(Debug, Default)]
struct Flight {
    turn: Turn<()>,
    done: AtomicU64,
}

impl Images {
    /// The images below a data folder. Where `wanted` is false, all are said to
    /// be there and none is.
    pub(crate) fn open(
        data: &Path,
        spare: u64,
        source: ImageSource,
        wanted: bool,
    ) -> std::io::Result<Self> {
        let folder = data.join("images");
        std::fs::create_dir_all(&folder)?;
        Ok(Self(Arc::new(Shared {
            folder,
            spare,
            source,
            wanted,
            flights: Mutex::default(),
        })))
    }

    /// Whether it is here.
    pub(crate) fn is_ready(&self, digest: &str) -> bool {
        !self.0.wanted || self.path(digest).exists()
    }

    /// One that is here, as the root of a disk.
    pub(crate) fn known(&self, digest: &str) -> Option<DiskSource> {
        let path = is_digest(digest).then(|| self.path(digest))?;
        let bytes = std::fs::metadata(&path).ok()?.len();
        let format = inspect::format_of(&path)?;
        Some(DiskSource::Image {
            digest: digest.to_owned(),
            bytes,
            format: format.to_owned(),
        })
    }

    /// Where it is, or would be.
    pub(crate) fn path(&self, digest: &str) -> PathBuf {
        self.0.folder.join(digest)
    }

    /// How many bytes of it came.
    pub(crate) fn progress(&self, digest: &str) -> u64 {
        let flights = lock(&self.0.flights);
        let flight = flights.get(digest);
        flight.map_or(0, |flight| flight.done.load(Ordering::Relaxed))
    }

    /// Has it here when this returns `Ok`.
    pub(crate) async fn fetch(
        &self,
        digest: &str,
        bytes: u64,
        format: &str,
    ) -> Result<(), MachineError> {
        let flight = {
            let mut flights = lock(&self.0.flights);
            flights.retain(|_, flight| Arc::strong_count(flight) > 1);
            Arc::clone(flights.entry(digest.to_owned()).or_default())
        };
        let _turn = flight.turn.lock().await;
        if self.is_ready(digest) {
            return Ok(());
        }
        let wanted = fetch::Wanted {
            digest,
            bytes,
            format,
            part: self.0.folder.join(format!("{digest}.part")),
        };
        fetch::room(&self.0.folder, &wanted)?;
        let fetched = fetch::fetch(&self.0.source, &wanted, &flight.done).await;
        fetched?;
        std::fs::rename(&wanted.part, self.path(digest))
            .map_err(|error| fetch::failed("keep the image", &error))
    }

    /// Removes images that nobody needs, the longest unused first, until no
    /// more than what may be spare is left; those removed.
    pub(crate) fn evict(&self, needed: &BTreeSet<String>) -> Vec<String> {
        let mut files = self.files(needed);
        files.sort();
        let mut spare: u64 = files.iter().map(|file| file.1).sum();
        let mut gone = Vec::new();
        for (_, bytes, digest) in files {
            if spare <= self.0.spare {
                break;
            }
            if std::fs::remove_file(self.path(&digest)).is_ok() {
                tracing::info!(digest, "evicted an image");
                spare -= bytes;
                gone.push(digest);
            }
        }
        gone
    }

    /// What is not needed: when it was last used, its size, its digest.
    fn files(&self, needed: &BTreeSet<String>) -> Vec<(std::time::SystemTime, u64, String)> {
        let mut flights = lock(&self.0.flights);
        flights.retain(|_, flight| Arc::strong_count(flight) > 1);
        let flying: BTreeSet<String> = flights.keys().cloned().collect();
        drop(flights);
        let entries = std::fs::read_dir(&self.0.folder).into_iter().flatten();
        let file = |entry: std::fs::DirEntry| {
            let name = entry.file_name().into_string().ok()?;
            let digest = name.strip_suffix(".part").unwrap_or(&name).to_owned();
            let meta = entry.metadata().ok()?;
            let idle = !needed.contains(&digest) && !flying.contains(&digest);
            idle.then_some((meta.modified().ok()?, meta.len(), name))
        };
        entries.flatten().filter_map(file).collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
