//! Artifacts: what is known of uploaded bytes. The bytes are files of the
//! control plane, named by digest; only their description is here. Several
//! projects may hold the same bytes, and none sees that another does.

mod delete;
mod list;
pub(crate) mod row;

use hostler_core::artifact::ArtifactKind;
use hostler_core::{Name, Timestamp};

/// An artifact, as one project sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArtifactRow {
    /// SHA-256 of its bytes, in lower-case hex.
    pub digest: String,
    /// What it was recognised as.
    pub kind: ArtifactKind,
    /// Its size in bytes.
    pub size: u64,
    /// The project that holds it.
    pub project: Name,
    /// When that project uploaded it first.
    pub created_at: Timestamp,
}

/// An artifact whose bytes have been received and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewArtifact {
    /// SHA-256 of its bytes, in lower-case hex.
    pub digest: String,
    /// What it was recognised as.
    pub kind: ArtifactKind,
    /// Its size in bytes.
    pub size: u64,
    /// The project that uploads it.
    pub project: Name,
}

/// What came of deleting an artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArtifactDeleted {
    /// The project holds it no more; other projects still do.
    Shared,
    /// Nobody holds it any more: its bytes may go.
    Last,
    /// Workloads or images of the project use it; nothing was changed.
    InUse {
        /// How many workloads.
        workloads: u64,
        /// How many images.
        images: u64,
    },
    /// The project holds no such artifact.
    Unknown,
}
