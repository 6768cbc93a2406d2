//! Why a node does not deploy (protocol 2.6), with the original's texts. What
//! follows the colon may be anything; what is before it is matched by tools.

use super::super::go_json::DecodeError;
use super::super::jwt::JwtError;
use super::super::xkey::OpenError;

/// A refusal; its text is the `error` of the reply. The number is that of the
/// check in protocol 2.6.
#[derive(Debug, thiserror::Error)]
pub enum DeployRefusal {
    /// 1: the subject names no namespace.
    #[error("Invalid subject for workload deployment")]
    Subject,
    /// 2: the node takes no new work.
    #[error("Node is in lame duck mode. Workload deploy request rejected")]
    LameDuck,
    /// 3: the payload is no deploy request.
    #[error("Unable to deserialize deploy request: {0}")]
    Unreadable(#[from] DecodeError),
    /// 4: the node does not run this type.
    #[error("Unsupported workload type on this node: {0}")]
    Type(String),
    /// 5: this type has no triggers.
    #[error("Unsupported workload type for trigger subject registration: {0}")]
    TriggersForType(String),
    /// 6: the environment does not open.
    #[error("Failed to decrypt environment for deploy request: {0}")]
    Environment(#[from] OpenError),
    /// 7: the token is no token, or its signature is wrong.
    #[error("Invalid deploy request: could not decode workload JWT: {0}")]
    Token(#[from] JwtError),
    /// 8: the token's subject is no name. The original demands lower-case
    /// letters; digits, upper case, `-` and `_` are good here as well.
    #[error(
        "Invalid deploy request: workload name claim ('{0}') does not match requirements of \
         1 to 63 letters, digits, '-' and '_'"
    )]
    Name(String),
    /// 9: the token has expired or is not valid yet.
    #[error("Invalid deploy request: standard claims within JWT are not valid")]
    StandardClaims,
    /// 10: the issuer is not on the node's list.
    #[error("invalid workload issuer: {0}")]
    Issuer(String),
    /// 10, for the requester: the sealing key is not on the node's list.
    #[error("Invalid deploy request: requester public key is not allowed: {0}")]
    Requester(String),
    /// 10, for the token: it was used on this node before.
    #[error("Invalid deploy request: workload JWT was used before; sign a new one")]
    Replayed,
    /// 11: the artifact cannot be had.
    #[error("Failed to cache workload bytes: {0}")]
    Artifact(String),
    /// 11, for a token with a SHA-256 in it: the artifact is another one.
    #[error("Failed to cache workload bytes: artifact hash {found} is not the claimed {claimed}")]
    ArtifactHash {
        /// What the token says.
        claimed: String,
        /// What the artifact has.
        found: String,
    },
    /// 12: no agent is ready.
    #[error(
        "Failed to deploy workload: failed to deploy workload: no available agent client in pool"
    )]
    NoAgent,
    /// 13: the agent that was chosen is not to be had.
    #[error(
        "Failed to deploy workload: failed to prepare agent process for workload deployment: {0}"
    )]
    AgentProcess(String),
    /// 14: the agent does not answer.
    #[error(
        "Failed to deploy workload: failed to submit request for workload deployment: \
         failed to submit request for workload deployment: {0}"
    )]
    AgentSilent(String),
    /// 15: the agent refuses.
    #[error("Failed to deploy workload: workload rejected by agent: {0}")]
    Agent(String),
    /// 16: a trigger subject cannot be subscribed.
    #[error("Failed to deploy workload: {0}")]
    Trigger(String),
    /// 17: the agent never shook hands.
    #[error("Could not deploy workload, agent pool did not initialize properly")]
    Pool,
}
