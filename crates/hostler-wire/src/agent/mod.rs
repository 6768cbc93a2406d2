//! What a node and the agent in one of its slots say to each other over the
//! inner NATS (protocol 6.2, 6.3), and what we add to it.
//!
//! An agent handles one workload in its life: handshake, deploy, perhaps
//! triggers, undeploy. Additions are optional members, further subjects and a
//! header, so that an agent or node of the original finds nothing it minds.

mod artifact;
mod deploy;
mod guest;
mod handshake;
mod lease;
mod log;
mod metadata;
pub mod services;
mod state;
pub mod subject;
mod trigger;

pub use artifact::{ARTIFACT_CHUNK, ArtifactRequest};
pub use deploy::{AgentDeployRequest, AgentLimits, AgentRefusal, DeployResponse, UndeployRequest};
pub use guest::{GUEST_ADDRESS, GUEST_FILE, GuestMetadata};
pub use handshake::{HandshakeReply, HandshakeRequest};
pub use lease::{AgentLease, AgentLeaseReply};
pub use log::{AgentLevel, LogEntry, SOURCE_AGENT};
pub use metadata::{AgentMetadata, MetadataError};
pub use metadata::{ENV_CREDS, ENV_HOST, ENV_PORT, ENV_SANDBOX, ENV_SLOT};
pub use state::{AgentPhase, AgentState};
pub use trigger::{ERROR_HEADER, RUNTIME_HEADER, TRACE_HEADER, TRIGGER_SUBJECT_HEADER};

pub use crate::nats::event::{CloudEvent, EventData, WorkloadStarted, WorkloadStopped};
pub use crate::nats::go_json::{DecodeError, Message};
