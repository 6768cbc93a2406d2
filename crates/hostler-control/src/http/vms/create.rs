//! `POST /vms`. The same request sent again, with the same `Idempotency-Key`,
//! makes nothing new and answers the same VM. With `?dry_run=1` nothing is
//! made at all, and the answer is where it would go.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hostler_core::Bytes;
use hostler_core::id::{NodeId, VmId};
use hostler_store::{ImageRow, NewVm, VmInsertError, VmInserted, VmSpec};
use hostler_wire::convert::NewVm as Checked;
use hostler_wire::node_api::DiskSource;
use hostler_wire::rest;
use serde::Deserialize;
use sha_crypt::{PasswordHasher as _, ShaCrypt};

use super::explain::explain_unit;
use super::show::Seats;
use super::{failed, invalid};
use crate::http::auth::User;
use crate::http::error::{ApiError, ApiResult, Code};
use crate::http::extract::{Json, Query};
use crate::http::images;
use crate::http::projects::quota_exceeded;
use crate::http::workloads::idempotency_key;
use crate::state::App;
use crate::vms::Shape;

/// `POST /vms`.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateQuery {
    /// 1: make nothing, and say where it would go.
    dry_run: Option<u8>,
}

/// Makes a VM. It is queued at first; a pass finds it a place.
#[utoipa::path(post, path = "/vms", tag = "vms",
    params(CreateQuery, ("Idempotency-Key" = Option<String>, Header)),
    request_body = rest::VmCreate,
    responses((status = 201, body = rest::Vm),
        (status = 200, body = rest::Vm,
            description = "Made by the same request before; an explanation after dry_run."),
        (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn create(
    State(app): State<App>,
    user: User,
    Query(query): Query<CreateQuery>,
    headers: HeaderMap,
    Json(body): Json<rest::VmCreate>,
) -> ApiResult<Response> {
    let key = idempotency_key(&user, &headers, &body)?;
    let new = new_vm(&app, &user, body).await?;
    if query.dry_run.is_some_and(|dry| dry > 0) {
        let told = explain_unit(&app, &unit(&new), None).await?;
        return Ok(told.into_response());
    }
    let by = user.by(app.now());
    let inserted = app.store.vm_insert(&by, new, key).await;
    let (status, row) = match inserted.map_err(refusal)? {
        VmInserted::New(row) => (StatusCode::CREATED, row),
        VmInserted::Replayed(row) => (StatusCode::OK, row),
    };
    app.passes.wake();
    let seats = Seats::of_one(&app, &row).await;
    let seats = seats.map_err(|error| failed(&error))?;
    let location = [(header::LOCATION, format!("/vms/{}", row.facts.id))];
    Ok((status, location, axum::Json(seats.show(row))).into_response())
}

/// What is asked for, in the project that the user acts in, fully checked.
async fn new_vm(app: &App, user: &User, mut body: rest::VmCreate) -> ApiResult<NewVm> {
    if body.project.is_none() {
        body.project = user.project().map(String::from);
    }
    let checked = Checked::new(body, rand_bytes).map_err(|mistakes| invalid(&mistakes))?;
    user.project_for(Some(checked.project.clone()))?;
    let image = match &checked.image {
        Some(text) => Some(images::resolve(app, &checked.project, text).await?),
        None => None,
    };
    if let Some(node) = checked.pinned {
        is_node(app, node).await?;
    }
    assembled(checked, image).await
}

/// Three random bytes.
pub(super) fn rand_bytes() -> [u8; 3] {
    let bytes = uuid::Uuid::new_v4().into_bytes();
    [bytes[13], bytes[14], bytes[15]]
}

async fn is_node(app: &App, node: NodeId) -> ApiResult<()> {
    let row = app.store.node_get(node).await;
    row.map_err(|error| failed(&error))?
        .map(drop)
        .ok_or_else(|| ApiError::not_found("node", node))
}

async fn assembled(checked: Checked, image: Option<ImageRow>) -> ApiResult<NewVm> {
    let mut size = checked.size;
    if let Some(image) = &image {
        size.disk = large_enough(size.disk, image)?;
    }
    let mut seed = checked.seed.clone();
    seed.password_hash = hashed(checked.password.clone()).await?;
    let about = image.as_ref().map(|image| &image.spec.about);
    seed.user = seed.user.or_else(|| about?.default_user.clone());
    let shape = Shape {
        firmware: checked.firmware,
        root: image.as_ref().map_or(DiskSource::Blank, root),
        disks: checked.disks.clone(),
        nics: checked.nics.clone(),
        autostart: checked.autostart,
        stop_deadline_ms: checked.stop_deadline_ms,
        is_forced: false,
        os: image.as_ref().map(images::title),
        keyboard: seed.keyboard.clone(),
    };
    let rules = serde_json::to_value(&checked.rules);
    let rules = rules.map_err(|error| ApiError::internal("writing rules", &error))?;
    let seed = serde_json::to_value(&seed);
    Ok(NewVm {
        goal: checked.goal,
        seed: seed.map_err(|error| ApiError::internal("writing a seed", &error))?,
        spec: VmSpec {
            extra_disk: checked.extra_disk(),
            project: checked.project,
            name: checked.name,
            labels: checked.labels,
            rules,
            pinned: checked.pinned,
            size,
            image: image.map(|image| image.id),
            shape: shape.value(),
            on_node_loss: checked.on_node_loss,
            disk_on_loss: checked.disk_on_loss,
            description: checked.description,
            is_protected: checked.is_protected,
        },
    })
}

fn root(image: &ImageRow) -> DiskSource {
    DiskSource::Image {
        digest: image.spec.digest.clone(),
        bytes: image.spec.bytes,
        format: image.spec.format.clone(),
    }
}

/// The size of a disk made from an image: what is asked for, or the image's.
fn large_enough(asked: Bytes, image: &ImageRow) -> ApiResult<Bytes> {
    let least = image.spec.virtual_size;
    match asked {
        asked if asked == Bytes::new(0) => Ok(least),
        asked if asked < least => {
            let title = images::title(image);
            let text = format!("disk: {asked} is less than the {least} of the image {title}");
            Err(ApiError::new(Code::Invalid, text).hint(format!("ask for {least} or more")))
        }
        asked => Ok(asked),
    }
}

/// As `crypt(3)` writes it; a thousand rounds of work, so not on this thread.
async fn hashed(password: Option<String>) -> ApiResult<Option<String>> {
    let Some(password) = password else {
        return Ok(None);
    };
    let hash = tokio::task::spawn_blocking(move || {
        let hash = ShaCrypt::default().hash_password(password.as_bytes());
        hash.map(|hash| hash.to_string())
    });
    let hash = hash
        .await
        .map_err(|error| ApiError::internal("hashing", &error))?;
    hash.map(Some)
        .map_err(|_| ApiError::new(Code::Invalid, "password: this one cannot be hashed"))
}

fn unit(new: &NewVm) -> hostler_store::VmRow {
    hostler_store::VmRow {
        facts: hostler_core::vm::VmFacts {
            id: VmId::from_uuid(uuid::Uuid::nil()),
            goal: new.goal,
            generation: hostler_core::Generation::FIRST,
            seat: None,
            seen: None,
            on_node_loss: new.spec.on_node_loss,
            disk_on_loss: new.spec.disk_on_loss,
            is_disk_lost: false,
            trashed_at: None,
        },
        spec: new.spec.clone(),
        reboots: 0,
        rollback: None,
        seen: None,
        reason: None,
        created_at: hostler_core::Timestamp::from_ms(0),
    }
}

pub(super) fn refusal(error: VmInsertError) -> ApiError {
    let text = error.to_string();
    match error {
        VmInsertError::NameTaken { .. } => ApiError::new(Code::Conflict, text)
            .hint("choose another name, or delete that VM first (also from the trash)"),
        VmInsertError::QuotaExceeded(excess) => quota_exceeded(&excess),
        VmInsertError::ImageGone(_) | VmInsertError::NodeGone(_) => {
            ApiError::new(Code::Conflict, text)
        }
        VmInsertError::KeyReused { .. } => {
            ApiError::new(Code::Invalid, text).hint("use a new key for a new request")
        }
        VmInsertError::Erased(_) => ApiError::new(Code::Gone, text),
        VmInsertError::Store(error) => ApiError::internal("making a VM", &error),
    }
}
