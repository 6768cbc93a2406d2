//! The artifacts this node has, by digest, as files `artifacts/{sha256}` in
//! its data folder.
//!
//! However many ask for one digest at once, it is fetched once. An artifact
//! that somebody holds ([`Held`]) is not evicted; the others go, the longest
//! unused first, when room is needed.
//!
//! What must never happen: bytes under a digest they do not have; a file
//! evicted while an agent may still read it.

mod download;
mod shelf;
mod source;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use hostler_wire::client::{ClientError, ControlClient};
use tokio::sync::{OwnedMutexGuard, watch};

use crate::identity::ApiKey;
use crate::ledger::{ArtifactRef, ArtifactSource, ObjectRef};
use download::Expected;
use shelf::Shelf;

/// An artifact could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// A file of the cache.
    #[error("could not {doing} {path}")]
    File {
        /// What was being done.
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The control plane could not be asked.
    #[error("could not fetch the artifact from the control plane")]
    Control(#[source] ClientError),
    /// The control plane stopped speaking.
    #[error("the control plane said nothing for {0:?} while it was sending the artifact")]
    Late(std::time::Duration),
    /// The node has not joined a fleet, so nobody can be asked.
    #[error("this node has no control plane to fetch artifacts from")]
    NoControlPlane,
    /// The control plane has no such artifact.
    #[error("the control plane has no artifact {0}")]
    Unknown(String),
    /// There is no such object, by its store's word.
    #[error("{0}")]
    NoObject(&'static str),
    /// The object could not be read.
    #[error("{0}")]
    Object(String),
    /// Other bytes than promised.
    #[error("the artifact has digest {found}, not {expected}")]
    Digest {
        /// The digest asked for.
        expected: String,
        /// That of the bytes that came.
        found: String,
    },
    /// More or fewer bytes than promised.
    #[error("the artifact has {found} bytes or more, not {expected}")]
    Size {
        /// Bytes promised.
        expected: u64,
        /// Bytes that came.
        found: u64,
    },
    /// It is larger than may be deployed over NATS.
    #[error("artifact of {size} bytes exceeds maximum of {most} bytes")]
    TooLarge {
        /// Its bytes.
        size: u64,
        /// The most that are taken.
        most: u64,
    },
    /// Everything in the cache is in use.
    #[error("no room for an artifact of {size} bytes: the cache holds at most {max} bytes")]
    NoRoom {
        /// Bytes of the artifact.
        size: u64,
        /// Bytes of the whole cache.
        max: u64,
    },
}

impl ArtifactError {
    /// Whether trying again later may help.
    pub fn is_transient(&self) -> bool {
        !matches!(
            self,
            Self::Unknown(_)
                | Self::NoObject(_)
                | Self::Digest { .. }
                | Self::Size { .. }
                | Self::TooLarge { .. }
        )
    }

    fn file(doing: &'static str, path: &Path, source: std::io::Error) -> Self {
        let path = path.to_owned();
        Self::File {
            doing,
            path,
            source,
        }
    }

    fn object(cause: &(impl ToString + ?Sized)) -> Self {
        Self::Object(cause.to_string())
    }
}

/// What artifacts are fetched with.
#[derive(Clone, Debug)]
pub(crate) struct Sources {
    /// The control plane.
    pub control: Option<ControlClient>,
    /// The key for it, once the node has joined.
    pub key: watch::Receiver<Option<ApiKey>>,
    /// The control NATS.
    pub nats: async_nats::Client,
}

/// The artifacts of a node. Cloning gives another handle to the same ones.
#[derive(Clone, Debug)]
pub(crate) struct Artifacts(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    max: u64,
    sources: Sources,
    shelf: Mutex<Shelf>,
    flights: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

/// An artifact that stays in the cache as long as this lives.
#[derive(Debug)]
pub(crate) struct Held {
    /// SHA-256 in lower-case hex.
    pub digest: String,
    /// Bytes.
    pub size: u64,
    /// Where it is.
    pub path: PathBuf,
    shared: Arc<Shared>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.shared.shelf().release(&self.digest);
    }
}

/// Bytes set aside for a download, given back in any case.
struct Reserved<'a> {
    shared: &'a Shared,
    size: u64,
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        self.shared.shelf().unreserve(self.size);
    }
}

impl Artifacts {
    /// Opens the cache below a data folder, holding at most `max` bytes.
    pub(crate) fn open(data: &Path, max: u64, sources: Sources) -> Result<Self, ArtifactError> {
        let folder = data.join("artifacts");
        std::fs::create_dir_all(&folder)
            .map_err(|source| ArtifactError::file("make", &folder, source))?;
        let shelf =
            shelf_load(&folder).map_err(|source| ArtifactError::file("read", &folder, source))?;
        Ok(Self(Arc::new(Shared {
            folder,
            max,
            sources,
            shelf: Mutex::new(shelf),
            flights: Mutex::default(),
        })))
    }

