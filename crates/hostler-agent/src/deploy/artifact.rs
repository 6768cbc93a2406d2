//! The artifact, from the node in chunks. Several are asked for at a time, so
//! that a small artifact takes one round trip; a chunk whose answer was lost
//! with the connection is asked for again. Nothing is used before size and
//! SHA-256 have been checked.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use async_nats::{Client, Request};
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};
use hostler_wire::agent::{ARTIFACT_CHUNK, AgentDeployRequest, ArtifactRequest, ERROR_HEADER};
use hostler_wire::agent::{Message as _, subject};
use sha2::{Digest as _, Sha256};

/// Chunks asked for at a time.
const AT_ONCE: usize = 4;

/// How long one answer is waited for, and how often it is asked again.
const PATIENCE: Duration = Duration::from_secs(2);
const ATTEMPTS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(50);

/// Why there is no artifact.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("the node does not hand it out: {0}")]
    Refused(String),
    #[error("the node did not answer: {0}")]
    Silent(String),
    #[error("it ends after {got} of {expected} bytes")]
    Short { got: u64, expected: u64 },
    #[error("it is {0} bytes longer than announced, or more")]
    Long(usize),
    #[error("there is no memory for {0} bytes")]
    Memory(u64),
    #[error("it could not be written: {0}")]
    Write(#[from] io::Error),
    #[error("its SHA-256 is {got}, not {expected}")]
    Digest { got: String, expected: String },
}

/// The whole artifact of a request, in memory.
pub(super) async fn to_memory(
    client: &Client,
    slot: &str,
    request: &AgentDeployRequest,
) -> Result<Vec<u8>, FetchError> {
    let total = request.total_bytes;
    let mut bytes = Vec::new();
    let room = usize::try_from(total).map_err(|_| FetchError::Memory(total))?;
    bytes
        .try_reserve_exact(room)
        .map_err(|_| FetchError::Memory(total))?;
    fetch(client, slot, request, &mut bytes).await?;
    Ok(bytes)
}

/// The whole artifact of a request, in a new file that only its owner may
/// read. It may be larger than the memory that the slot has.
pub(super) async fn to_file(
    client: &Client,
    slot: &str,
    request: &AgentDeployRequest,
    path: &Path,
) -> Result<(), FetchError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    fetch(client, slot, request, &mut file).await
}

/// A chunk is written without leaving the thread: into memory, or into the
/// kernel's, which takes less time than handing it over.
async fn fetch(
    client: &Client,
    slot: &str,
    request: &AgentDeployRequest,
    sink: &mut (impl io::Write + Send),
) -> Result<(), FetchError> {
    let source = Source {
        client,
        subject: subject::artifact(slot),
        digest: request.hash.to_ascii_lowercase(),
    };
    let total = request.total_bytes;
    let mut hash = Sha256::new();
    let pieces = (0..total)
        .step_by(ARTIFACT_CHUNK)
        .map(|offset| source.piece(offset, total));
    let mut pieces = futures::stream::iter(pieces).buffered(AT_ONCE);
    while let Some(piece) = pieces.try_next().await? {
        for chunk in piece {
            hash.update(&chunk);
            sink.write_all(&chunk)?;
        }
    }
    let got = data_encoding::HEXLOWER.encode(&hash.finalize());
    if got != source.digest {
        let expected = source.digest.clone();
        return Err(FetchError::Digest { got, expected });
    }
    Ok(())
}

struct Source<'a> {
    client: &'a Client,
    subject: String,
    digest: String,
}

impl Source<'_> {
    /// What lies between `offset` and the next multiple of a chunk, or the
    /// end. One answer as a rule, more if the node sends smaller ones; of
    /// those the last reaches into the next piece, which is asked for already.
    async fn piece(&self, offset: u64, total: u64) -> Result<Vec<Bytes>, FetchError> {
        let end = total.min(offset.saturating_add(ARTIFACT_CHUNK as u64));
        let (mut chunks, mut at) = (Vec::with_capacity(1), offset);
        while at < end {
            let mut chunk = self.chunk(at).await?;
            if chunk.is_empty() {
                let (got, expected) = (at, total);
                return Err(FetchError::Short { got, expected });
            }
            let room = usize::try_from(end - at).unwrap_or(ARTIFACT_CHUNK);
            if chunk.len() > room && end == total {
                return Err(FetchError::Long(chunk.len() - room));
            }
            chunk.truncate(room);
            at += chunk.len() as u64;
            chunks.push(chunk);
        }
        Ok(chunks)
    }

    async fn chunk(&self, offset: u64) -> Result<Bytes, FetchError> {
        let digest = self.digest.clone();
        let payload = Bytes::from(ArtifactRequest { digest, offset }.encode());
        let mut problem = String::new();
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            let asked = Request::new()
                .payload(payload.clone())
                .timeout(Some(PATIENCE));
            match self.client.send_request(self.subject.clone(), asked).await {
                Ok(answer) => {
                    let refused = answer
                        .headers
                        .as_ref()
                        .and_then(|all| all.get(ERROR_HEADER));
                    return match refused {
                        Some(why) => Err(FetchError::Refused(why.to_string())),
                        None => Ok(answer.payload),
                    };
                }
                Err(error) => problem = error.to_string(),
            }
        }
        Err(FetchError::Silent(problem))
    }
}
