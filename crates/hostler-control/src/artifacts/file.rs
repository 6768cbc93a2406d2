//! The files: received under a temporary name, checked, made durable, named.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures::{Stream, StreamExt};
use sha2::{Digest as _, Sha256};
use tokio::fs::{self, File, OpenOptions};
use tokio::io::AsyncWriteExt;
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::{Digest, InspectError, inspect, virtual_size};
use crate::options::ArtifactLimits;
use hostler_core::Bytes as Amount;
use hostler_core::artifact::ArtifactKind as Kind;

/// The folder of artifact files.
#[derive(Debug)]
pub(crate) struct ArtifactFiles {
    folder: PathBuf,
    largest: u64,
    largest_image: u64,
    idle: Duration,
    counter: AtomicU64,
    /// Held shared from naming a file until its row is written, and alone
    /// while files that nobody holds are removed.
    naming: RwLock<()>,
}

/// A file that was received whole and is what it says it is. It has no name
/// yet, and is removed when it gets none.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) digest: Digest,
    pub(crate) kind: Kind,
    pub(crate) size: u64,
    temporary: Temporary,
}

/// Why an upload was not kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReceiveError {
    #[error("the artifact is larger than {largest} bytes")]
    TooLarge { largest: u64 },
    #[error("the bytes received have the digest {got}, not {wanted}")]
    WrongDigest { got: Digest, wanted: Digest },
    #[error(transparent)]
    NoArtifact(InspectError),
    #[error("the upload broke off")]
    BrokeOff(#[source] axum::Error),
    #[error("nothing was received for {0:?}")]
    Idle(Duration),
    #[error("writing the artifact")]
    Write(#[source] io::Error),
}

/// Removes the temporary file unless it was given its name.
#[derive(Debug)]
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl ArtifactFiles {
    /// The folder, made if it is missing, with these limits.
    pub(crate) fn open(folder: PathBuf, limits: ArtifactLimits) -> io::Result<Self> {
        std::fs::create_dir_all(folder.join("incoming"))?;
        Ok(Self {
            folder,
            largest: limits.largest,
            largest_image: limits.largest_image,
            idle: limits.idle,
            counter: AtomicU64::new(0),
            naming: RwLock::new(()),
        })
    }

    fn path(&self, digest: Digest) -> PathBuf {
        self.folder.join(digest.to_string())
    }

    fn temporary(&self) -> Temporary {
        let number = self.counter.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{number}", std::process::id());
        Temporary(self.folder.join("incoming").join(name))
    }

    /// Refuses an announced length that is too large, before a byte is read.
    pub(crate) fn admits(
        &self,
        announced: Option<u64>,
        said: Option<Kind>,
    ) -> Result<(), ReceiveError> {
        let largest = self.largest(said);
        match announced {
            Some(length) if length > largest => Err(ReceiveError::TooLarge { largest }),
            _ => Ok(()),
        }
    }

    /// Images are larger than executables.
    fn largest(&self, said: Option<Kind>) -> u64 {
        match said {
            Some(kind) if kind.is_disk() => self.largest_image,
            _ => self.largest,
        }
    }

    /// The size of the disk in an artifact of this kind.
    pub(crate) async fn virtual_size(
        &self,
        digest: Digest,
        kind: Kind,
    ) -> Result<Amount, ReceiveError> {
        let path = self.path(digest);
        tokio::task::spawn_blocking(move || virtual_size(&path, kind))
            .await
            .map_err(|error| ReceiveError::Write(io::Error::other(error)))?
            .map_err(ReceiveError::NoArtifact)
    }

    /// The open file of an artifact, for reading; `None` when there is none.
    pub(crate) async fn read(&self, digest: Digest) -> io::Result<Option<File>> {
        match File::open(self.path(digest)).await {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Receives the bytes of `wanted`, of which something may be said. The
    /// same bytes twice is the same file.
    pub(crate) async fn receive<S>(
        &self,
        (wanted, said): (Digest, Option<Kind>),
        body: S,
    ) -> Result<Received, ReceiveError>
    where
        S: Stream<Item = Result<Bytes, axum::Error>> + Unpin + Send,
    {
        let temporary = self.temporary();
        let (got, size) = self.write(&temporary.0, body, self.largest(said)).await?;
        if got != wanted {
            return Err(ReceiveError::WrongDigest { got, wanted });
        }
        let kind = inspect_file(temporary.0.clone(), said).await?;
        Ok(Received {
            digest: wanted,
            kind,
            size,
            temporary,
        })
    }

    /// Gives a file its name, for good. While the guard is held, no sweep
    /// removes it: write its row before letting go.
    pub(crate) async fn name(&self, received: &Received) -> io::Result<RwLockReadGuard<'_, ()>> {
        let guard = self.naming.read().await;
        fs::rename(&received.temporary.0, self.path(received.digest)).await?;
        sync_folder(&self.folder).await?;
        Ok(guard)
    }

    /// Keeps files from being named while the guard is held.
    pub(crate) async fn sweeping(&self) -> RwLockWriteGuard<'_, ()> {
        self.naming.write().await
    }

    async fn write<S>(
        &self,
        path: &Path,
        mut body: S,
        largest: u64,
    ) -> Result<(Digest, u64), ReceiveError>
    where
        S: Stream<Item = Result<Bytes, axum::Error>> + Unpin + Send,
    {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        let mut file = options.open(path).await.map_err(ReceiveError::Write)?;
        let mut hash = Sha256::new();
        let mut size = 0_u64;
        while let Some(chunk) = self.next_chunk(&mut body).await? {
            size += chunk.len() as u64;
            if size > largest {
                return Err(ReceiveError::TooLarge { largest });
            }
            hash.update(&chunk);
            file.write_all(&chunk).await.map_err(ReceiveError::Write)?;
        }
        file.sync_all().await.map_err(ReceiveError::Write)?;
        let digest: [u8; 32] = hash.finalize().into();
        Ok((digest.into(), size))
    }

    async fn next_chunk<S>(&self, body: &mut S) -> Result<Option<Bytes>, ReceiveError>
    where
        S: Stream<Item = Result<Bytes, axum::Error>> + Unpin + Send,
    {
        let next = tokio::time::timeout(self.idle, body.next()).await;
        let chunk = next.map_err(|_| ReceiveError::Idle(self.idle))?;
        chunk.transpose().map_err(ReceiveError::BrokeOff)
    }

    /// Removes an artifact's file; one that is gone already is fine.
    pub(crate) async fn remove(&self, digest: Digest) -> io::Result<()> {
        match fs::remove_file(self.path(digest)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Digests of the files that were last written longer than `grace` ago.
    /// Temporary files that old are what a killed process left: removed.
    pub(crate) async fn older_than(&self, grace: Duration) -> io::Result<Vec<Digest>> {
        for (path, _) in aged(&self.folder.join("incoming"), grace).await? {
            fs::remove_file(path).await?;
        }
        let files = aged(&self.folder, grace).await?;
        Ok(files
            .into_iter()
            .filter_map(|(_, name)| name.parse().ok())
            .collect())
    }
}

/// Paths and names of the plain files in `folder` not written for `grace`.
async fn aged(folder: &Path, grace: Duration) -> io::Result<Vec<(PathBuf, String)>> {
    let mut entries = fs::read_dir(folder).await?;
    let mut aged = Vec::new();
    while let Some(entry) = entries.next_entry().await? {
        let Ok(meta) = entry.metadata().await else {
            continue;
        };
        let age = SystemTime::now().duration_since(meta.modified()?);
        if meta.is_file() && age.is_ok_and(|age| age >= grace) {
            aged.push((
                entry.path(),
                entry.file_name().to_string_lossy().into_owned(),
            ));
        }
    }
    Ok(aged)
}

async fn inspect_file(path: PathBuf, said: Option<Kind>) -> Result<Kind, ReceiveError> {
    tokio::task::spawn_blocking(move || inspect(&path, said))
        .await
        .map_err(|error| ReceiveError::Write(io::Error::other(error)))?
        .map_err(ReceiveError::NoArtifact)
}

/// A name is durable only when its folder is.
async fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder).await?.sync_all().await
}
