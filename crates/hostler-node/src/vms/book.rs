//! The ledger of VMs: one file each, replaced whole, and on disk before
//! anything is done or answered that it speaks of. Readable by its owner only,
//! since orders hold what guests are told.

use std::path::{Path, PathBuf};

use hostler_core::id::VmId;
use hostler_daemon::secret;

use super::record::VmRecord;

const ENDING: &str = "json";

/// The ledger of VMs could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    /// A file.
    #[error("could not {doing} {path}")]
    File {
        /// What was being done.
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file cannot be understood: damaged, or of a newer version.
    #[error("could not understand {path}")]
    Content {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
}

/// The ledger of VMs.
#[derive(Clone, Debug)]
pub(super) struct Book {
    folder: PathBuf,
}

impl Book {
    /// Opens or makes the ledger; what it remembers.
    pub(super) fn open(folder: &Path) -> Result<(Self, Vec<VmRecord>), BookError> {
        let failed = |doing, source| BookError::File {
            doing,
            path: folder.to_owned(),
            source,
        };
        std::fs::create_dir_all(folder).map_err(|source| failed("make", source))?;
        let entries = std::fs::read_dir(folder).map_err(|source| failed("read", source))?;
        let mut records = Vec::new();
        for entry in entries {
            let path = entry.map_err(|source| failed("read", source))?.path();
            let ending = path.extension().and_then(|ending| ending.to_str());
            match ending {
                Some(ENDING) => records.push(read(&path)?),
                // A write that was cut short.
                Some(other) if other.starts_with("draft-") => drop(std::fs::remove_file(&path)),
                _ => {}
            }
        }
        let folder = folder.to_owned();
        Ok((Self { folder }, records))
    }

    /// Writes a record down; it is on disk when this returns `Ok`.
    pub(super) async fn write(&self, record: &VmRecord) -> Result<(), BookError> {
        let path = self.path(record.id);
        let written = serde_json::to_vec(record);
        let bytes = written.map_err(|source| BookError::Content {
            path: path.clone(),
            source,
        })?;
        blocking("write", path, move |path| secret::write(path, &bytes)).await
    }

    /// Forgets a VM.
    pub(super) async fn erase(&self, id: VmId) -> Result<(), BookError> {
        blocking("remove", self.path(id), |path| std::fs::remove_file(path)).await
    }

    fn path(&self, id: VmId) -> PathBuf {
        self.folder.join(format!("{id}.{ENDING}"))
    }
}

fn read(path: &Path) -> Result<VmRecord, BookError> {
    let path = path.to_owned();
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(source) => {
            let doing = "read";
            return Err(BookError::File {
                doing,
                path,
                source,
            });
        }
    };
    serde_json::from_slice(&bytes).map_err(|source| BookError::Content { path, source })
}

async fn blocking(
    doing: &'static str,
    path: PathBuf,
    deed: impl FnOnce(&Path) -> std::io::Result<()> + Send + 'static,
) -> Result<(), BookError> {
    let named = path.clone();
    let done = tokio::task::spawn_blocking(move || deed(&path)).await;
    let done = done.unwrap_or_else(|error| Err(std::io::Error::other(error)));
    done.map_err(|source| BookError::File {
        doing,
        path: named,
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_written_is_read_again_and_drafts_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let (book, records) = Book::open(folder.path()).unwrap();
        assert!(records.is_empty());
        let record = VmRecord::unknown(VmId::from_parts(1, [1; 10]));
        book.write(&record).await.unwrap();
        let draft = folder.path().join("x.draft-7");
        std::fs::write(&draft, "{").unwrap();
        let (book, records) = Book::open(folder.path()).unwrap();
        assert_eq!(records, std::slice::from_ref(&record));
        assert!(!draft.exists());
        book.erase(record.id).await.unwrap();
        assert!(Book::open(folder.path()).unwrap().1.is_empty());
        std::fs::write(folder.path().join("x.json"), "{").unwrap();
        assert!(matches!(
            Book::open(folder.path()),
            Err(BookError::Content { .. })
        ));
    }
}
