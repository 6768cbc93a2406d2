//! Sessions: times that users signed in, found by the digest of a secret. A
//! session ends at its own end, once it was idle for too long, and with its
//! user; when it is idle for too long, whoever asks decides.

mod list;
pub(crate) mod row;

use hostler_core::Timestamp;
use hostler_core::id::{SessionId, UserId};

use crate::Secret;

/// A session, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// When they signed in.
    pub created_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// When it was used last, give or take a minute.
    pub last_used: Timestamp,
    /// The address they signed in from.
    pub origin: String,
}

/// A session to be made.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Whose it is.
    pub user: UserId,
    /// What callers will present.
    pub secret: Secret,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// How they proved who they are, for the audit log.
    pub method: &'static str,
}
