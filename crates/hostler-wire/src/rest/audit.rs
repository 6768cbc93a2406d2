//! The audit log.

use chrono::{DateTime, Utc};
use hostler_core::audit::{self, AuditHash};
use serde::{Deserialize, Serialize};

use crate::convert::timestamp;

/// An entry of the audit log; together with all others it can be verified
/// ([`hostler_core::audit::Verifier`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    /// Its place, from 1.
    pub number: u64,
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub actor: String,
    /// From where.
    pub origin: String,
    /// What.
    pub action: String,
    /// The id of what it happened to.
    pub subject: Option<String>,
    /// The project concerned.
    pub project: Option<String>,
    /// What came of it: `done`, `refused` or `failed`.
    pub outcome: String,
    /// Particulars: JSON, as a text, because its very letters are sealed.
    pub detail: String,
    /// SHA-256 over the hash before and this entry, in lower-case hex.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub hash: AuditHash,
}

impl AuditEntry {
    /// What is sealed.
    pub fn entry(&self) -> audit::AuditEntry {
        audit::AuditEntry {
            number: self.number,
            at: timestamp(self.at),
            actor: self.actor.clone(),
            origin: self.origin.clone(),
            action: self.action.clone(),
            subject: self.subject.clone(),
            project: self.project.clone(),
            outcome: self.outcome.clone(),
            detail: self.detail.clone(),
        }
    }
}

/// `GET /audit`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
pub struct AuditQuery {
    /// Only this actor's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Only what concerns this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Those after this number, oldest first; absent: the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// How many; 100 if absent, 1000 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// `GET /audit/verify`: what the control plane finds when it reads all of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditVerdict {
    /// Whether every entry follows from the one before.
    pub whole: bool,
    /// How many entries there are.
    pub entries: u64,
    /// The hash of the last; whoever keeps it elsewhere can tell later that
    /// nothing before it was changed.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub hash: AuditHash,
    /// The first entry that does not follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}
