//! `GET /vms` and `GET /vms/{id}`.

use axum::extract::State;
use hostler_core::Name;
use hostler_core::id::VmId;
use hostler_store::{VmFilter, VmRow};
use hostler_wire::rest;

use super::show::Seats;
use super::{failed, find};
use crate::http::auth::User;
use crate::http::error::{ApiError, ApiResult, Code};
use crate::http::extract::{Path, Query};
use crate::http::page::{page, page_size};
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
    let rows = select(&app, &filter, (after, size + 1), is).await?;
    let rows = page(rows, size, |row| row.facts.id.to_string());
    Ok(axum::Json(rest::Page {
        items: rows.items.into_iter().map(|row| seats.show(row)).collect(),
        next: rows.next,
    }))
}

/// The first `count` rows after `after` that are wanted. A status is computed,
/// so it cannot be a condition of the query: pages are read until enough fit.
async fn select(
    app: &App,
    filter: &VmFilter,
    (mut after, count): (Option<VmId>, usize),
    wanted: impl Fn(&VmRow) -> bool,
) -> ApiResult<Vec<VmRow>> {
    let mut found = Vec::new();
    loop {
        let rows = app.store.vm_list(filter, after, count as u64).await;
        let rows = rows.map_err(|error| failed(&error))?;
        let last = rows.len() < count;
        after = rows.last().map(|row| row.facts.id).or(after);
        found.extend(rows.into_iter().filter(&wanted));
        if last || found.len() >= count {
            found.truncate(count);
            return Ok(found);
        }
    }
}

/// A name in a query.
pub(crate) fn name(field: &str, text: Option<&str>) -> ApiResult<Option<Name>> {
    let parsed = text.map(str::parse::<Name>).transpose();
    parsed.map_err(|error| ApiError::new(Code::BadRequest, format!("{field}: {error}")))
}

fn id(text: &str) -> ApiResult<VmId> {
    text.parse().map_err(|error: hostler_core::id::IdError| {
        ApiError::new(Code::BadRequest, error.to_string())
    })
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
