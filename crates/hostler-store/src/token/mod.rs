//! API tokens: who may do what, found by the digest of a secret.

mod bootstrap;
mod list;
pub(crate) mod row;

use hostler_core::id::{TokenId, UserId};
use hostler_core::{Name, Timestamp};

use crate::Secret;

/// A token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    /// Its id.
    pub id: TokenId,
    /// What it is called in events.
    pub name: String,
    /// The one project it acts in; `None` for the whole fleet.
    pub project: Option<Name>,
    /// What it may do.
    pub policies: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it expires; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// The user it acts for, and never does more than; `None` for a program's own.
    pub owner: Option<UserId>,
}

/// A token to be made.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// What it is called in events.
    pub name: String,
    /// The one project it acts in.
    pub project: Option<Name>,
    /// What it may do.
    pub policies: Vec<String>,
    /// What callers will present.
    pub secret: Secret,
    /// When it expires.
    pub expires_at: Option<Timestamp>,
    /// The user it acts for.
    pub owner: Option<UserId>,
}
