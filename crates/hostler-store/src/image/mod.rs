//! Images: a catalogue over uploaded artifacts. A row says what a file is for;
//! the file is an artifact of the same project, known by digest. Neither is
//! changed: another version is another row.

mod catalogue;
pub(crate) mod row;

use hostler_core::id::ImageId;
use hostler_core::{Bytes, Name, Timestamp};
use serde::{Deserialize, Serialize};

use crate::StoreError;

/// What an image is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageSpec {
    /// Its project.
    pub project: Name,
    /// Its name.
    pub name: Name,
    /// Its version, unique among those of its name.
    pub version: String,
    /// SHA-256 of its file, in lower-case hex.
    pub digest: String,
    /// `qcow2` or `raw`.
    pub format: String,
    /// The size of its file.
    pub bytes: u64,
    /// The size of the disk in it.
    pub virtual_size: Bytes,
    /// What else is said of it.
    pub about: ImageAbout,
}

/// What is said of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageAbout {
    /// The machines it runs on, such as `x86_64`.
    pub arch: String,
    /// The user that can log in.
    pub default_user: Option<String>,
    /// Such as `debian`.
    pub distribution: Option<String>,
    /// Such as `debian` of what is derived from it.
    pub family: Option<String>,
    /// Which build of its version.
    pub revision: Option<u64>,
    /// The file it came as, by which some call it.
    pub file: Option<String>,
    /// Text for people.
    pub description: String,
}

/// An image, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageRow {
    /// Its id.
    pub id: ImageId,
    /// What it is.
    pub spec: ImageSpec,
    /// When it was registered.
    pub created_at: Timestamp,
}

/// Why an image was not registered.
#[derive(Debug, thiserror::Error)]
pub enum ImageInsertError {
    /// There is another image of this name and version.
    #[error("the project '{project}' has an image {name}:{version} already, of other content")]
    Taken {
        /// The project.
        project: Name,
        /// The name.
        name: Name,
        /// The version.
        version: String,
    },
    /// The project holds no such artifact.
    #[error("the project '{project}' has no artifact {digest}")]
    ArtifactUnknown {
        /// The project.
        project: Name,
        /// The digest asked for.
        digest: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What came of deleting an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageDeleted {
    /// It is out of the catalogue.
    Deleted,
    /// VMs were made from it and need it; nothing was changed.
    InUse {
        /// How many.
        vms: u64,
    },
    /// There is none.
    Unknown,
}
