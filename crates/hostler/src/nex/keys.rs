//! Seeds of people who deploy: in files that they name, or, for `devrun`, made
//! once and kept in `~/.nex` as the original keeps them.

use std::path::Path;

use anyhow::{Context as _, Result};
use hostler_daemon::secret;
use hostler_wire::nats::nkey::{KeyPair, XKey, curve_key, signing_key};

use super::context::home;

/// Who signs, and who seals.
pub(super) struct Keys {
    pub(super) issuer: KeyPair,
    pub(super) sender: XKey,
}

/// The signing key in a file.
pub(super) fn issuer(path: &Path) -> Result<KeyPair> {
    let seed = read(path)?;
    signing_key(&seed).with_context(|| path.display().to_string())
}

/// The curve key in a file.
pub(super) fn sender(path: &Path) -> Result<XKey> {
    let seed = read(path)?;
    curve_key(&seed).with_context(|| path.display().to_string())
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))
}

impl Keys {
    /// Those of whoever runs this, made if they are not there, and where.
    pub(super) fn own() -> Result<(Self, std::path::PathBuf)> {
        let folder = home()
            .context("HOME names no folder to keep keys in")?
            .join(".nex");
        Ok((Self::in_folder(&folder)?, folder))
    }

    fn in_folder(folder: &Path) -> Result<Self> {
        let issuer_file = folder.join("issuer.nk");
        let make = || KeyPair::new_account().seed().unwrap_or_default();
        secret::load_or_make(&issuer_file, make)?;
        let sender_file = folder.join("publisher.xk");
        secret::load_or_make(&sender_file, || XKey::new().seed().unwrap_or_default())?;
        Ok(Self {
            issuer: issuer(&issuer_file)?,
            sender: sender(&sender_file)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_and_files_of_the_original_are_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let nex = folder.path().join(".nex");
        let first = Keys::in_folder(&nex).expect("made");
        let again = Keys::in_folder(&nex).expect("read");
        assert_eq!(first.issuer.public_key(), again.issuer.public_key());
        assert_eq!(first.sender.public_key(), again.sender.public_key());
        let seed = "SAAPN4W3EG6KCJGUQTKTJ5GSB5NHK5CHAJL4DBGFUM3HHROI4XUEP4OBK4\n";
        std::fs::write(nex.join("issuer.nk"), seed).expect("written");
        let key = Keys::in_folder(&nex).expect("read").issuer.public_key();
        assert_eq!(
            key,
            "ACODERUVFFAWZQDSS6SBIACUA5O6SXF7HJ3YTYXBALHZP3P7R4BUO4J2"
        );
        std::fs::write(nex.join("publisher.xk"), seed).expect("written");
        assert!(
            Keys::in_folder(&nex).is_err(),
            "a signing key does not seal"
        );
    }
}
