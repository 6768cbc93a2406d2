//! Tokens that a `nats-server` in operator mode asks for: the operator's own,
//! an account's, and one per user with what it may publish and subscribe.
//!
//! The operator's key signs accounts, the account's key signs users. A user
//! needs no change on the server: it is known by its token alone.

use std::time::Duration;

use chrono::{DateTime, Utc};
use nkeys::KeyPair;
use serde_json::{Map, Value, json};

use super::{Claims, JwtError};

/// The operator, who vouches for accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorClaims {
    /// A name for people.
    pub name: String,
    /// The public key of the account for the server's own affairs.
    pub system_account: Option<String>,
}

impl OperatorClaims {
    /// The token of `operator` about itself.
    pub fn sign(&self, operator: &KeyPair, now: DateTime<Utc>) -> Result<String, JwtError> {
        let mut nats = typed("operator");
        if let Some(account) = &self.system_account {
            nats.insert("system_account".to_owned(), account.as_str().into());
        }
        claims(&self.name, &operator.public_key(), nats).sign(operator, now)
    }
}

/// An account: a set of users who hear each other. It has no limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountClaims {
    /// A name for people.
    pub name: String,
    /// Its public key.
    pub account: String,
}

impl AccountClaims {
    /// The token by which `operator` vouches for the account.
    pub fn sign(&self, operator: &KeyPair, now: DateTime<Utc>) -> Result<String, JwtError> {
        let mut nats = typed("account");
        nats.insert(
            "limits".to_owned(),
            json!({
                "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1,
                "wildcards": true, "conn": -1, "leaf": -1,
            }),
        );
        let nothing = json!({"pub": {}, "sub": {}});
        nats.insert("default_permissions".to_owned(), nothing);
        claims(&self.name, &self.account, nats).sign(operator, now)
    }
}

/// How a user may answer requests on subjects it may not publish on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Responses {
    /// Messages per request.
    pub max: i32,
    /// For how long after the request.
    pub ttl: Duration,
}

/// What a user may do. An empty list allows *everything*, as on the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserPermissions {
    /// Subjects it may publish on.
    pub publish: Vec<String>,
    /// Subjects it may subscribe.
    pub subscribe: Vec<String>,
    /// Whether it may answer whom it hears.
    pub responses: Option<Responses>,
}

/// A user of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserClaims {
    /// A name for people.
    pub name: String,
    /// Its public key.
    pub user: String,
    /// What it may do.
    pub permissions: UserPermissions,
    /// Until when, in Unix seconds; zero: for ever.
    pub expires: i64,
}

impl UserClaims {
    /// The token by which `account` admits the user.
    pub fn sign(&self, account: &KeyPair, now: DateTime<Utc>) -> Result<String, JwtError> {
        let mut nats = typed("user");
        let unlimited = ["subs", "data", "payload"];
        nats.extend(unlimited.map(|limit| (limit.to_owned(), json!(-1))));
        nats.insert("pub".to_owned(), allow(&self.permissions.publish));
        nats.insert("sub".to_owned(), allow(&self.permissions.subscribe));
        if let Some(Responses { max, ttl }) = self.permissions.responses {
            let ttl = i64::try_from(ttl.as_nanos()).unwrap_or(i64::MAX);
            nats.insert("resp".to_owned(), json!({"max": max, "ttl": ttl}));
        }
        let mut claims = claims(&self.name, &self.user, nats);
        claims.exp = self.expires;
        claims.sign(account, now)
    }
}

fn typed(kind: &str) -> Map<String, Value> {
    Map::from_iter([("type".to_owned(), kind.into())])
}

fn claims(name: &str, sub: &str, nats: Map<String, Value>) -> Claims {
    Claims {
        name: name.to_owned(),
        sub: sub.to_owned(),
        nats,
        ..Claims::default()
    }
}

fn allow(subjects: &[String]) -> Value {
    if subjects.is_empty() {
        json!({})
    } else {
        json!({ "allow": subjects })
    }
}

/// The text of a credentials file: a user's token and seed. It is a secret.
pub fn creds_file(user_jwt: &str, user_seed: &str) -> String {
    format!(
        "-----BEGIN NATS USER JWT-----\n{user_jwt}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{user_seed}\n------END USER NKEY SEED------\n"
    )
}
