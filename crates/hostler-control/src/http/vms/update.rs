//! `PATCH /vms/{id}` and `POST /vms/{id}/rename`.

use axum::extract::State;
use hostler_core::Bytes;
use hostler_core::id::VmId;
use hostler_core::vm::{VmSize, bounds};
use hostler_store::{VmChange, VmRow};
use hostler_wire::convert::{labels_check, name_of, vm_size_check};
use hostler_wire::rest;

use super::{Changed, change, find, invalid, not_trashed};
use crate::http::auth::User;
use crate::http::error::{ApiError, ApiResult, Code};
use crate::http::extract::{Json, Path};
use crate::state::App;
use crate::vms::Shape;

/// Changes a VM: size (processors and memory from its next start on, unless
/// its node can do it while it runs; the disk only grows), labels, protection,
/// and what becomes of it.
#[utoipa::path(patch, path = "/vms/{id}", tag = "vms",
    params(("id" = uuid::Uuid, Path)), request_body = rest::VmUpdate,
    responses((status = 202, body = rest::Vm), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn update(
    State(app): State<App>,
    user: User,
    Path(id): Path<VmId>,
    Json(body): Json<rest::VmUpdate>,
) -> ApiResult<Changed> {
    find(&app, &user, id).await?;
    if let Some(labels) = &body.labels {
        labels_check(labels).map_err(|mistakes| invalid(&mistakes))?;
    }
    change(&app, &user, id, |row| updated(row, &body)).await
}

fn updated(row: &VmRow, body: &rest::VmUpdate) -> ApiResult<Option<VmChange>> {
    if *body == rest::VmUpdate::default() {
        return Ok(None);
    }
    not_trashed(row)?;
    let size = resized(row, body)?;
    Ok(Some(VmChange {
        kind: if size.is_some() { "resized" } else { "updated" },
        size,
        labels: body.labels.clone(),
        is_protected: body.protected,
        on_node_loss: body.on_node_loss,
        disk_on_loss: body.disk_on_loss,
        description: body.description.clone(),
        shape: shaped(row, body)?,
        ..VmChange::default()
    }))
}

fn resized(row: &VmRow, body: &rest::VmUpdate) -> ApiResult<Option<VmSize>> {
    let has = row.spec.size;
    let wanted = VmSize {
        cpus: body.cpus.unwrap_or(has.cpus),
        memory: body.memory_bytes.map_or(has.memory, Bytes::new),
        disk: body.disk_bytes.map_or(has.disk, Bytes::new),
    };
    if wanted == has {
        return Ok(None);
    }
    vm_size_check(&wanted).map_err(|mistakes| invalid(&mistakes))?;
    match bounds::resize_mistake(&has, &wanted) {
        None => Ok(Some(wanted)),
        Some(mistake) => Err(ApiError::new(Code::Invalid, mistake)
            .hint("make another VM with a smaller disk, and copy what you need")),
    }
}

fn shaped(row: &VmRow, body: &rest::VmUpdate) -> ApiResult<Option<serde_json::Value>> {
    let stop = body.stop_deadline_ms;
    if stop.is_some_and(|ms| ms > bounds::LONGEST_STOP_MS) {
        let text = "stop_deadline_ms: longer than an hour";
        return Err(ApiError::new(Code::Invalid, text).hint("give at most 3600000"));
    }
    if stop.is_none() && body.autostart.is_none() {
        return Ok(None);
    }
    let mut shape = Shape::of(row);
    shape.autostart = body.autostart.unwrap_or(shape.autostart);
    shape.stop_deadline_ms = stop.unwrap_or(shape.stop_deadline_ms);
    Ok(Some(shape.value()))
}

/// Renames a VM. Its guest keeps its host name.
#[utoipa::path(post, path = "/vms/{id}/rename", tag = "vms",
    params(("id" = uuid::Uuid, Path)), request_body = rest::VmRename,
    responses((status = 202, body = rest::Vm), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn rename(
    State(app): State<App>,
    user: User,
    Path(id): Path<VmId>,
    Json(body): Json<rest::VmRename>,
) -> ApiResult<Changed> {
    find(&app, &user, id).await?;
    let name = name_of("name", &body.name).map_err(|mistakes| invalid(&mistakes))?;
    let decide = |row: &VmRow| {
        not_trashed(row)?;
        let other = row.spec.name != name;
        Ok(other.then(|| VmChange {
            kind: "renamed",
            name: Some(name.clone()),
            ..VmChange::default()
        }))
    };
    change(&app, &user, id, decide).await
}
