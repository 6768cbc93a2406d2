//! Users: people, and programs that sign in as one. A password is kept as the
//! hash that the caller made of it, and never read back. What a user may do is
//! computed from what was given to them, at every look.

mod change;
pub(crate) mod insert;
mod list;
pub(crate) mod row;
mod sign_in;

use hostler_core::access::{Grants, UserName};
use hostler_core::id::UserId;
use hostler_core::{Name, Timestamp};
use serde_json::Value;

/// A user, without the password's hash.
#[derive(Clone, Debug, PartialEq)]
pub struct UserRow {
    /// Their id.
    pub id: UserId,
    /// What they sign in with.
    pub name: UserName,
    /// What was given to them; memberships only where they were read.
    pub grants: Grants,
    /// Whether they may not sign in.
    pub disabled: bool,
    /// Whether they have a password.
    pub has_password: bool,
    /// Who they are at an identity provider.
    pub identity: Option<Identity>,
    /// What they prefer.
    pub settings: Value,
    /// When they were made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// When they did something last.
    pub last_activity: Option<Timestamp>,
}

impl UserRow {
    /// Whether there is a way in for them.
    pub fn can_sign_in(&self) -> bool {
        !self.disabled && (self.has_password || self.identity.is_some())
    }
}

/// Somebody at an identity provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The provider.
    pub issuer: String,
    /// Who they are there, for ever.
    pub subject: String,
}

/// A user to be made.
#[derive(Clone)]
pub struct NewUser {
    /// What they sign in with.
    pub name: UserName,
    /// The hash of their password, if they have one.
    pub password: Option<String>,
    /// What is given to them everywhere; memberships are of projects.
    pub grants: Grants,
    /// Who they are at an identity provider.
    pub identity: Option<Identity>,
}

impl std::fmt::Debug for NewUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewUser")
            .field("name", &self.name)
            .field("grants", &self.grants)
            .finish_non_exhaustive()
    }
}

/// What to change; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    /// What they sign in with.
    pub name: Option<UserName>,
    /// What they may do by themselves.
    pub policies: Option<hostler_core::access::PolicySet>,
    /// Their roles.
    pub roles: Option<Vec<Name>>,
    /// Whether they may not sign in.
    pub disabled: Option<bool>,
}

/// What came of somebody whom an identity provider vouched for.
#[derive(Clone, Debug, PartialEq)]
pub enum SignInOutcome {
    /// They are this user, with what the provider says they have.
    User(UserRow),
    /// They are this user, and the last administrator: nothing was taken from them.
    LastAdmin(UserRow),
    /// Another user has their name.
    NameTaken,
    /// They may not sign in.
    Disabled,
    /// Nobody knows them, and nothing is given to them.
    Stranger,
}
