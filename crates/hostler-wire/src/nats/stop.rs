//! STOP (protocol 1.7). Only the issuer of the deployment may stop it, and
//! says so with a new token.
//!
//! A workload in another namespace must look like no workload at all, so
//! check the namespace before the token.

use serde::{Deserialize, Serialize};

use super::go_json::{DecodeError, Message};
use super::jwt::{Claims, JwtError};

/// Request on `$NEX.STOP.{ns}.{node}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StopRequest {
    /// The workload's id.
    pub workload_id: String,
    /// A token of the deployment's issuer, with the workload's name as subject.
    pub workload_jwt: String,
    /// The node meant; not checked by it.
    pub target_node: String,
}

impl Message for StopRequest {}

/// Answer to a stop that was done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StopReply {
    /// Always true.
    pub stopped: bool,
    /// The workload's id.
    pub id: String,
    /// Who had deployed it.
    pub issuer: String,
    /// Its name.
    pub name: String,
}

impl Message for StopReply {}

/// Why a stop is refused, with the original's texts.
#[derive(Debug, thiserror::Error)]
pub enum StopRefusal {
    /// 1: the payload is no stop request.
    #[error("Unable to deserialize stop request: {0}")]
    Unreadable(#[from] DecodeError),
    /// 2 and 7: no such workload here, or not in this namespace.
    #[error("No such workload")]
    NoSuchWorkload,
    /// 3: the token is no token, or its signature is wrong.
    #[error("Invalid stop request: could not decode workload JWT: {0}")]
    Token(#[from] JwtError),
    /// 4: the token is that of the deployment.
    #[error("Invalid stop request: stop claims appear to be cloned from the deployment's")]
    ClonedClaims,
    /// 5: the token names another workload.
    #[error(
        "Invalid stop request: stop claims subject does not match the deployed workload's name"
    )]
    OtherSubject,
    /// 6: the token is of another issuer.
    #[error(
        "Invalid stop request: the only entity allowed to terminate a workload is the issuer \
         that deployed it"
    )]
    OtherIssuer,
    /// 8: stopping did not work.
    #[error("Failed to stop workload: {0}")]
    Failed(String),
}

/// Whether claims allow to stop what was deployed with others: checks 4, 5
/// and 6, in this order.
///
/// The original refuses any token made in the same second as the deployment's,
/// because both then carry one `iat` and one `jti`. Such a token is accepted
/// here if it says something else; only who holds the issuer's key can make it.
pub fn stop_allowed(deployed: &Claims, stop: &Claims) -> Result<(), StopRefusal> {
    let same_second_other_words = stop.iat == deployed.iat && stop.nats != deployed.nats;
    if stop.jti == deployed.jti && !same_second_other_words {
        Err(StopRefusal::ClonedClaims)
    } else if stop.sub != deployed.sub {
        Err(StopRefusal::OtherSubject)
    } else if stop.iss != deployed.iss {
        Err(StopRefusal::OtherIssuer)
    } else {
        Ok(())
    }
}
