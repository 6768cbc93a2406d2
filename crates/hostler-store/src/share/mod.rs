//! Shares: links to the console of one VM for people without an account. The
//! secret is in the link and nowhere else; here is its digest.

mod links;
pub(crate) mod row;

use hostler_core::id::VmId;
use hostler_core::{Name, Timestamp};
use uuid::Uuid;

/// A share, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareRow {
    /// Its id.
    pub id: Uuid,
    /// The VM whose console it opens.
    pub vm: VmId,
    /// The project of that VM.
    pub project: Name,
    /// What it is for.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it opens nothing.
    pub expires_at: Timestamp,
}

/// A share to be made.
#[derive(Clone, Debug)]
pub struct NewShare {
    /// The VM whose console it opens.
    pub vm: VmId,
    /// The project of that VM.
    pub project: Name,
    /// What it is for.
    pub name: String,
    /// The secret; kept as a digest.
    pub secret: crate::Secret,
    /// From when on it opens nothing.
    pub expires_at: Timestamp,
}
