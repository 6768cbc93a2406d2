//! `/projects`: their quotas, what they have, and who is a member in which
//! role. Who may do nothing in a project finds none of that name.

mod change;
mod members;
mod show;

pub(crate) use change::*;
pub(crate) use members::*;
pub(crate) use show::*;

use hostler_core::Name;
use hostler_store::{ProjectRow, QuotaExceeded, StoreError};

use super::auth::User;
use super::error::{ApiError, ApiResult, Code};
use crate::state::App;

/// The project of this name, as far as it is the caller's to know.
async fn find(app: &App, user: &User, name: &str) -> ApiResult<ProjectRow> {
    let absent = || ApiError::not_found("project", name);
    let name: Name = name.parse().map_err(|_| absent())?;
    user.reaches(&name, "project", &name)?;
    let row = app.store.project_get(&name).await;
    row.map_err(|error| failed(&error))?.ok_or_else(absent)
}

fn failed(error: &StoreError) -> ApiError {
    ApiError::internal("looking after projects", error)
}

/// What a refusal for a quota answers, whatever was asked for.
pub(super) fn quota_exceeded(excess: &QuotaExceeded) -> ApiError {
    let project = &excess.project;
    ApiError::new(Code::Conflict, excess.to_string()).hint(format!(
        "GET /projects/{project} shows what it may have and what it has"
    ))
}
