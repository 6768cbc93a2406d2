//! How an agent learns which slot it is and where its node's NATS is: from the
//! environment as a plain process, from a metadata service as a machine.

use serde::{Deserialize, Serialize};

use crate::nats::go_json::Message;

/// `false` outside a machine of its own; anything else means inside one.
pub const ENV_SANDBOX: &str = "NEX_SANDBOX";
/// The slot.
pub const ENV_SLOT: &str = "NEX_WORKLOADID";
/// The host of the inner NATS.
pub const ENV_HOST: &str = "NEX_NODE_NATS_HOST";
/// The port of the inner NATS.
pub const ENV_PORT: &str = "NEX_NODE_NATS_PORT";
/// The path of the agent's credentials file (ours).
pub const ENV_CREDS: &str = "HOSTLER_AGENT_CREDS";

/// What an agent must know at its start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentMetadata {
    /// The slot.
    #[serde(rename = "vmid")]
    pub slot: String,
    /// The host of the inner NATS.
    #[serde(rename = "node_nats_host")]
    pub host: String,
    /// The port of the inner NATS.
    #[serde(rename = "node_nats_port")]
    pub port: u16,
    /// Free text.
    pub message: String,
    /// The path of a credentials file (ours).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creds: Option<String>,
}

impl Message for AgentMetadata {}

/// Why the environment does not say what it should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// A variable is missing.
    #[error("{0} is not set")]
    Missing(&'static str),
    /// The port is none.
    #[error("{ENV_PORT} is '{0}', not a port")]
    Port(String),
}

impl AgentMetadata {
    /// Whether the environment says that the agent is a plain process.
    pub fn is_unsandboxed(variable: impl Fn(&str) -> Option<String>) -> bool {
        variable(ENV_SANDBOX).is_some_and(|value| value.eq_ignore_ascii_case("false"))
    }

    /// What the environment says, given a way to look a variable up.
    pub fn from_env(variable: impl Fn(&str) -> Option<String>) -> Result<Self, MetadataError> {
        let get = |name| variable(name).ok_or(MetadataError::Missing(name));
        let port = get(ENV_PORT)?;
        Ok(Self {
            slot: get(ENV_SLOT)?,
            host: get(ENV_HOST)?,
            port: port.parse().map_err(|_| MetadataError::Port(port))?,
            message: "Metadata obtained from no-sandbox environment".to_owned(),
            creds: variable(ENV_CREDS),
        })
    }

    /// The variables that say this to a plain process.
    pub fn to_env(&self) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            (ENV_SANDBOX, "false".to_owned()),
            (ENV_SLOT, self.slot.clone()),
            (ENV_HOST, self.host.clone()),
            (ENV_PORT, self.port.to_string()),
        ];
        variables.extend(self.creds.clone().map(|path| (ENV_CREDS, path)));
        variables
    }

    /// The URL of the inner NATS.
    pub fn url(&self) -> String {
        format!("nats://{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<AgentMetadata, MetadataError> {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
        AgentMetadata::from_env(|name| find(name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn metadata_reads_back_from_the_environment_it_makes() {
        let made = AgentMetadata {
            slot: "coj2v3d2omt3lq0a1b2g".to_owned(),
            host: "127.0.0.1".to_owned(),
            port: 4222,
            message: "Metadata obtained from no-sandbox environment".to_owned(),
            creds: Some("/run/agent.creds".to_owned()),
        };
        let variables = made.to_env();
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
        let look = |name: &str| find(name).map(|(_, value)| value.clone());
        assert!(AgentMetadata::is_unsandboxed(look));
        assert_eq!(AgentMetadata::from_env(look), Ok(made));
    }

    #[test]
    fn a_missing_or_bad_variable_is_named() {
        let host = (ENV_HOST, "127.0.0.1");
        let error = read(&[host, (ENV_PORT, "4222")]);
        assert_eq!(error, Err(MetadataError::Missing(ENV_SLOT)));
        let error = read(&[host, (ENV_SLOT, "s"), (ENV_PORT, "70000")]);
        assert_eq!(error, Err(MetadataError::Port("70000".to_owned())));
        assert!(!AgentMetadata::is_unsandboxed(|_| None));
    }
}
