//! Join tokens: secrets with which machines register themselves, each for a
//! number of times and until a moment. Only a digest is kept.

mod list;
pub(crate) mod row;
pub(crate) mod spend;

use hostler_core::Timestamp;
use hostler_core::id::TokenId;

use crate::Secret;

/// A join token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinTokenRow {
    /// Its id.
    pub id: TokenId,
    /// When it expires.
    pub expires_at: Timestamp,
    /// How many nodes may still join with it.
    pub uses_left: u32,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A join token to be made.
#[derive(Clone, Debug)]
pub struct NewJoinToken {
    /// What a machine will present.
    pub secret: Secret,
    /// When it expires.
    pub expires_at: Timestamp,
    /// How many nodes may join with it.
    pub uses: u32,
}
