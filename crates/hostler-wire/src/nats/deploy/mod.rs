//! DEPLOY (protocol 1.6, 2): the request, the reply, and every refusal.
//!
//! Name and hash travel inside the signed token, the namespace in the subject;
//! the environment is sealed for one node. The order of the checks is the
//! node's; each check that needs only the request is here.

mod location;
mod new;
mod refusal;

pub use location::Location;
pub use new::NewDeploy;
pub use refusal::DeployRefusal;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use hostler_core::Name;
use nkeys::XKey;
use serde::{Deserialize, Serialize};

use super::go_json::{self, Message};
use super::jwt::Claims;
use super::xkey;

/// Request on `$NEX.DEPLOY.{ns}.{node}`. A payload without `type`, `location`,
/// `workload_jwt`, `environment` or `sender_public_key` does not decode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawDeployRequest")]
pub struct DeployRequest {
    /// Arguments after the program's name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub argv: Vec<String>,
    /// Text for people. Always written: the original cannot do without.
    pub description: String,
    /// `elf`, `wasm`, or what else the node's configuration names.
    pub r#type: String,
    /// Where the artifact is.
    pub location: Location,
    /// Start it again when it fails.
    pub essential: bool,
    /// The signed claims: name, hash, issuer.
    pub workload_jwt: String,
    /// The sealed environment, in base64.
    pub environment: String,
    /// The JetStream domain of the artifact's bucket; empty for the default.
    pub jsdomain: String,
    /// The curve key that sealed the environment.
    pub sender_public_key: String,
    /// The node meant; not checked by it.
    pub target_node: String,
    /// Subjects that trigger it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trigger_subjects: Vec<String>,
    /// How often a node has sent it to itself again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_count: Option<u64>,
    /// When it last did.
    #[serde(
        skip_serializing_if = "Option::is_none",
        with = "go_json::time::option"
    )]
    pub retried_at: Option<DateTime<Utc>>,
}

impl Message for DeployRequest {}

/// A request as it comes, before anything is demanded of it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct RawDeployRequest {
    argv: Vec<String>,
    description: String,
    r#type: Option<String>,
    location: Option<Location>,
    essential: bool,
    workload_jwt: Option<String>,
    environment: Option<String>,
    jsdomain: String,
    sender_public_key: Option<String>,
    target_node: String,
    trigger_subjects: Vec<String>,
    retry_count: Option<u64>,
    retried_at: Option<DateTime<Utc>>,
}

/// A member that a deploy request must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is required")]
struct MissingMember(&'static str);

impl TryFrom<RawDeployRequest> for DeployRequest {
    type Error = MissingMember;

    fn try_from(raw: RawDeployRequest) -> Result<Self, MissingMember> {
        let missing = |member| move || MissingMember(member);
        Ok(Self {
            argv: raw.argv,
            description: raw.description,
            r#type: raw.r#type.ok_or_else(missing("type"))?,
            location: raw.location.ok_or_else(missing("location"))?,
            essential: raw.essential,
            workload_jwt: raw.workload_jwt.ok_or_else(missing("workload_jwt"))?,
            environment: raw.environment.ok_or_else(missing("environment"))?,
            jsdomain: raw.jsdomain,
            sender_public_key: raw
                .sender_public_key
                .ok_or_else(missing("sender_public_key"))?,
            target_node: raw.target_node,
            trigger_subjects: raw.trigger_subjects,
            retry_count: raw.retry_count,
            retried_at: raw.retried_at,
        })
    }
}

impl DeployRequest {
    /// The request in this payload, or refusal 3.
    pub fn read(payload: &[u8]) -> Result<Self, DeployRefusal> {
        Ok(Self::decode(payload)?)
    }

    /// Check 6: the environment, opened with the node's curve key.
    pub fn open_environment(&self, node: &XKey) -> Result<BTreeMap<String, String>, DeployRefusal> {
        Ok(xkey::open_environment(
            &self.environment,
            node,
            &self.sender_public_key,
        )?)
    }

    /// Check 7: the claims, if token and signature are good.
    pub fn claims(&self) -> Result<Claims, DeployRefusal> {
        Ok(Claims::decode(&self.workload_jwt)?)
    }

    /// Checks 8 and 9 on claims that were decoded: the name, and whether the
    /// token is valid at `now`.
    pub fn name_in(claims: &Claims, now: DateTime<Utc>) -> Result<Name, DeployRefusal> {
        let name = claims
            .sub
            .parse()
            .map_err(|_| DeployRefusal::Name(claims.sub.clone()))?;
        claims
            .valid_at(now)
            .map_err(|_| DeployRefusal::StandardClaims)?;
        Ok(name)
    }
}

/// Answer to a deployment that was accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeployReply {
    /// Always true.
    pub started: bool,
    /// The workload's id, to stop it by.
    pub id: String,
    /// Who deployed it.
    pub issuer: String,
    /// Its name.
    pub name: String,
}

impl Message for DeployReply {}
