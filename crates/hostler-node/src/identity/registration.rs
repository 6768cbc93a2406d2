//! What the control plane answered when this node joined.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use hostler_core::id::NodeId;
use hostler_daemon::secret;
use serde::{Deserialize, Serialize};

/// The registration could not be read or kept.
#[derive(Debug, thiserror::Error)]
#[error("could not {doing} {path}")]
pub struct RegistrationError {
    doing: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// The secret that both sides put into `X-Slave-Token`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ApiKey(String);

impl ApiKey {
    /// A key with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The key to ask for in a data folder: the one asked for before, if the
    /// answer was lost.
    pub(crate) fn make(data: &Path) -> Result<Self, RegistrationError> {
        let path = data.join(KEY_FILE);
        let fresh = || format!("hn_{}", secret::random_secret());
        match secret::load_or_make(&path, fresh) {
            Ok((text, _)) => Ok(Self(text)),
            Err(error) => Err(RegistrationError {
                doing: "keep a key in",
                path,
                source: io::Error::other(error),
            }),
        }
    }

    /// Forgets what was asked for, once the registration holds it: a folder that
    /// is copied to make another machine must not bring its key along.
    pub(crate) fn answered(data: &Path) {
        if let Err(error) = std::fs::remove_file(data.join(KEY_FILE)) {
            tracing::debug!(%error, "the key that was asked for stays in its file");
        }
    }

    /// The text, for a header.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(..)")
    }
}

/// The file in a node's data folder that says it has joined a fleet.
pub const REGISTRATION_FILE: &str = "registration.json";

/// The key with which it asked to join one.
const KEY_FILE: &str = "join.key";

/// This node's membership in a fleet, kept in [`REGISTRATION_FILE`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Registration {
    /// Its id there.
    pub node: NodeId,
    /// Its key there.
    pub api_key: ApiKey,
    /// The port of its API that the control plane was told.
    pub port: u16,
    /// Milliseconds between two heartbeats, until a reply says otherwise.
    pub heartbeat_ms: u64,
}

impl Registration {
    /// The registration in a data folder, if the node has joined.
    pub(crate) fn load(data: &Path) -> Result<Option<Self>, RegistrationError> {
        let path = data.join(REGISTRATION_FILE);
        let failed = |source| RegistrationError {
            doing: "read",
            path: path.clone(),
            source,
        };
        match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|error| failed(error.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// Keeps it in a data folder.
    pub(crate) fn store(&self, data: &Path) -> Result<(), RegistrationError> {
        let path = data.join(REGISTRATION_FILE);
        let content = serde_json::to_vec_pretty(self).map_err(io::Error::from);
        content
            .and_then(|content| secret::write(&path, &content))
            .map_err(|source| RegistrationError {
                doing: "write",
                path,
                source,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_was_asked_for_is_asked_for_again() {
        let folder = tempfile::tempdir().unwrap();
        let first = ApiKey::make(folder.path()).unwrap();
        assert!(first.expose().starts_with("hn_") && first.expose().len() > 32);
        assert_eq!(ApiKey::make(folder.path()).unwrap(), first);
        ApiKey::answered(folder.path());
        assert_ne!(ApiKey::make(folder.path()).unwrap(), first);
    }

    #[test]
    fn a_registration_survives_and_its_key_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Registration::load(folder.path()).unwrap(), None);
        let joined = Registration {
            node: NodeId::from_parts(1, [1; 10]),
            api_key: ApiKey::new("sesame"),
            port: 7_001,
            heartbeat_ms: 15_000,
        };
        joined.store(folder.path()).unwrap();
        let loaded = Registration::load(folder.path()).unwrap();
        assert_eq!(loaded.as_ref(), Some(&joined));
        assert!(!format!("{loaded:?}").contains("sesame"));
    }
}
