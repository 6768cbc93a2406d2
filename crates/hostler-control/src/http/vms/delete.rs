//! Deleting VMs: into the trash, out of it, and away.

use axum::extract::State;
use hostler_core::id::VmId;
use hostler_core::vm::{Deletion, VmGoal, vm_deletion};
use hostler_store::{VmChange, VmRow};
use hostler_wire::rest;
use serde::Deserialize;

use super::{Changed, change, conflict};
use crate::http::auth::User;
use crate::http::error::ApiResult;
use crate::http::extract::{Path, Query};
use crate::state::App;

/// `DELETE /vms/{id}`.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeleteQuery {
    /// Skip the trash: its disks cannot be had back.
    #[serde(default)]
    now: bool,
}

/// Puts a VM into the trash, which empties by time, or removes it at once.
#[utoipa::path(delete, path = "/vms/{id}", tag = "vms",
    params(("id" = uuid::Uuid, Path), DeleteQuery),
    responses((status = 202, body = rest::Vm), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn delete(
    State(app): State<App>,
    user: User,
    Path(id): Path<VmId>,
    Query(query): Query<DeleteQuery>,
) -> ApiResult<Changed> {
    let now = app.now();
    let decide = |row: &VmRow| match vm_deletion(&row.facts, row.spec.is_protected, query.now) {
        Deletion::Nothing => Ok(None),
        Deletion::Protected => Err(conflict(
            "this VM is protected",
            "PATCH it with \"protected\": false first",
        )),
        Deletion::Trash => Ok(Some(VmChange {
            kind: "trashed",
            goal: Some(VmGoal::Stopped),
            trashed_at: Some(Some(now)),
            ..VmChange::default()
        })),
        Deletion::Remove => Ok(Some(VmChange {
            kind: "deleted",
            goal: Some(VmGoal::Gone),
            ..VmChange::default()
        })),
    };
    change(&app, &user, id, decide).await
}

/// Takes a VM out of the trash. It stays off until it is started.
#[utoipa::path(post, path = "/vms/{id}/restore", tag = "vms",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 202, body = rest::Vm), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn restore(
    State(app): State<App>,
    user: User,
    Path(id): Path<VmId>,
) -> ApiResult<Changed> {
    let decide = |row: &VmRow| {
        Ok(row.facts.trashed_at.map(|_| VmChange {
            kind: "restored",
            trashed_at: Some(None),
            ..VmChange::default()
        }))
    };
    change(&app, &user, id, decide).await
}
