//! The box in which environments are kept in the ledger: sealed by the node
//! for itself with its curve key, as base64.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use hostler_wire::nats::nkey::XKey;

/// Seals and opens environments. Cloning gives the same box.
#[derive(Clone)]
pub(crate) struct Vault(XKey);

/// An environment could not be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VaultError {
    /// Not base64.
    #[error("a sealed environment is not base64")]
    Text(#[from] data_encoding::DecodeError),
    /// Not ours, or damaged.
    #[error("an environment could not be sealed or opened with this node's curve key")]
    Seal(#[from] nkeys::error::Error),
    /// Not an environment.
    #[error("a sealed environment is not a map of texts")]
    Content(#[from] serde_json::Error),
}

impl Vault {
    pub(crate) fn new(xkey: XKey) -> Self {
        Self(xkey)
    }

    /// Seals an environment.
    pub(crate) fn seal(
        &self,
        environment: &BTreeMap<String, String>,
    ) -> Result<String, VaultError> {
        let plain = serde_json::to_vec(environment)?;
        Ok(BASE64.encode(&self.0.seal(&plain, &self.0)?))
    }

    /// Opens a sealed environment.
    pub(crate) fn open(&self, sealed: &str) -> Result<BTreeMap<String, String>, VaultError> {
        let bytes = BASE64.decode(sealed.as_bytes())?;
        Ok(serde_json::from_slice(&self.0.open(&bytes, &self.0)?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_can_be_read_by_this_node_only() {
        let environment = BTreeMap::from([("TOKEN".to_owned(), "swordfish".to_owned())]);
        let vault = Vault::new(XKey::new());
        let sealed = vault.seal(&environment).unwrap();
        assert!(!sealed.contains("swordfish"));
        assert_eq!(vault.open(&sealed).unwrap(), environment);
        assert!(Vault::new(XKey::new()).open(&sealed).is_err());
        assert!(vault.open("not base64!").is_err());
    }
}
