//! The audit log: one entry for each change that a person makes, written in
//! the transaction of the change, and one for what was refused to them.
//!
//! Whoever appends takes the head of the log ([`head`]) and holds it until the
//! commit, so entries form one chain however many control planes write. The
//! head is taken right before that of the events, and nothing after both.

pub(crate) mod head;
mod list;
pub(crate) mod row;

use hostler_core::audit::{AuditEntry, AuditHash};

/// An entry and its hash, as they are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// What it says.
    pub entry: AuditEntry,
    /// Its hash.
    pub hash: AuditHash,
}

/// Which entries to list; what is `None` does not narrow.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Only this actor's.
    pub actor: Option<String>,
    /// Only what concerns this id.
    pub subject: Option<String>,
}

/// Where the log ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditEnd {
    /// How many entries there are.
    pub number: u64,
    /// The hash of the last.
    pub hash: AuditHash,
}

/// Something that was tried and changed nothing, to be written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditNote {
    /// What was tried.
    pub action: String,
    /// The id of what it was tried on.
    pub subject: Option<String>,
    /// What came of it: `refused` or `failed`.
    pub outcome: &'static str,
    /// Particulars, as JSON.
    pub detail: serde_json::Value,
}
