//! The one error envelope of every route.

use serde::{Deserialize, Serialize};

/// What every failed request answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorBody {
    /// What went wrong, for people.
    pub error: String,
    /// What went wrong, for programs: a fixed word such as `not_found`.
    pub code: String,
    /// What to do about it, where something can be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The policy the caller lacks, with status 403.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_policy: Option<String>,
}
