//! Secrets in files that only their owner may read, made at first use.
//!
//! A secret is never written to a file that others can read, not even for a
//! moment: the file is created with mode 0600, filled under another name,
//! synced, and then given its own.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// A secret could not be read or kept.
#[derive(Debug, thiserror::Error)]
#[error("could not keep the secret in {path}")]
pub struct SecretError {
    path: PathBuf,
    source: io::Error,
}

/// 32 random bytes of the operating system, as 52 characters of base32.
pub fn random_secret() -> String {
    let bytes: [u8; 32] = rand::random();
    data_encoding::BASE32_NOPAD.encode(&bytes).to_lowercase()
}

/// The secret in `path`, without white space around it; made by `make` and
/// written there first if the file does not exist. Says whether it was made.
pub fn load_or_make(
    path: &Path,
    make: impl FnOnce() -> String,
) -> Result<(String, bool), SecretError> {
    let failed = |source| SecretError {
        path: path.to_owned(),
        source,
    };
    match fs::read_to_string(path) {
        Ok(text) => Ok((text.trim().to_owned(), false)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let secret = make();
            write(path, secret.as_bytes()).map_err(failed)?;
            Ok((secret, true))
        }
        Err(error) => Err(failed(error)),
    }
}

/// Writes `contents` to `path` with mode 0600, whole or not at all.
pub fn write(path: &Path, contents: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    fs::create_dir_all(folder)?;
    let draft = path.with_extension(format!("draft-{}", std::process::id()));
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)?;
    file.write_all(contents)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_secret_is_made_once_and_read_by_its_owner_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("inner").join("token");
        let (first, made) = load_or_make(&path, random_secret).expect("made");
        let (second, made_again) = load_or_make(&path, random_secret).expect("read");
        assert!(made && !made_again);
        assert_eq!(first, second);
        let bits = fs::metadata(&path).expect("metadata").permissions().mode();
        assert_eq!(bits & 0o777, 0o600);
        assert_ne!(random_secret(), random_secret());
    }
}
