//! Who this node is: a server key and a curve key, made once and kept, so
//! that a restarted node is the same node to everybody; and the key under
//! which the control plane knows it, once it has joined.
//!
//! All of it lies in the data folder, readable by its owner only. Seeds and
//! keys are never logged: the types here have no `Debug` that shows them.

mod registration;
mod vault;

use std::fmt;
use std::path::{Path, PathBuf};

use hostler_daemon::secret::{self, SecretError};
use hostler_wire::nats::nkey::{KeyError, KeyPair, XKey, curve_key, signing_key};

pub(crate) use registration::Registration;
pub use registration::{ApiKey, REGISTRATION_FILE, RegistrationError};
pub(crate) use vault::{Vault, VaultError};

/// A node's keys could not be read or made.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] SecretError),
    /// A file holds no key. It is not replaced: the node would be another.
    #[error("{path} does not hold a key")]
    Key {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: KeyError,
    },
    /// No key could be made.
    #[error("could not make a key")]
    Make(#[from] nkeys::error::Error),
}

/// A node's own keys.
#[derive(Clone)]
pub(crate) struct Identity {
    node: String,
    xkey: XKey,
}

impl Identity {
    /// Reads the keys from the data folder, or makes them there.
    pub(crate) fn open(data: &Path) -> Result<Self, IdentityError> {
        let not_a_key = |path: &Path| {
            let path = path.to_owned();
            move |source| IdentityError::Key { path, source }
        };
        let path = data.join("node.nk");
        let fresh = KeyPair::new_server().seed()?;
        let (seed, _) = secret::load_or_make(&path, || fresh)?;
        let pair = signing_key(&seed).map_err(not_a_key(&path))?;
        let path = data.join("node.xk");
        let fresh = XKey::new().seed()?;
        let (seed, _) = secret::load_or_make(&path, || fresh)?;
        let xkey = curve_key(&seed).map_err(not_a_key(&path))?;
        Ok(Self {
            node: pair.public_key(),
            xkey,
        })
    }

    /// The node's public server key (`N...`), its id on the control API.
    pub(crate) fn node(&self) -> &str {
        &self.node
    }

    /// The curve key that requesters seal environments for.
    pub(crate) fn xkey(&self) -> &XKey {
        &self.xkey
    }

    /// The box in which environments are kept in the ledger.
    pub(crate) fn vault(&self) -> Vault {
        Vault::new(self.xkey.clone())
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_restarted_node_is_the_same_node() {
        let folder = tempfile::tempdir().unwrap();
        let first = Identity::open(folder.path()).unwrap();
        let second = Identity::open(folder.path()).unwrap();
        assert_eq!(first.node(), second.node());
        assert_eq!(first.xkey().public_key(), second.xkey().public_key());
        assert!(first.node().starts_with('N') && first.node().len() == 56);
        for name in ["node.nk", "node.xk"] {
            let mode = std::fs::metadata(folder.path().join(name)).unwrap();
            assert_eq!(mode.permissions().mode() & 0o777, 0o600, "{name}");
        }
    }

    #[test]
    fn a_damaged_key_is_an_error_and_not_a_new_identity() {
        let folder = tempfile::tempdir().unwrap();
        Identity::open(folder.path()).unwrap();
        std::fs::write(folder.path().join("node.nk"), "SNgarbage").unwrap();
        assert!(Identity::open(folder.path()).is_err());
    }
}
