//! Images: the catalogue that VMs are made from.

use chrono::{DateTime, Utc};
use hostler_core::id::ImageId;
use serde::{Deserialize, Serialize};

/// `POST /images`: what is said of an uploaded disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImageCreate {
    /// Its name.
    pub name: String,
    /// Its version, unique among those of its name; `1` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its project; `default` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// SHA-256 of the uploaded file, in lower-case hex.
    pub digest: String,
    /// The machines it runs on; `x86_64` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arch: Option<String>,
    /// The user that can log in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_user: Option<String>,
    /// Such as `debian`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution: Option<String>,
    /// What the distribution is derived from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// Which build of its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// The file it came as, by which some call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Text for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// `POST /images/import`: the same, said by a metadata file of Distribox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImageImport {
    /// The text of the `.metadata.yaml`.
    pub metadata: String,
    /// SHA-256 of the uploaded file, in lower-case hex.
    pub digest: String,
    /// Its project; `default` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
}

/// An image, as `/images` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Image {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub id: ImageId,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its project.
    pub project: String,
    /// SHA-256 of its file.
    pub digest: String,
    /// `qcow2` or `raw`.
    pub format: String,
    /// The size of its file.
    pub bytes: u64,
    /// The size of the disk in it.
    pub virtual_size: u64,
    /// The machines it runs on.
    pub arch: String,
    /// The user that can log in.
    pub default_user: Option<String>,
    /// Such as `debian`.
    pub distribution: Option<String>,
    /// What the distribution is derived from.
    pub family: Option<String>,
    /// Which build of its version.
    pub revision: Option<u64>,
    /// The file it came as; the original's users read it as `image`.
    pub image: Option<String>,
    /// Text for people.
    pub description: String,
    /// When it was registered.
    pub created_at: DateTime<Utc>,
}

/// Filters of `GET /images`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
pub struct ImageQuery {
    /// Only this project's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Only those of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}
