//! Operations: long, durable, cancellable changes.

use chrono::{DateTime, Utc};
use hostler_core::id::OperationId;
use serde::{Deserialize, Serialize};

pub use hostler_core::operation::OperationState;

/// An operation and how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Operation {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub id: OperationId,
    /// What it does: `node.drain`, `node.remove`.
    pub kind: String,
    /// The id of what it is done to.
    pub subject: String,
    /// `waiting`, `running`, `done`, `undone`, `stuck`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub state: OperationState,
    /// The steps done so far, in order.
    pub steps_done: Vec<String>,
    /// The step it is at, in words with numbers, such as `2 of 5 workloads moved`.
    pub progress: String,
    /// Why it is stuck.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// Whether somebody asked to call it off.
    pub cancel_asked: bool,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
}

/// `POST /slaves/{id}/drain`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DrainRequest {
    /// Seconds after which the drain is stuck; ten minutes if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_s: Option<u64>,
}
