//! Why a VM is where it is, or where it would go: every node with its reasons,
//! from the same code that places. Nothing is changed.

use axum::extract::State;
use hostler_core::id::{NodeId, VmId};
use hostler_store::VmRow;
use hostler_wire::rest;

use super::{failed, find};
use crate::http::auth::User;
use crate::http::error::ApiResult;
use crate::http::extract::Path;
use crate::http::workloads::{busy, told};
use crate::passes::{load_vm_fleet, vm_unit};
use crate::state::App;

/// Where this VM would be placed now, were it not seated.
#[utoipa::path(get, path = "/vms/{id}/explain", tag = "vms",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = rest::Explanation),
        (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn explain(
    State(app): State<App>,
    user: User,
    Path(id): Path<VmId>,
) -> ApiResult<axum::Json<rest::Explanation>> {
    let row = find(&app, &user, id).await?;
    explain_unit(&app, &row, row.facts.seat).await
}

/// Where such a VM would be placed.
pub(super) async fn explain_unit(
    app: &App,
    row: &VmRow,
    seat: Option<NodeId>,
) -> ApiResult<axum::Json<rest::Explanation>> {
    let _turn = app.explaining.try_acquire().map_err(|_| busy())?;
    let loaded = load_vm_fleet(app).await.map_err(|error| failed(&error))?;
    let (mut fleet, unit) = (loaded.fleet, vm_unit(row));
    if let Some(seat) = seat {
        fleet.unit_unseat(&unit, seat);
    }
    Ok(axum::Json(told(&mut fleet, &unit, seat, &loaded.names)))
}
