//! Everything a node needs to run its inner `nats-server` with one credential
//! per agent: operator and account keys, the lines of the server's
//! configuration, and users that may speak only of their own slot.
//!
//! The two seeds are all there is to keep; tokens are made from them again.

use std::time::Duration;

use chrono::{DateTime, Utc};
use nkeys::KeyPair;

use super::jwt::{
    AccountClaims, JwtError, OperatorClaims, Responses, UserClaims, UserPermissions, creds_file,
};
use super::nkey::{KeyError, signing_key};
use crate::agent::subject;

/// The keys by which a node rules its inner server. Both seeds are secrets.
#[derive(Clone, Debug)]
pub struct Authority {
    operator: KeyPair,
    account: KeyPair,
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Authority {
    /// New keys, from the system's randomness.
    pub fn new() -> Self {
        Self {
            operator: KeyPair::new_operator(),
            account: KeyPair::new_account(),
        }
    }

    /// The keys of seeds that were kept.
    pub fn from_seeds(operator: &str, account: &str) -> Result<Self, KeyError> {
        Ok(Self {
            operator: signing_key(operator)?,
            account: signing_key(account)?,
        })
    }

    /// The operator's and the account's seed, to be kept.
    pub fn seeds(&self) -> Result<(String, String), nkeys::error::Error> {
        Ok((self.operator.seed()?, self.account.seed()?))
    }

    /// The lines of the server's configuration that make it ask for tokens of
    /// this authority. They hold no secret.
    pub fn server_config(&self, now: DateTime<Utc>) -> Result<String, JwtError> {
        let operator = OperatorClaims {
            name: "hostler".to_owned(),
            system_account: None,
        };
        let account = AccountClaims {
            name: "agents".to_owned(),
            account: self.account.public_key(),
        };
        Ok(format!(
            "operator: {}\nresolver: MEMORY\nresolver_preload: {{\n  {}: {}\n}}\n",
            operator.sign(&self.operator, now)?,
            account.account,
            account.sign(&self.operator, now)?,
        ))
    }

    /// Credentials of an agent: it hears and says only what concerns its slot,
    /// and may answer requests for an hour.
    pub fn agent_creds(&self, slot: &str, now: DateTime<Utc>) -> Result<String, JwtError> {
        let own = vec![subject::slot_all(slot), subject::inbox_all(slot)];
        let permissions = UserPermissions {
            publish: own.clone(),
            subscribe: own,
            responses: Some(Responses {
                max: 1,
                ttl: Duration::from_hours(1),
            }),
        };
        self.creds(slot, permissions, now)
    }

    /// Credentials of the node itself, without limits.
    pub fn node_creds(&self, now: DateTime<Utc>) -> Result<String, JwtError> {
        self.creds("node", UserPermissions::default(), now)
    }

    fn creds(
        &self,
        name: &str,
        permissions: UserPermissions,
        now: DateTime<Utc>,
    ) -> Result<String, JwtError> {
        let user = KeyPair::new_user();
        let claims = UserClaims {
            name: name.to_owned(),
            user: user.public_key(),
            permissions,
            expires: 0,
        };
        Ok(creds_file(&claims.sign(&self.account, now)?, &user.seed()?))
    }
}
