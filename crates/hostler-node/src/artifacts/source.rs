//! Where artifacts come from: the control plane, by digest; or an object
//! store on the control NATS, by name (protocol, 2.5).

use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::object_store::{InfoErrorKind, Object, ObjectStore};
use bytes::Bytes;
use data_encoding::{BASE64URL, HEXLOWER};
use futures::{Stream, StreamExt};
use hostler_wire::client::ControlClient;
use tokio_util::io::ReaderStream;

use super::ArtifactError;
use crate::identity::ApiKey;
use crate::ledger::ObjectRef;

/// How long each answer of an object store is waited for.
const OBJECT_DEADLINE: Duration = Duration::from_secs(10);

/// How long the control plane may be silent in the middle of an artifact.
const CONTROL_PATIENCE: Duration = Duration::from_secs(30);

/// An artifact by digest, as the control plane sends it.
pub(super) async fn from_control_plane(
    control: &ControlClient,
    key: &ApiKey,
    digest: &str,
) -> Result<impl Stream<Item = Result<Bytes, ArtifactError>> + Unpin + use<>, ArtifactError> {
    let late = || ArtifactError::Late(CONTROL_PATIENCE);
    let asked = control.node_artifact(key.expose(), digest);
    let bytes = tokio::time::timeout(CONTROL_PATIENCE, asked)
        .await
        .map_err(|_| late())?
        .map_err(|error| {
            // A proxy's 404 has no envelope and says nothing about artifacts.
            let known = error.body().is_some_and(|body| body.code != "unknown");
            if known && error.is_not_found() {
                ArtifactError::Unknown(digest.to_owned())
            } else {
                ArtifactError::Control(error)
            }
        })?;
    let chunks = tokio_stream::StreamExt::timeout(bytes, CONTROL_PATIENCE);
    Ok(Box::pin(chunks.map(move |chunk| match chunk {
        Ok(chunk) => chunk.map_err(ArtifactError::Control),
        Err(_) => Err(late()),
    })))
}

/// An object, looked up and not read yet.
pub(super) struct Found {
    store: ObjectStore,
    key: String,
    /// Bytes.
    pub(super) size: u64,
    /// The SHA-256 its store claims, in hex.
    pub(super) digest: Option<String>,
}

/// Looks an object up.
pub(super) async fn object_find(
    client: &async_nats::Client,
    object: &ObjectRef,
) -> Result<Found, ArtifactError> {
    let late = |_| ArtifactError::object("nats: timeout");
    let store = context(client, &object.domain)
        .get_object_store(&object.bucket)
        .await
        .map_err(|error| store_error(&error))?;
    let info = tokio::time::timeout(OBJECT_DEADLINE, store.info(&object.key))
        .await
        .map_err(late)?
        .map_err(|error| match error.kind() {
            InfoErrorKind::NotFound => ArtifactError::NoObject("nats: object not found"),
            InfoErrorKind::InvalidName => ArtifactError::NoObject("nats: invalid object name"),
            InfoErrorKind::TimedOut => ArtifactError::object("nats: timeout"),
            InfoErrorKind::Other => ArtifactError::object(&error),
        })?;
    if info.deleted {
        return Err(ArtifactError::NoObject("nats: object not found"));
    }
    Ok(Found {
        store,
        key: object.key.clone(),
        size: info.size as u64,
        digest: info.digest.as_deref().and_then(claimed_digest),
    })
}

/// The bytes of an object that was found.
pub(super) async fn object_read(
    found: &Found,
) -> Result<impl Stream<Item = Result<Bytes, ArtifactError>> + Unpin + use<>, ArtifactError> {
    let object: Object = tokio::time::timeout(OBJECT_DEADLINE, found.store.get(&found.key))
        .await
        .map_err(|_| ArtifactError::object("nats: timeout"))?
        .map_err(|error| ArtifactError::object(&error))?;
    let chunks = ReaderStream::with_capacity(object, 1 << 17);
    let chunks = tokio_stream::StreamExt::timeout(chunks, OBJECT_DEADLINE);
    Ok(Box::pin(chunks.map(|chunk| match chunk {
        Ok(chunk) => chunk.map_err(|error| ArtifactError::object(&error)),
        Err(_) => Err(ArtifactError::object("nats: timeout")),
    })))
}

/// A plain word is a `JetStream` domain; what has a dot is an API prefix.
fn context(client: &async_nats::Client, domain: &str) -> jetstream::Context {
    match domain {
        "" => jetstream::new(client.clone()),
        prefix if prefix.contains('.') => jetstream::with_prefix(client.clone(), prefix),
        domain => jetstream::with_domain(client.clone(), domain),
    }
}

fn store_error(error: &jetstream::context::ObjectStoreError) -> ArtifactError {
    use jetstream::context::{GetStreamError, GetStreamErrorKind, ObjectStoreErrorKind};
    if error.kind() == ObjectStoreErrorKind::InvalidBucketName {
        return ArtifactError::NoObject("nats: invalid bucket name");
    }
    let source = std::error::Error::source(error);
    match source.and_then(|cause| cause.downcast_ref::<GetStreamError>()) {
        Some(cause) if matches!(cause.kind(), GetStreamErrorKind::JetStream(_)) => {
            ArtifactError::NoObject("nats: stream not found")
        }
        Some(cause) => ArtifactError::object(&crate::report::report(cause)),
        None => ArtifactError::object(&crate::report::report(error)),
    }
}

/// Object stores write `SHA-256=` and URL-safe base64.
fn claimed_digest(text: &str) -> Option<String> {
    let (kind, value) = text.split_once('=')?;
    let bytes = BASE64URL.decode(value.as_bytes()).ok()?;
    (kind.eq_ignore_ascii_case("sha-256") && bytes.len() == 32).then(|| HEXLOWER.encode(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sha_256_is_believed() {
        let zeros = BASE64URL.encode(&[0; 32]);
        assert_eq!(
            claimed_digest(&format!("SHA-256={zeros}")),
            Some("00".repeat(32))
        );
        assert_eq!(claimed_digest(&format!("MD5={zeros}")), None);
        assert_eq!(claimed_digest("SHA-256=AAAA"), None);
        assert_eq!(claimed_digest(""), None);
    }
}
