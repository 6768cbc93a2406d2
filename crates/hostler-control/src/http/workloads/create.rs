//! `POST /workloads`. The same request sent again, with the same
//! `Idempotency-Key`, makes nothing new and answers the same workload.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hostler_store::{IdempotencyKey, InsertError, Inserted, NewWorkload, StoreError, WorkloadSpec};
use hostler_wire::convert::NewWorkload as Checked;
use hostler_wire::rest;
use sha2::{Digest, Sha256};

use super::invalid;
use super::show::Seats;
use crate::http::auth::User;
use crate::http::error::{ApiError, ApiResult, Code};
use crate::http::extract::Json;
use crate::http::projects::quota_exceeded;
use crate::state::App;

const KEY_HEADER: &str = "idempotency-key";
const LONGEST_KEY: usize = 255;

/// Makes a workload. It is queued at first; a pass finds it a place.
#[utoipa::path(post, path = "/workloads", tag = "workloads",
    params(("Idempotency-Key" = Option<String>, Header)), request_body = rest::WorkloadCreate,
    responses((status = 201, body = rest::Workload),
        (status = 200, body = rest::Workload, description = "Made by the same request before."),
        (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn create(
    State(app): State<App>,
    user: User,
    headers: HeaderMap,
    Json(body): Json<rest::WorkloadCreate>,
) -> ApiResult<Response> {
    let key = idempotency_key(&user, &headers, &body)?;
    let new = new_workload(&user, body)?;
    is_of_its_kind(&app, &new.spec).await?;
    let by = user.by(app.now());
    let inserted = app
        .store
        .workload_insert(&by, new, key)
        .await
        .map_err(refusal)?;
    let (status, row) = match inserted {
        Inserted::New(row) => (StatusCode::CREATED, row),
        Inserted::Replayed(row) => (StatusCode::OK, row),
    };
    app.passes.wake();
    let seats = Seats::of_one(&app, &row)
        .await
        .map_err(|error| super::failed(&error))?;
    let location = [(header::LOCATION, format!("/workloads/{}", row.facts.id))];
    Ok((status, location, axum::Json(seats.show(row))).into_response())
}

/// The key with a digest of what was asked for, so that another request under
/// the same key is told apart. Keys of different users never meet.
pub(crate) fn idempotency_key(
    user: &User,
    headers: &HeaderMap,
    body: &impl serde::Serialize,
) -> ApiResult<Option<IdempotencyKey>> {
    let Some(value) = headers.get(KEY_HEADER) else {
        return Ok(None);
    };
    let key = value.to_str().unwrap_or_default().trim();
    if key.is_empty() || key.len() > LONGEST_KEY {
        let text = format!("an Idempotency-Key has 1 to {LONGEST_KEY} plain characters");
        return Err(ApiError::new(Code::BadRequest, text));
    }
    let request = serde_json::to_vec(body);
    let request = request.map_err(|error| ApiError::internal("hashing a request", &error))?;
    Ok(Some(IdempotencyKey {
        key: key.to_owned(),
        request_hash: Sha256::digest(&request).into(),
        actor: user.key_owner(),
    }))
}

/// What is asked for, in the project that the user acts in, fully checked.
pub(super) fn checked(user: &User, mut body: rest::WorkloadCreate) -> ApiResult<Checked> {
    if body.project.is_none() {
        body.project = user.project().map(String::from);
    }
    let checked = Checked::try_from(body).map_err(|mistakes| invalid(&mistakes))?;
    user.project_for(Some(checked.project.clone()))?;
    Ok(checked)
}

fn new_workload(user: &User, body: rest::WorkloadCreate) -> ApiResult<NewWorkload> {
    let checked = checked(user, body)?;
    let rules = serde_json::to_value(&checked.rules);
    let rules = rules.map_err(|error| ApiError::internal("writing rules", &error))?;
    let subjects = checked.triggers.iter();
    Ok(NewWorkload {
        environment: checked.environment,
        goal: checked.goal,
        spec: WorkloadSpec {
            triggers: subjects
                .map(|subject| subject.as_str().to_owned())
                .collect(),
            project: checked.project,
            name: checked.name,
            kind: checked.kind,
            artifact: checked.artifact,
            argv: checked.argv,
            essential: checked.essential,
            resources: checked.resources,
            pids: checked.pids,
            labels: checked.labels,
            rules,
            on_node_loss: checked.on_node_loss,
            description: checked.description,
        },
    })
}

/// An artifact that the project does not hold is refused by the store.
async fn is_of_its_kind(app: &App, spec: &WorkloadSpec) -> ApiResult<()> {
    let found = app
        .known_artifacts
        .find(&app.store, &spec.project, &spec.artifact)
        .await;
    match found.map_err(|error| internal(&error))? {
        Some(artifact) if artifact.kind.workload() != Some(spec.kind) => {
            let (is, asked) = (artifact.kind.as_str(), spec.kind.as_str());
            let text = format!("kind: the artifact is {is}, not {asked}");
            let hint = match artifact.kind.workload() {
                Some(_) => format!("say kind '{is}'"),
                None => "it is a disk: POST /images makes an image of it".to_owned(),
            };
            Err(ApiError::new(Code::Invalid, text).hint(hint))
        }
        _ => Ok(()),
    }
}

fn refusal(error: InsertError) -> ApiError {
    let text = error.to_string();
    match error {
        InsertError::NameTaken { .. } => ApiError::new(Code::Conflict, text)
            .hint("choose another name, or delete that workload first"),
        InsertError::QuotaExceeded(excess) => quota_exceeded(&excess),
        InsertError::ArtifactUnknown { digest, .. } => ApiError::new(Code::Invalid, text)
            .hint(format!("upload it first: PUT /artifacts/{digest}")),
        InsertError::KeyReused { .. } => {
            ApiError::new(Code::Invalid, text).hint("use a new key for a new request")
        }
        InsertError::Erased(_) => ApiError::new(Code::Gone, text),
        InsertError::Store(error) => internal(&error),
    }
}

fn internal(error: &StoreError) -> ApiError {
    ApiError::internal("making a workload", error)
}
