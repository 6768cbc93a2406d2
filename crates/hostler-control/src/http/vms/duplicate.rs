//! `POST /vms/{id}/duplicate`: another VM whose first disk is a copy of this
//! one's, on the same node. It has hardware addresses of its own.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use hostler_core::Name;
use hostler_core::id::VmId;
use hostler_core::vm::VmGoal;
use hostler_store::{NewVm, VmInserted, VmRow};
use hostler_wire::convert::name_of;
use hostler_wire::node_api::{DiskSource, Seed};
use hostler_wire::rest;

use super::create::{rand_bytes, refusal};
use super::show::Seats;
use super::{Changed, conflict, failed, find, invalid, not_trashed};
use crate::http::auth::User;
use crate::http::error::{ApiError, ApiResult};
use crate::http::extract::{Json, Path};
use crate::http::workloads::idempotency_key;
use crate::state::App;
use crate::vms::Shape;

/// Clones a VM. The clone is started unless the original is off.
#[utoipa::path(post, path = "/vms/{id}/duplicate", tag = "vms",
    params(("id" = uuid::Uuid, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = rest::VmDuplicate,
    responses((status = 202, body = rest::Vm), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn duplicate(
    State(app): State<App>,
    user: User,
    Path(id): Path<VmId>,
    headers: HeaderMap,
    Json(body): Json<rest::VmDuplicate>,
) -> ApiResult<Changed> {
    let key = idempotency_key(&user, &headers, &(id, &body))?;
    let row = find(&app, &user, id).await?;
    not_trashed(&row)?;
    if row.facts.seat.is_none() || row.facts.goal == VmGoal::Gone {
        return Err(conflict(
            "this VM has no disk to be copied",
            "wait until it has one",
        ));
    }
    let name = match &body.name {
        Some(name) => name.clone(),
        None => format!("{}-copy", row.spec.name),
    };
    let name = name_of("name", &name).map_err(|mistakes| invalid(&mistakes))?;
    let new = clone_of(&app, row, name).await?;
    let by = user.by(app.now());
    let inserted = app.store.vm_insert(&by, new, key).await;
    let (VmInserted::New(row) | VmInserted::Replayed(row)) = inserted.map_err(refusal)?;
    app.passes.wake();
    let seats = Seats::of_one(&app, &row).await;
    let seats = seats.map_err(|error| failed(&error))?;
    Ok((StatusCode::ACCEPTED, axum::Json(seats.show(row))))
}

async fn clone_of(app: &App, row: VmRow, name: Name) -> ApiResult<NewVm> {
    let id = row.facts.id;
    let seed = app
        .store
        .vm_seed(id)
        .await
        .map_err(|error| failed(&error))?;
    let mut seed: Seed = serde_json::from_value(seed.unwrap_or_default()).unwrap_or_default();
    seed.hostname = name.as_str().replace('_', "-");
    let mut shape = Shape::of(&row);
    shape.root = DiskSource::Clone { vm: id };
    shape.is_forced = false;
    for nic in &mut shape.nics {
        nic.mac = hostler_core::vm::bounds::mac(rand_bytes());
    }
    let mut spec = row.spec;
    spec.name = name;
    spec.pinned = row.facts.seat;
    spec.is_protected = false;
    spec.shape = shape.value();
    let seed = serde_json::to_value(&seed);
    Ok(NewVm {
        spec,
        seed: seed.map_err(|error| ApiError::internal("writing a seed", &error))?,
        goal: if row.facts.goal.is_active() {
            VmGoal::Running
        } else {
            VmGoal::Stopped
        },
    })
}
