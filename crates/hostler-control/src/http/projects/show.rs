//! Projects as the API shows them. What a project has is counted at each look.

use axum::extract::State;
use hostler_core::access::{self, Reach};
use hostler_core::{Bytes, Cpu};
use hostler_store::ProjectRow;
use hostler_wire::convert::datetime;
use hostler_wire::rest;

use super::{failed, find};
use crate::http::auth::User;
use crate::http::error::ApiResult;
use crate::http::extract::Path;
use crate::state::App;

/// The projects that the caller knows, by name.
#[utoipa::path(get, path = "/projects", tag = "projects",
    responses((status = 200, body = Vec<rest::Project>),
        (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn list(
    State(app): State<App>,
    user: User,
) -> ApiResult<axum::Json<Vec<rest::Project>>> {
    let rows = app
        .store
        .project_list()
        .await
        .map_err(|error| failed(&error))?;
    let reach = user.reach();
    let known = |row: &ProjectRow| match &reach {
        Reach::Everywhere => true,
        Reach::Projects(projects) => projects.contains(&row.name),
    };
    let mut shown = Vec::new();
    for row in rows.into_iter().filter(known) {
        shown.push(show(&app, row).await?);
    }
    Ok(axum::Json(shown))
}

/// One project.
#[utoipa::path(get, path = "/projects/{project}", tag = "projects",
    params(("project" = String, Path)),
    responses((status = 200, body = rest::Project), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn get(
    State(app): State<App>,
    user: User,
    Path(name): Path<String>,
) -> ApiResult<axum::Json<rest::Project>> {
    let row = find(&app, &user, &name).await?;
    Ok(axum::Json(show(&app, row).await?))
}

pub(super) async fn show(app: &App, row: ProjectRow) -> ApiResult<rest::Project> {
    let used = app.store.project_usage(&row.name).await;
    let used = used.map_err(|error| failed(&error))?;
    Ok(rest::Project {
        name: row.name.to_string(),
        description: row.description,
        quota: rest::Quota {
            cpu_millis: row.quota.cpu.map(Cpu::as_millis),
            memory_bytes: row.quota.memory.map(Bytes::get),
            disk_bytes: row.quota.disk.map(Bytes::get),
            vms: row.quota.vms,
            workloads: row.quota.workloads,
        },
        used: rest::Usage {
            cpu_millis: used.cpu.as_millis(),
            memory_bytes: used.memory.get(),
            disk_bytes: used.disk.get(),
            vms: used.vms,
            workloads: used.workloads,
        },
        created_at: datetime(row.created_at),
    })
}

pub(super) fn quota(asked: &rest::Quota) -> access::Quota {
    access::Quota {
        cpu: asked.cpu_millis.map(Cpu::millis),
        memory: asked.memory_bytes.map(Bytes::new),
        disk: asked.disk_bytes.map(Bytes::new),
        vms: asked.vms,
        workloads: asked.workloads,
    }
}
