//! Artifact bytes, one file per digest in the data folder.
//!
//! The row in the store says that an artifact exists; the file holds its
//! bytes. A file is written under a temporary name, made durable, checked, and
//! only then given its name, and the row follows the file: a row without a
//! file never happens, a file without a row is swept after a grace. Several
//! control planes need a folder they share.

mod file;
mod inspect;
mod known;

pub(crate) use file::{ArtifactFiles, ReceiveError};
pub(crate) use inspect::InspectError;
use inspect::{inspect, virtual_size};
pub(crate) use known::KnownArtifacts;

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;

/// The SHA-256 of an artifact: 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Digest([u8; 32]);

/// A text that is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a digest: 64 lower-case hexadecimal digits of a SHA-256")]
pub(crate) struct DigestError(String);

impl From<[u8; 32]> for Digest {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let bytes = HEXLOWER.decode(text.as_bytes()).ok();
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| DigestError(text.to_owned()))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        HEXLOWER.encode(&self.0).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_exactly_64_lower_case_digits() {
        let good = "ab".repeat(32);
        assert_eq!(
            good.parse::<Digest>().map(|digest| digest.to_string()),
            Ok(good.clone())
        );
        let short = "ab".repeat(31);
        let loud = good.to_uppercase();
        for bad in ["", "xyz", "../../etc/passwd", short.as_str(), loud.as_str()] {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
    }
}
