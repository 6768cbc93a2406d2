//! The sending half of a deployment: sign, seal, and the request is made.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use nkeys::{KeyPair, XKey};

use super::super::jwt::{Claims, JwtError};
use super::super::xkey::{self, SealError};
use super::{DeployRequest, Location};

/// What somebody wants deployed, in clear.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewDeploy {
    /// Its name.
    pub name: String,
    /// `elf`, `wasm`.
    pub r#type: String,
    /// Text for people.
    pub description: String,
    /// Where the artifact is.
    pub location: Location,
    /// SHA-256 of the artifact in lower-case hex; may be empty.
    pub hash: String,
    /// Its environment.
    pub environment: BTreeMap<String, String>,
    /// Arguments after the program's name.
    pub argv: Vec<String>,
    /// Start it again when it fails.
    pub essential: bool,
    /// Subjects that trigger it.
    pub trigger_subjects: Vec<String>,
    /// The JetStream domain of the artifact's bucket; empty for the default.
    pub jsdomain: String,
}

/// Why a request could not be made.
#[derive(Debug, thiserror::Error)]
pub enum NewDeployError {
    /// The name and hash could not be signed.
    #[error("cannot sign the workload's claims: {0}")]
    Sign(#[source] JwtError),
    /// The environment could not be sealed.
    #[error("cannot seal the workload's environment: {0}")]
    Seal(#[source] SealError),
}

impl NewDeploy {
    /// The request: claims signed by `issuer` at `now`, environment sealed by
    /// `sender` for the node with curve key `node_xkey`.
    pub fn request(
        self,
        issuer: &KeyPair,
        sender: &XKey,
        (target_node, node_xkey): (&str, &str),
        now: DateTime<Utc>,
    ) -> Result<DeployRequest, NewDeployError> {
        let workload_jwt = Claims::workload(&self.name, Some(&self.hash))
            .sign(issuer, now)
            .map_err(NewDeployError::Sign)?;
        let environment = xkey::seal_environment(&self.environment, sender, node_xkey)
            .map_err(NewDeployError::Seal)?;
        Ok(DeployRequest {
            argv: self.argv,
            description: self.description,
            r#type: self.r#type,
            location: self.location,
            essential: self.essential,
            workload_jwt,
            environment,
            jsdomain: self.jsdomain,
            sender_public_key: sender.public_key(),
            target_node: target_node.to_owned(),
            trigger_subjects: self.trigger_subjects,
            retry_count: None,
            retried_at: None,
        })
    }
}
