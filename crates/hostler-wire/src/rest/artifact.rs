//! Artifacts: executables and modules, known by their digest.

use chrono::{DateTime, Utc};
use hostler_core::artifact::ArtifactKind;
use serde::{Deserialize, Serialize};

/// An uploaded artifact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Artifact {
    /// SHA-256 of its bytes, in lower-case hex.
    pub digest: String,
    /// What it was recognised as.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub kind: ArtifactKind,
    /// Its size in bytes.
    pub size: u64,
    /// The project that uploaded it first.
    pub project: String,
    /// When it was uploaded first.
    pub created_at: DateTime<Utc>,
}
