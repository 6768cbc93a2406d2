//! Bytes from elsewhere into a file of the cache: written beside it, checked
//! for size and digest while they pass, and renamed only when they are right.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use data_encoding::HEXLOWER;
use futures::{Stream, StreamExt};
use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::ArtifactError;

/// What a download must turn out to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected<'a> {
    /// SHA-256 in hex, if it is known.
    pub(super) digest: Option<&'a str>,
    /// Bytes.
    pub(super) size: u64,
}

/// A file that is removed unless it was kept.
struct Temporary {
    path: PathBuf,
    kept: bool,
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.kept {
            std::fs::remove_file(&self.path).ok();
        }
    }
}

/// Writes a stream into `folder` under the name of its digest; the digest.
pub(super) async fn save(
    folder: &Path,
    expected: Expected<'_>,
    mut stream: impl Stream<Item = Result<Bytes, ArtifactError>> + Unpin,
) -> Result<String, ArtifactError> {
    let name = format!("{}.part", uuid::Uuid::new_v4());
    let mut temporary = Temporary {
        path: folder.join(name),
        kept: false,
    };
    let failed = |source| ArtifactError::file("write", &temporary.path, source);
    let mut file = File::create(&temporary.path).await.map_err(failed)?;
    let (mut hash, mut size) = (Sha256::new(), 0_u64);
    while let Some(chunk) = stream.next().await {
        let chunk = chunk?;
        size += chunk.len() as u64;
        if size > expected.size {
            break;
        }
        hash.update(&chunk);
        file.write_all(&chunk).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    let digest = HEXLOWER.encode(&hash.finalize());
    check(expected, &digest, size)?;
    let path = folder.join(&digest);
    tokio::fs::rename(&temporary.path, &path)
        .await
        .map_err(failed)?;
    temporary.kept = true;
    Ok(digest)
}

/// Whether the file holds what its name says.
pub(super) async fn is_good(path: &Path, expected: Expected<'_>) -> bool {
    let read = async {
        let mut file = File::open(path).await?;
        let (mut hash, mut size) = (Sha256::new(), 0_u64);
        let mut buffer = vec![0; 1 << 18];
        loop {
            let count = file.read(&mut buffer).await?;
            if count == 0 {
                break;
            }
            size += count as u64;
            hash.update(&buffer[..count]);
        }
        std::io::Result::Ok((HEXLOWER.encode(&hash.finalize()), size))
    };
    match read.await {
        Ok((digest, size)) => check(expected, &digest, size).is_ok(),
        Err(_) => false,
    }
}

fn check(expected: Expected<'_>, digest: &str, size: u64) -> Result<(), ArtifactError> {
    if size != expected.size {
        return Err(ArtifactError::Size {
            expected: expected.size,
            found: size,
        });
    }
    match expected.digest {
        Some(wanted) if wanted != digest => Err(ArtifactError::Digest {
            expected: wanted.to_owned(),
            found: digest.to_owned(),
        }),
        _ => Ok(()),
    }
}
