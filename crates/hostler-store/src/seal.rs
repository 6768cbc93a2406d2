//! Sealing: secrets that must be read back are encrypted under a key that is
//! not in the database, and bound to the row they belong to, so that a sealed
//! value copied to another row does not open there.
//!
//! XChaCha20-Poly1305 with a random nonce: 192 bits make repeating one no
//! concern, however many values are sealed. Layout: version 1, nonce, text.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{Key, KeyInit, XChaCha20Poly1305, XNonce};

const VERSION: u8 = 1;
const NONCE: usize = 24;

/// The key under which secrets are sealed.
#[derive(Clone)]
pub struct SealingKey(XChaCha20Poly1305);

/// Why a value could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Another key, another row, or changed bytes.
    #[error("the value was sealed under another key or for another row, or was changed")]
    Refused,
    /// Not something this program sealed.
    #[error("the value is not in a known sealed form")]
    Form,
}

/// Why a key could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file could not be read or written.
    #[error("the sealing key {path} could not be {doing}")]
    File {
        /// The key's path.
        path: PathBuf,
        /// What was tried: `read` or `created`.
        doing: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is not 32 bytes long.
    #[error("the sealing key {0} is not 32 bytes long")]
    Length(PathBuf),
    /// Others than its owner may read it.
    #[error("the sealing key {0} may be read by others; its mode must be 0600")]
    Open(PathBuf),
}

impl SealingKey {
    /// The key with these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(XChaCha20Poly1305::new(Key::from_slice(&bytes)))
    }

    /// A random key, for stores that do not outlive the process.
    pub fn random() -> Self {
        Self::from_bytes(rand::random())
    }

    /// The key in the file at `path`; made with mode 0600 when there is none.
    /// Two processes that start at once agree: only one creates the file.
    pub fn load_or_create(path: &Path) -> Result<Self, KeyError> {
        let failed = |doing| {
            move |source| KeyError::File {
                path: path.to_owned(),
                doing,
                source,
            }
        };
        match File::open(path) {
            Ok(file) => load(path, file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                create(path).map_err(failed("created"))?;
                load(path, File::open(path).map_err(failed("read"))?)
            }
            Err(error) => Err(failed("read")(error)),
        }
    }

    /// Seals `plain` for the row that `place` names.
    pub(crate) fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let nonce: [u8; NONCE] = rand::random();
        let payload = Payload {
            msg: plain,
            aad: place.as_bytes(),
        };
        let text = self.0.encrypt(XNonce::from_slice(&nonce), payload);
        let mut sealed = vec![VERSION];
        sealed.extend_from_slice(&nonce);
        sealed.extend(text.map_err(|_| SealError::Refused)?);
        Ok(sealed)
    }

    /// Opens what was sealed for the row that `place` names.
    pub(crate) fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let Some((&VERSION, rest)) = sealed.split_first() else {
            return Err(SealError::Form);
        };
        let (nonce, text) = rest.split_at_checked(NONCE).ok_or(SealError::Form)?;
        let payload = Payload {
            msg: text,
            aad: place.as_bytes(),
        };
        let plain = self.0.decrypt(XNonce::from_slice(nonce), payload);
        plain.map_err(|_| SealError::Refused)
    }
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKey(..)")
    }
}

fn load(path: &Path, mut file: File) -> Result<SealingKey, KeyError> {
    let failed = |source| KeyError::File {
        path: path.to_owned(),
        doing: "read",
        source,
    };
    let mode = file.metadata().map_err(failed)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(KeyError::Open(path.to_owned()));
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(failed)?;
    let bytes = bytes
        .try_into()
        .map_err(|_| KeyError::Length(path.to_owned()))?;
    Ok(SealingKey::from_bytes(bytes))
}

/// Written beside its place and linked into it, so that no other process ever
/// reads half a key, and the first of two wins.
fn create(path: &Path) -> io::Result<()> {
    let draft = path.with_extension(format!("{:016x}", rand::random::<u64>()));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)?;
    file.write_all(&rand::random::<[u8; 32]>())?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => sync_folder(path),
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    match path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        Some(folder) => File::open(folder)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_only_in_its_own_row_and_under_its_own_key() {
        let key = SealingKey::random();
        let sealed = key.seal("node:1", b"secret").unwrap();
        assert_eq!(key.open("node:1", &sealed).unwrap(), b"secret");
        assert_eq!(key.open("node:2", &sealed), Err(SealError::Refused));
        assert_eq!(
            SealingKey::random().open("node:1", &sealed),
            Err(SealError::Refused)
        );
        assert_eq!(key.open("node:1", b"plain"), Err(SealError::Form));
        let mut changed = sealed.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert_eq!(key.open("node:1", &changed), Err(SealError::Refused));
        assert_ne!(sealed, key.seal("node:1", b"secret").unwrap());
    }

    #[test]
    fn a_key_file_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sealing.key");
        let sealed = SealingKey::load_or_create(&path)
            .unwrap()
            .seal("row", b"kept")
            .unwrap();
        let again = SealingKey::load_or_create(&path).unwrap();
        assert_eq!(again.open("row", &sealed).unwrap(), b"kept");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);

        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        assert!(matches!(
            SealingKey::load_or_create(&path),
            Err(KeyError::Open(_))
        ));
    }

    #[test]
    fn a_key_file_of_another_length_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sealing.key");
        std::fs::write(&path, b"short").unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        assert!(matches!(
            SealingKey::load_or_create(&path),
            Err(KeyError::Length(_))
        ));
    }
}
