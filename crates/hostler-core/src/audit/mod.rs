//! The audit log: who changed what, when, from where, and what came of it.
//!
//! Each entry carries the hash of the one before and of itself, so whoever
//! changes, drops or inserts one in the middle must rewrite all that follow;
//! and who knows the last hash from elsewhere sees that too. Entries are
//! numbered from 1 without a gap. Their fields are hashed one by one with
//! their lengths, so no two entries have the same bytes.

mod chain;

pub use chain::{BrokenAt, Verifier};

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Timestamp;

/// What there is to say of one change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its place, from 1.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// Who: a user's or token's name.
    pub actor: String,
    /// From where: an address.
    pub origin: String,
    /// What, such as `workload.created`.
    pub action: String,
    /// The id of what it happened to.
    pub subject: Option<String>,
    /// The project concerned.
    pub project: Option<String>,
    /// What came of it: `done`, `refused` or `failed`.
    pub outcome: String,
    /// Particulars, as JSON.
    pub detail: String,
}

/// The hash of an entry and of all before it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AuditHash([u8; 32]);

/// A text that is no hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a hash: 64 digits of lower-case hex")]
pub struct AuditHashError(pub String);

impl AuditHash {
    /// What the first entry follows.
    pub const START: Self = Self([0; 32]);

    /// The hash of `entry`, which follows the one with this hash.
    #[must_use]
    pub fn then(self, entry: &AuditEntry) -> Self {
        let mut hash = Sha256::new();
        hash.update(self.0);
        for field in fields(entry) {
            let present = u8::from(field.is_some());
            let text = field.unwrap_or_default();
            hash.update([present]);
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
        Self(hash.finalize().into())
    }
}

/// In the order in which they are hashed; `None` is apart from empty.
fn fields(entry: &AuditEntry) -> [Option<String>; 9] {
    [
        Some(entry.number.to_string()),
        Some(entry.at.ms().to_string()),
        Some(entry.actor.clone()),
        Some(entry.origin.clone()),
        Some(entry.action.clone()),
        entry.subject.clone(),
        entry.project.clone(),
        Some(entry.outcome.clone()),
        Some(entry.detail.clone()),
    ]
}

impl fmt::Display for AuditHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for AuditHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for AuditHash {
    type Err = AuditHashError;

    fn from_str(text: &str) -> Result<Self, AuditHashError> {
        let bytes = HEXLOWER.decode(text.as_bytes()).ok();
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes
            .map(Self)
            .ok_or_else(|| AuditHashError(text.to_owned()))
    }
}

impl TryFrom<String> for AuditHash {
    type Error = AuditHashError;

    fn try_from(text: String) -> Result<Self, AuditHashError> {
        text.parse()
    }
}

impl From<AuditHash> for String {
    fn from(hash: AuditHash) -> Self {
        hash.to_string()
    }
}
