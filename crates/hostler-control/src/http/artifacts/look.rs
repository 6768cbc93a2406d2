//! Looking at artifacts, fetching their bytes, deleting them.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use hostler_core::Name;
use hostler_store::{ArtifactDeleted, ArtifactRow, NodeRow, StoreError, VmRow};
use hostler_wire::rest;

use super::{ProjectQuery, digest, range, show};
use crate::artifacts::Digest;
use crate::http::auth::{Caller, User};
use crate::http::error::{ApiError, ApiResult, Code};
use crate::http::extract::{Path, Query};
use crate::state::App;
use crate::vms::Shape;

/// The artifacts of one project, or of all that the caller sees.
#[utoipa::path(get, path = "/artifacts", tag = "artifacts", params(ProjectQuery),
    responses((status = 200, body = Vec<rest::Artifact>),
        (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn list(
    State(app): State<App>,
    user: User,
    Query(query): Query<ProjectQuery>,
) -> ApiResult<axum::Json<Vec<rest::Artifact>>> {
    let projects = user.narrow_all(query.project)?;
    let only = projects.as_ref().filter(|projects| projects.len() == 1);
    let rows = app
        .store
        .artifact_list(only.map(|projects| &projects[0]))
        .await;
    let rows = rows.map_err(|error| failed(&error))?;
    let theirs = |row: &ArtifactRow| {
        projects
            .as_ref()
            .is_none_or(|all| all.contains(&row.project))
    };
    Ok(axum::Json(
        rows.into_iter().filter(theirs).map(show).collect(),
    ))
}

/// One artifact.
#[utoipa::path(get, path = "/artifacts/{digest}", tag = "artifacts",
    params(("digest" = String, Path), ProjectQuery),
    responses((status = 200, body = rest::Artifact), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn get(
    State(app): State<App>,
    user: User,
    Path(text): Path<String>,
    Query(query): Query<ProjectQuery>,
) -> ApiResult<axum::Json<rest::Artifact>> {
    let project = query.project(&user)?;
    let row = find(&app, &project, digest(&text)?).await?;
    Ok(axum::Json(show(row)))
}

/// The bytes of an artifact, or a part of them (`Range`): to its project, and
/// to nodes that were given work which needs it.
#[utoipa::path(get, path = "/artifacts/{digest}/content", tag = "artifacts",
    params(("digest" = String, Path), ProjectQuery),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206, body = Vec<u8>, content_type = "application/octet-stream"),
        (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn content(
    State(app): State<App>,
    caller: Caller,
    Path(text): Path<String>,
    Query(query): Query<ProjectQuery>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let digest = digest(&text)?;
    match &caller {
        Caller::User(user) => drop(find(&app, &query.project(user)?, digest).await?),
        Caller::Node(node) => needed(&app, node, digest).await?,
        Caller::Anybody | Caller::Joiner(_) | Caller::Guest(_) => return Err(absent(digest)),
    }
    let file = app.files.read(digest).await;
    let file = file
        .map_err(|error| ApiError::internal("opening an artifact", &error))?
        .ok_or_else(|| absent(digest))?;
    let length = file.metadata().await;
    let length = length.map_err(|error| ApiError::internal("opening an artifact", &error))?;
    let whole = length.len();
    let part = range::asked(&headers, whole);
    let part = part.map_err(|()| {
        ApiError::new(
            Code::Range,
            format!("the range lies outside of the {whole} bytes"),
        )
    })?;
    range::answer(file, part, whole)
        .await
        .map_err(|error| ApiError::internal("reading an artifact", &error))
}

/// Deletes the project's hold on an artifact; the bytes go with the last one.
#[utoipa::path(delete, path = "/artifacts/{digest}", tag = "artifacts",
    params(("digest" = String, Path), ProjectQuery),
    responses((status = 204), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn delete(
    State(app): State<App>,
    user: User,
    Path(text): Path<String>,
    Query(query): Query<ProjectQuery>,
) -> ApiResult<StatusCode> {
    let digest = digest(&text)?;
    let project = query.project(&user)?;
    let by = user.by(app.now());
    let deleted = app
        .store
        .artifact_delete(&by, &project, &digest.to_string())
        .await;
    match deleted.map_err(|error| failed(&error))? {
        // The file goes when housekeeping finds that nobody holds it: an upload
        // of the same bytes may be on its way right now.
        ArtifactDeleted::Shared | ArtifactDeleted::Last => Ok(StatusCode::NO_CONTENT),
        ArtifactDeleted::InUse { workloads, images } => {
            let text = format!(
                "{workloads} workloads and {images} images of the project '{project}' use it"
            );
            Err(ApiError::new(Code::Conflict, text).hint("delete them first"))
        }
        ArtifactDeleted::Unknown => Err(absent(digest)),
    }
}

async fn find(app: &App, project: &Name, digest: Digest) -> ApiResult<ArtifactRow> {
    let row = app.store.artifact_get(project, &digest.to_string()).await;
    row.map_err(|error| failed(&error))?
        .ok_or_else(|| absent(digest))
}

/// A node's key opens the artifacts of what is seated there, and no others.
async fn needed(app: &App, node: &NodeRow, digest: Digest) -> ApiResult<()> {
    let seated = app.store.workload_on_node(&[node.facts.id]).await;
    let seated = seated.map_err(|error| failed(&error))?;
    let digest_text = digest.to_string();
    if seated.iter().any(|row| row.spec.artifact == digest_text) {
        return Ok(());
    }
    let vms = app.store.vm_on_node(&[node.facts.id]).await;
    let vms = vms.map_err(|error| failed(&error))?;
    let needs = |row: &VmRow| Shape::of(row).image_digest() == Some(digest_text.as_str());
    if vms.iter().any(needs) {
        Ok(())
    } else {
        Err(absent(digest))
    }
}

fn absent(digest: Digest) -> ApiError {
    ApiError::not_found("artifact", digest)
}

fn failed(error: &StoreError) -> ApiError {
    ApiError::internal("looking at artifacts", error)
}
