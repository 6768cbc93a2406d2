//! What happened: history, and live as server-sent events of the same shape.

use chrono::{DateTime, Utc};
use hostler_core::id::EventId;
use serde::{Deserialize, Serialize};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ActivityEntry {
    /// Its id; also the `id:` of the server-sent event, to continue after.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub id: EventId,
    /// When.
    pub at: DateTime<Utc>,
    /// What, such as `workload.seated` or `node.offline`.
    pub kind: String,
    /// Who did it: a token's name, a node's name, or `hostler`.
    pub actor: String,
    /// The project concerned; absent for the fleet's own affairs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The id of what it happened to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// In words.
    pub text: String,
    /// Particulars, by kind.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub data: serde_json::Value,
}

/// Filters and paging of `GET /activity` and `GET /activity/live`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
pub struct ActivityQuery {
    /// Only what concerns this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// At most so many; 100 if absent, 1000 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Only what came after this id, oldest first; absent: the latest ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}
