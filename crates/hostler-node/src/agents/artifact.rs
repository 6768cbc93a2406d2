//! An artifact on its way to one agent: opened once, read in chunks.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::watch;

/// The bytes an agent fetches, and how far it has come.
#[derive(Debug)]
pub(crate) struct Artifact {
    digest: String,
    file: File,
    /// Chunks asked for so far; an agent that asks is alive.
    asked: watch::Sender<u64>,
}

impl Artifact {
    /// Opens the file.
    pub(crate) fn open(path: &Path, digest: String) -> io::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            digest,
            file: File::open(path)?,
            asked: watch::Sender::new(0),
        }))
    }

    /// The artifact's SHA-256 in lower-case hex.
    pub(crate) fn digest(&self) -> &str {
        &self.digest
    }

    /// Tells of every chunk that is asked for.
    pub(crate) fn progress(&self) -> watch::Receiver<u64> {
        self.asked.subscribe()
    }

    /// At most `length` bytes from `offset`; empty at the end.
    pub(super) async fn chunk(self: Arc<Self>, offset: u64, length: usize) -> io::Result<Bytes> {
        self.asked.send_modify(|asked| *asked += 1);
        tokio::task::spawn_blocking(move || self.read(offset, length))
            .await
            .map_err(io::Error::other)?
    }

    fn read(&self, offset: u64, length: usize) -> io::Result<Bytes> {
        let left = self.file.metadata()?.len().saturating_sub(offset);
        let length = usize::try_from(left).unwrap_or(length).min(length);
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, offset)?;
        Ok(bytes.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn chunks_cover_the_file_and_end_with_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("artifact");
        std::fs::write(&path, b"abcdefg").expect("written");
        let artifact = Artifact::open(&path, "00".into()).expect("opened");
        let check = async |offset, expected: &[u8]| {
            let chunk = Arc::clone(&artifact).chunk(offset, 3).await;
            assert_eq!(chunk.expect("a chunk"), expected);
        };
        check(0, b"abc").await;
        check(6, b"g").await;
        check(7, b"").await;
        check(99, b"").await;
        assert_eq!(*artifact.progress().borrow(), 4);
    }
}
