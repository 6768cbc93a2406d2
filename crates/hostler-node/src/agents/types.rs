//! What an agent is asked, and how it can fail to do it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use hostler_wire::agent::AgentDeployRequest;

use super::LinkError;
use crate::fence::Word;
use crate::hypervisor::LimitError;

/// What a slot is to run.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// What the agent is told.
    pub request: AgentDeployRequest,
    /// Where the artifact's bytes are; must stay there until the deploy ends.
    pub artifact: PathBuf,
    /// The artifact's SHA-256 in lower-case hex, the one the agent asks for.
    pub digest: String,
    /// When it must have ended, if a lease binds it.
    pub lease: Option<Word>,
}

/// A message for a function.
#[derive(Clone, Debug)]
pub struct Trigger {
    /// The subject the message came on.
    pub subject: String,
    /// The message.
    pub payload: Bytes,
    /// The trace it belongs to, as a W3C `traceparent`.
    pub traceparent: Option<String>,
}

/// A function's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriggerReply {
    /// What it answered.
    pub payload: Bytes,
    /// How long it ran, by its agent's measure.
    pub runtime: Duration,
}

/// Nothing was deployed, or it is not known.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// No claimed slot has this id.
    #[error("there is no claimed slot of this id")]
    NoSlot,
    /// The artifact could not be opened.
    #[error("could not open the artifact {path}")]
    Artifact {
        /// Where it should be.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The agent refused; the text is the agent's (protocol, 2.6).
    #[error("workload rejected by agent: {0}")]
    Rejected(String),
    /// It runs, and could not be limited.
    #[error("could not limit the slot's resources")]
    Limits(#[from] LimitError),
    /// The agent could not be asked or did not answer; whether it runs the
    /// workload is not known.
    #[error("failed to submit request for workload deployment")]
    Link(#[from] LinkError),
}

/// A function gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum TriggerError {
    /// The function failed; the text is the agent's.
    #[error("the function failed: {0}")]
    Failed(String),
    /// The agent could not be asked or did not answer. With
    /// [`LinkError::NoAgent`] the function has not run.
    #[error("could not pass the message to the function")]
    Link(#[from] LinkError),
}
