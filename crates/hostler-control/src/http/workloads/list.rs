//! `GET /workloads` and `GET /workloads/{id}`.

use axum::extract::State;
use hostler_core::Name;
use hostler_core::id::WorkloadId;
use hostler_store::{WorkloadFilter, WorkloadRow};
use hostler_wire::rest;

use super::show::Seats;
use super::{failed, find};
use crate::http::auth::User;
use crate::http::error::{ApiError, ApiResult, Code};
use crate::http::extract::{Path, Query};
use crate::http::page::{page, page_size};
use crate::state::App;

/// Workloads, oldest first.
#[utoipa::path(get, path = "/workloads", tag = "workloads", params(rest::WorkloadQuery),
    responses((status = 200, body = rest::Page<rest::Workload>),
        (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn list(
    State(app): State<App>,
    user: User,
    Query(query): Query<rest::WorkloadQuery>,
) -> ApiResult<axum::Json<rest::Page<rest::Workload>>> {
    let filter = WorkloadFilter {
        project: None,
        projects: user.narrow_all(name("project", query.project.as_deref())?)?,
        name: name("name", query.name.as_deref())?,
        node: query.slave_id,
        goal: None,
    };
    let after = query.after.as_deref().map(id).transpose()?;
    let size = page_size(query.limit);
    let seats = Seats::all(&app).await.map_err(|error| failed(&error))?;
    let wanted = |row: &WorkloadRow| {
        query
            .status
            .is_none_or(|status| seats.status(row) == status)
    };
    let rows = select(&app, &filter, after, size + 1, wanted).await?;
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
    filter: &WorkloadFilter,
    mut after: Option<WorkloadId>,
    count: usize,
    wanted: impl Fn(&WorkloadRow) -> bool,
) -> ApiResult<Vec<WorkloadRow>> {
    let mut found = Vec::new();
    loop {
        let limit = count as u64;
        let rows = app.store.workload_list(filter, after, limit).await;
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

fn name(field: &str, text: Option<&str>) -> ApiResult<Option<Name>> {
    let parsed = text.map(str::parse::<Name>).transpose();
    parsed.map_err(|error| ApiError::new(Code::BadRequest, format!("{field}: {error}")))
}

fn id(text: &str) -> ApiResult<WorkloadId> {
    text.parse().map_err(|error: hostler_core::id::IdError| {
        ApiError::new(Code::BadRequest, error.to_string())
    })
}

/// One workload.
#[utoipa::path(get, path = "/workloads/{id}", tag = "workloads",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = rest::Workload), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn get(
    State(app): State<App>,
    user: User,
    Path(id): Path<WorkloadId>,
) -> ApiResult<axum::Json<rest::Workload>> {
    let row = find(&app, &user, id).await?;
    let seats = Seats::of_one(&app, &row)
        .await
        .map_err(|error| failed(&error))?;
    Ok(axum::Json(seats.show(row)))
}
