//! `/vms`: the machines that people own. A handler writes what is wanted and
//! wakes the passes. Every change is made on the row that was looked at; when
//! that has changed meanwhile, it is looked at again.

mod adopted;
mod change;
mod console;
mod create;
mod delete;
mod duplicate;
mod explain;
mod list;
mod shares;
mod show;
mod snapshots;
mod unclaimed;
mod update;

pub(crate) use change::*;
pub(crate) use console::*;
pub(crate) use create::*;
pub(crate) use delete::*;
pub(crate) use duplicate::*;
pub(crate) use explain::*;
pub(crate) use list::*;
pub(crate) use shares::*;
pub(crate) use snapshots::*;
pub(crate) use unclaimed::*;
pub(crate) use update::*;

use axum::http::StatusCode;
use hostler_core::id::VmId;
use hostler_core::vm::VmGoal;
use hostler_store::{StoreError, VmChange, VmChanged, VmRow};
use hostler_wire::convert::Mistakes;
use hostler_wire::rest;

use super::auth::User;
use super::error::{ApiError, ApiResult, Code};
use super::projects::quota_exceeded;
use crate::passes::limits_of;
use crate::state::App;
use show::Seats;

/// What a change answers.
pub(crate) type Changed = (StatusCode, axum::Json<rest::Vm>);

/// How often a row is looked at again that changed while it was decided on.
const LOOKS: usize = 16;

/// The row of a VM that must exist for this user.
async fn find(app: &App, user: &User, id: VmId) -> ApiResult<VmRow> {
    let row = app.store.vm_get(id).await.map_err(|error| failed(&error))?;
    let row = row.ok_or_else(|| ApiError::not_found("vm", id))?;
    user.reaches(&row.spec.project, "vm", id)?;
    Ok(row)
}

fn failed(error: &StoreError) -> ApiError {
    ApiError::internal("looking at VMs", error)
}

fn invalid(mistakes: &Mistakes) -> ApiError {
    ApiError::new(Code::Invalid, mistakes.to_string()).hint(mistakes.hint())
}

/// Makes the change that `decide` makes of the VM as it is; nothing, if there
/// is nothing to change.
async fn change(
    app: &App,
    user: &User,
    id: VmId,
    decide: impl Fn(&VmRow) -> ApiResult<Option<VmChange>>,
) -> ApiResult<Changed> {
    for _ in 0..LOOKS {
        let row = find(app, user, id).await?;
        if row.facts.goal == VmGoal::Gone {
            return Err(ApiError::new(Code::Gone, "this VM is being deleted"));
        }
        let Some(mut change) = decide(&row)? else {
            return shown(app, row).await;
        };
        if let Some(node) = row.facts.seat {
            let node = app
                .store
                .node_get(node)
                .await
                .map_err(|error| failed(&error))?;
            change.limits = node.map(|node| limits_of(app, &node)).unwrap_or_default();
        }
        let (by, place) = (user.by(app.now()), (id, row.facts.generation));
        let changed = app.store.vm_change(&by, place, change).await;
        match changed.map_err(|error| failed(&error))? {
            VmChanged::Changed(row) => {
                app.passes.wake();
                return shown(app, *row).await;
            }
            VmChanged::NoRoom => return Err(no_room()),
            VmChanged::QuotaExceeded(excess) => return Err(quota_exceeded(&excess)),
            VmChanged::NameTaken => return Err(name_taken()),
            VmChanged::Stale => {}
        }
    }
    Err(busy())
}

async fn shown(app: &App, row: VmRow) -> ApiResult<Changed> {
    let seats = Seats::of_one(app, &row).await;
    let seats = seats.map_err(|error| failed(&error))?;
    Ok((StatusCode::ACCEPTED, axum::Json(seats.show(row))))
}

fn no_room() -> ApiError {
    ApiError::new(Code::Conflict, "its node has no room for that")
        .hint("stop or delete something there, or ask for less")
}

fn name_taken() -> ApiError {
    ApiError::new(Code::Conflict, "another one has this name already").hint("choose another name")
}

fn busy() -> ApiError {
    ApiError::new(
        Code::Conflict,
        "this VM is being changed by others all the time",
    )
    .hint("try again")
}

fn conflict(text: &str, hint: &str) -> ApiError {
    ApiError::new(Code::Conflict, text).hint(hint)
}

/// What lies in the trash is not changed, but taken out or removed.
fn not_trashed(row: &VmRow) -> ApiResult<()> {
    match row.facts.trashed_at {
        None => Ok(()),
        Some(_) => Err(conflict(
            "this VM is in the trash",
            "POST /vms/{id}/restore takes it out",
        )),
    }
}
