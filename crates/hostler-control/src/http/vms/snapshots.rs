//! `/vms/{id}/snapshots`: a set that is wanted. A node takes what is missing
//! and removes what is not wanted any more; going back to one is a number that
//! only grows.

use axum::extract::State;
use axum::http::StatusCode;
use hostler_core::id::{SnapshotId, VmId};
use hostler_core::vm::{SnapshotState, VmGoal, bounds};
use hostler_store::{NewSnapshot, SnapshotRow, VmChange, VmChanged, VmRow};
use hostler_wire::convert::{datetime, name_of};
use hostler_wire::rest;

use super::{Changed, busy, change, conflict, failed, find, invalid, name_taken, not_trashed};
use crate::http::auth::User;
use crate::http::error::{ApiError, ApiResult, Code};
use crate::http::extract::{Json, Path};
use crate::state::App;

use super::LOOKS;

/// The snapshots of a VM, oldest first.
#[utoipa::path(get, path = "/vms/{id}/snapshots", tag = "vms",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = Vec<rest::Snapshot>),
        (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn snapshots(
    State(app): State<App>,
    user: User,
    Path(id): Path<VmId>,
) -> ApiResult<axum::Json<Vec<rest::Snapshot>>> {
    find(&app, &user, id).await?;
    let rows = of(&app, id).await?;
    Ok(axum::Json(rows.into_iter().map(show).collect()))
}

/// Wants a snapshot to be taken.
#[utoipa::path(post, path = "/vms/{id}/snapshots", tag = "vms",
    params(("id" = uuid::Uuid, Path)), request_body = rest::SnapshotCreate,
    responses((status = 202, body = rest::Snapshot), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn snapshot_create(
    State(app): State<App>,
    user: User,
    Path(id): Path<VmId>,
    Json(body): Json<rest::SnapshotCreate>,
) -> ApiResult<(StatusCode, axum::Json<rest::Snapshot>)> {
    find(&app, &user, id).await?;
    let name = name_of("name", &body.name).map_err(|mistakes| invalid(&mistakes))?;
    for _ in 0..LOOKS {
        let row = able(find(&app, &user, id).await?)?;
        if of(&app, id).await?.len() >= bounds::SNAPSHOTS {
            let text = format!("a VM has at most {} snapshots", bounds::SNAPSHOTS);
            return Err(conflict(&text, "remove one first"));
        }
        let new = NewSnapshot {
            vm: id,
            expected: row.facts.generation,
            name: name.clone(),
            memory: body.memory,
        };
        let by = user.by(app.now());
        let made = app.store.vm_snapshot_insert(&by, new).await;
        match made.map_err(|error| failed(&error))? {
            Ok(made) => {
                app.passes.wake();
                let row = find_snapshot(&app, id, made).await?;
                return Ok((StatusCode::ACCEPTED, axum::Json(show(row))));
            }
            Err(VmChanged::NameTaken) => return Err(name_taken()),
            Err(_) => {}
        }
    }
    Err(busy())
}

/// Wants a snapshot no more.
#[utoipa::path(delete, path = "/vms/{id}/snapshots/{snapshot}", tag = "vms",
    params(("id" = uuid::Uuid, Path), ("snapshot" = uuid::Uuid, Path)),
    responses((status = 202), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn snapshot_delete(
    State(app): State<App>,
    user: User,
    Path((id, snapshot)): Path<(VmId, SnapshotId)>,
) -> ApiResult<StatusCode> {
    for _ in 0..LOOKS {
        let row = find(&app, &user, id).await?;
        find_snapshot(&app, id, snapshot).await?;
        let (by, place) = (user.by(app.now()), (id, row.facts.generation));
        let removed = app.store.vm_snapshot_remove(&by, place, snapshot).await;
        if removed.map_err(|error| failed(&error))? {
            app.passes.wake();
            return Ok(StatusCode::ACCEPTED);
        }
    }
    Err(busy())
}

/// Goes back to a snapshot: what was written since is gone.
#[utoipa::path(post, path = "/vms/{id}/snapshots/{snapshot}/rollback", tag = "vms",
    params(("id" = uuid::Uuid, Path), ("snapshot" = uuid::Uuid, Path)),
    responses((status = 202, body = rest::Vm), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn rollback(
    State(app): State<App>,
    user: User,
    Path((id, snapshot)): Path<(VmId, SnapshotId)>,
) -> ApiResult<Changed> {
    find(&app, &user, id).await?;
    let to = find_snapshot(&app, id, snapshot).await?;
    if to.state != SnapshotState::Ready || !to.is_wanted {
        return Err(conflict(
            "this snapshot is not ready",
            "wait until it is, or take another",
        ));
    }
    let decide = |row: &VmRow| {
        not_trashed(row)?;
        Ok(Some(VmChange {
            kind: "rolled-back",
            rollback_to: Some(snapshot),
            ..VmChange::default()
        }))
    };
    change(&app, &user, id, decide).await
}

/// Only what has a disk can have a snapshot.
fn able(row: VmRow) -> ApiResult<VmRow> {
    not_trashed(&row)?;
    match (row.facts.goal, row.facts.seat) {
        (VmGoal::Gone, _) => Err(ApiError::new(Code::Gone, "this VM is being deleted")),
        (_, None) => Err(conflict("this VM has no disk yet", "wait until it has one")),
        (_, Some(_)) => Ok(row),
    }
}

async fn of(app: &App, id: VmId) -> ApiResult<Vec<SnapshotRow>> {
    let rows = app.store.vm_snapshots(&[id]).await;
    rows.map_err(|error| failed(&error))
}

async fn find_snapshot(app: &App, vm: VmId, id: SnapshotId) -> ApiResult<SnapshotRow> {
    let mut rows = of(app, vm).await?.into_iter();
    rows.find(|row| row.id == id)
        .ok_or_else(|| ApiError::not_found("snapshot", id))
}

fn show(row: SnapshotRow) -> rest::Snapshot {
    rest::Snapshot {
        id: row.id,
        name: row.name.to_string(),
        memory: row.memory,
        state: row.state,
        removing: !row.is_wanted,
        problem: row.problem,
        taken_at: row.taken_at.map(datetime),
        created_at: datetime(row.created_at),
    }
}