    /// An artifact, from the cache or from where it comes from.
    pub(crate) async fn get(&self, wanted: &ArtifactRef) -> Result<Held, ArtifactError> {
        let _flight = self.flight(&wanted.digest).await;
        if let Some(held) = self.cached(&wanted.digest).await {
            return Ok(held);
        }
        let expected = Expected {
            digest: Some(&wanted.digest),
            size: wanted.size,
        };
        match &wanted.source {
            ArtifactSource::ControlPlane => {
                let _room = self.reserve(wanted.size)?;
                let key = self.0.sources.key.borrow().clone();
                let (Some(control), Some(key)) = (&self.0.sources.control, key) else {
                    return Err(ArtifactError::NoControlPlane);
                };
                let stream = source::from_control_plane(control, &key, &wanted.digest).await?;
                self.save(expected, stream).await
            }
            ArtifactSource::ObjectStore(object) => {
                let found = source::object_find(&self.0.sources.nats, object).await?;
                let _room = self.reserve(wanted.size)?;
                let stream = source::object_read(&found).await?;
                self.save(expected, stream).await
            }
        }
    }

    /// An object of an object store; its digest is found out by reading it,
    /// unless the digest its store claims is in the cache. One larger than
    /// `most` is refused before any of it is read; what its store says of its
    /// size binds the reading.
    pub(crate) async fn import(
        &self,
        object: &ObjectRef,
        most: u64,
    ) -> Result<Held, ArtifactError> {
        let found = source::object_find(&self.0.sources.nats, object).await?;
        if found.size > most {
            let size = found.size;
            return Err(ArtifactError::TooLarge { size, most });
        }
        let claimed = found.digest.clone();
        let name = claimed.as_deref().unwrap_or(&object.key);
        let _flight = self.flight(name).await;
        if let Some(held) = self.cached(name).await {
            return Ok(held);
        }
        let _room = self.reserve(found.size)?;
        let expected = Expected {
            digest: claimed.as_deref(),
            size: found.size,
        };
        let stream = source::object_read(&found).await?;
        self.save(expected, stream).await
    }

    async fn save(
        &self,
        expected: Expected<'_>,
        stream: impl futures::Stream<Item = Result<bytes::Bytes, ArtifactError>> + Unpin,
    ) -> Result<Held, ArtifactError> {
        let digest = download::save(&self.0.folder, expected, stream).await?;
        {
            let mut places = self.0.shelf();
            places.put(&digest, expected.size, true);
            places.hold(&digest);
        }
        Ok(self.held(&digest, expected.size))
    }

    /// From the cache; what a crash or a hand has damaged there is removed.
    async fn cached(&self, digest: &str) -> Option<Held> {
        let (size, checked) = self.0.shelf().hold(digest)?;
        let held = self.held(digest, size);
        let expected = Expected {
            digest: Some(digest),
            size,
        };
        if checked || download::is_good(&held.path, expected).await {
            self.0.shelf().check(digest);
            touch(&held.path);
            return Some(held);
        }
        tracing::warn!(digest, "removed a damaged artifact from the cache");
        self.0.shelf().remove(digest);
        std::fs::remove_file(&held.path).ok();
        None
    }

    fn held(&self, digest: &str, size: u64) -> Held {
        Held {
            digest: digest.to_owned(),
            size,
            path: self.0.folder.join(digest),
            shared: Arc::clone(&self.0),
        }
    }

    fn reserve(&self, size: u64) -> Result<Reserved<'_>, ArtifactError> {
        let max = self.0.max;
        let no_room = |_| ArtifactError::NoRoom { size, max };
        let go = self.0.shelf().reserve(size, max).map_err(no_room)?;
        for digest in go {
            tracing::info!(digest, "evicted an artifact from the cache");
            std::fs::remove_file(self.0.folder.join(digest)).ok();
        }
        let shared = &self.0;
        Ok(Reserved { shared, size })
    }

    /// Waits for whoever fetches the same; the turn is ours until dropped.
    async fn flight(&self, name: &str) -> OwnedMutexGuard<()> {
        let turn = {
            let mut flights = lock(&self.0.flights);
            flights.retain(|_, turn| Arc::strong_count(turn) > 1);
            Arc::clone(flights.entry(name.to_owned()).or_default())
        };
        turn.lock_owned().await
    }
}

impl Shared {
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        lock(&self.shelf)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Remembers the use across restarts; the order of eviction is all it is for.
fn touch(path: &Path) {
    let now = SystemTime::now();
    if let Ok(file) = std::fs::File::open(path) {
        file.set_modified(now).ok();
    }
}

fn shelf_load(folder: &Path) -> std::io::Result<Shelf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let meta = entry.metadata()?;
        if is_digest(&name) {
            files.push((meta.modified()?, name, meta.len()));
        } else {
            std::fs::remove_file(entry.path()).ok();
        }
    }
    files.sort();
    let mut shelf = Shelf::default();
    for (_, digest, size) in files {
        shelf.put(&digest, size, false);
    }
    Ok(shelf)
}

/// Whether a text is a SHA-256 in lower-case hex, and so a safe file name.
pub(crate) fn is_digest(text: &str) -> bool {
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == 64 && text.bytes().all(hex)
}

#[cfg(test)]
mod tests;
