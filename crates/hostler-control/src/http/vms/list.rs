//! `GET /vms` and `GET /vms/{id}`.

use axum::extract::State;
use hostler_core::id::VmId;
use hostler_store::{VmFilter, VmRow};
use hostler_wire::rest;

use super::show::Seats;
use super::{failed, find};
use crate::http::auth::User;
use crate::http::error::ApiResult;
use crate::http::extract::{Path, Query};
use crate::http::page::{id, name, page, page_size, select};
use crate::state::App;

/// VMs, oldest first.
#[utoipa::path(get, path = "/vms", tag = "vms", params(rest::VmQuery),
    responses((status = 200, body = rest::Page<rest::Vm>),
        (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn list(
    State(app): State<App>,
    user: User,
    Query(query): Query<rest::VmQuery>,
) -> ApiResult<axum::Json<rest::Page<rest::Vm>>> {
    let filter = VmFilter {
        project: user.narrow(name("project", query.project.as_deref())?)?,
        name: name("name", query.name.as_deref())?,
        node: query.slave_id,
        trashed: query.trashed,
    };
    let after = query.after.as_deref().map(id).transpose()?;
    let size = page_size(query.limit);
    let seats = Seats::all(&app).await.map_err(|error| failed(&error))?;
    let is = |row: &VmRow| {
        query
            .status
            .is_none_or(|status| seats.status(row) == status)
    };
    let count = size + 1;
    let read = |after| app.store.vm_list(&filter, after, count as u64);
    let rows = select((after, count), read, |row| row.facts.id, is).await;
    let rows = rows.map_err(|error| failed(&error))?;
    let rows = page(rows, size, |row| row.facts.id.to_string());
    Ok(axum::Json(rest::Page {
        items: rows.items.into_iter().map(|row| seats.show(row)).collect(),
        next: rows.next,
    }))
}

/// One VM.
#[utoipa::path(get, path = "/vms/{id}", tag = "vms",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = rest::Vm), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn get(
    State(app): State<App>,
    user: User,
    Path(id): Path<VmId>,
) -> ApiResult<axum::Json<rest::Vm>> {
    let row = find(&app, &user, id).await?;
    let seats = Seats::of_one(&app, &row).await;
    let seats = seats.map_err(|error| failed(&error))?;
    Ok(axum::Json(seats.show(row)))
}
