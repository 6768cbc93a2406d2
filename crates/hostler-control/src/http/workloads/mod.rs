//! `/workloads`: what people want run. A handler writes what is wanted and
//! wakes the passes; it never calls a node and never waits for one.

mod change;
mod create;
mod explain;
mod list;
mod logs;
mod show;

pub(crate) use change::*;
pub(crate) use create::*;
pub(crate) use explain::*;
pub(crate) use list::*;
pub(crate) use logs::*;

use hostler_core::id::WorkloadId;
use hostler_store::{StoreError, WorkloadRow};
use hostler_wire::convert::Mistakes;

use super::auth::User;
use super::error::{ApiError, ApiResult, Code};
use crate::state::App;

/// The row of a workload that must exist for this user.
async fn find(app: &App, user: &User, id: WorkloadId) -> ApiResult<WorkloadRow> {
    let row = app
        .store
        .workload_get(id)
        .await
        .map_err(|error| failed(&error))?;
    let row = row.ok_or_else(|| ApiError::not_found("workload", id))?;
    user.reaches(&row.spec.project, "workload", id)?;
    Ok(row)
}

fn failed(error: &StoreError) -> ApiError {
    ApiError::internal("looking at workloads", error)
}

fn invalid(mistakes: &Mistakes) -> ApiError {
    ApiError::new(Code::Invalid, mistakes.to_string()).hint(mistakes.hint())
}
