//! `/artifacts`: executables, modules and disks by digest. Each project has its own
//! list, also of bytes that others hold too.

mod look;
mod range;
mod upload;

pub(crate) use look::*;
pub(crate) use upload::*;

use hostler_core::Name;
use hostler_store::ArtifactRow;
use hostler_wire::rest;
use serde::Deserialize;

use super::auth::User;
use super::error::{ApiError, ApiResult, Code};
use crate::artifacts::Digest;
use hostler_wire::convert::datetime;

/// Which project's artifacts are meant.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProjectQuery {
    /// The project; the token's own, or `default`, if absent.
    #[param(value_type = Option<String>)]
    project: Option<Name>,
}

impl ProjectQuery {
    fn project(self, user: &User) -> ApiResult<Name> {
        user.project_for(self.project)
    }
}

fn digest(text: &str) -> ApiResult<Digest> {
    text.parse()
        .map_err(|error: crate::artifacts::DigestError| {
            ApiError::new(Code::BadRequest, error.to_string())
        })
}

fn show(row: ArtifactRow) -> rest::Artifact {
    rest::Artifact {
        digest: row.digest,
        kind: row.kind,
        size: row.size,
        project: row.project.to_string(),
        created_at: datetime(row.created_at),
    }
}
