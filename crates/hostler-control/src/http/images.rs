//! `/images`: the catalogue over uploaded disks.

use axum::extract::State;
use axum::http::StatusCode;
use hostler_core::Name;
use hostler_core::id::ImageId;
use hostler_store::{ImageAbout, ImageDeleted, ImageInsertError, ImageRow, ImageSpec, StoreError};
use hostler_wire::convert::{datetime, name_of};
use hostler_wire::rest;
use serde::Deserialize;

use super::artifacts::refusal;
use super::auth::User;
use super::error::{ApiError, ApiResult, Code};
use super::extract::{Json, Path, Query};
use super::page::name;
use crate::artifacts::Digest;
use crate::state::App;

const LONGEST_TEXT: usize = 4 << 10;
const LONGEST_VERSION: usize = 64;

/// The images of one project, or of all that the caller sees.
#[utoipa::path(get, path = "/images", tag = "images", params(rest::ImageQuery),
    responses((status = 200, body = Vec<rest::Image>), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn list(
    State(app): State<App>,
    user: User,
    Query(query): Query<rest::ImageQuery>,
) -> ApiResult<axum::Json<Vec<rest::Image>>> {
    let project = user.narrow(name("project", query.project.as_deref())?)?;
    let called = name("name", query.name.as_deref())?;
    let rows = app
        .store
        .image_list(project.as_ref(), called.as_ref())
        .await;
    let rows = rows.map_err(|error| failed(&error))?;
    Ok(axum::Json(rows.into_iter().map(show).collect()))
}

/// One image.
#[utoipa::path(get, path = "/images/{id}", tag = "images",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = rest::Image), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn get(
    State(app): State<App>,
    user: User,
    Path(id): Path<ImageId>,
) -> ApiResult<axum::Json<rest::Image>> {
    Ok(axum::Json(show(find(&app, &user, id).await?)))
}

/// Registers an uploaded disk as an image. The same again changes nothing.
#[utoipa::path(post, path = "/images", tag = "images", request_body = rest::ImageCreate,
    responses((status = 201, body = rest::Image), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn create(
    State(app): State<App>,
    user: User,
    Json(body): Json<rest::ImageCreate>,
) -> ApiResult<(StatusCode, axum::Json<rest::Image>)> {
    let spec = spec(&app, &user, body).await?;
    let row = app.store.image_insert(&user.by(app.now()), spec).await;
    let row = row.map_err(not_registered)?;
    Ok((StatusCode::CREATED, axum::Json(show(row))))
}

/// What a metadata file of Distribox says.
#[derive(Debug, Deserialize)]
struct Metadata {
    name: String,
    image: String,
    version: Version,
    #[serde(default)]
    distribution: Option<String>,
    #[serde(default)]
    family: Option<String>,
    #[serde(default)]
    revision: Option<u64>,
}

/// Written as a text or as a number.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Version {
    Text(String),
    Whole(u64),
    Number(f64),
}

impl Version {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Whole(number) => number.to_string(),
            Self::Number(number) => number.to_string(),
        }
    }
}

/// Registers an uploaded disk by the metadata file that came with it.
#[utoipa::path(post, path = "/images/import", tag = "images", request_body = rest::ImageImport,
    responses((status = 201, body = rest::Image), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn import(
    State(app): State<App>,
    user: User,
    Json(body): Json<rest::ImageImport>,
) -> ApiResult<(StatusCode, axum::Json<rest::Image>)> {
    if body.metadata.len() > LONGEST_TEXT {
        return Err(ApiError::new(Code::Invalid, "metadata: it is too long"));
    }
    let said: Metadata = serde_saphyr::from_str(&body.metadata).map_err(|error| {
        ApiError::new(Code::Invalid, format!("metadata: {error}"))
            .hint("give the text of a .metadata.yaml: name, image, version, …")
    })?;
    let version = said.version.text();
    let revision = said.revision.filter(|revision| *revision > 1);
    let create = rest::ImageCreate {
        name: short_name(&said.image, &version),
        version: Some(revision.map_or(version.clone(), |number| format!("{version}-r{number}"))),
        project: body.project,
        digest: body.digest,
        distribution: said.distribution,
        family: said.family,
        revision: said.revision,
        file: Some(said.image),
        description: said.name,
        ..rest::ImageCreate::default()
    };
    self::create(State(app), user, Json(create)).await
}

/// `distribox-debian-12.qcow2` of version 12 is `debian`.
fn short_name(file: &str, version: &str) -> String {
    let name = file.strip_suffix(".qcow2").unwrap_or(file);
    let name = name.strip_prefix("distribox-").unwrap_or(name);
    let name = name.strip_suffix(version).unwrap_or(name);
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    let name = name.trim_matches('-');
    name.chars()
        .map(|letter| if plain(letter) { letter } else { '-' })
        .collect()
}

/// Takes an image out of the catalogue; its file stays an artifact.
#[utoipa::path(delete, path = "/images/{id}", tag = "images",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 204), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn delete(
    State(app): State<App>,
    user: User,
    Path(id): Path<ImageId>,
) -> ApiResult<StatusCode> {
    find(&app, &user, id).await?;
    let deleted = app.store.image_delete(&user.by(app.now()), id).await;
    match deleted.map_err(|error| failed(&error))? {
        ImageDeleted::Deleted => Ok(StatusCode::NO_CONTENT),
        ImageDeleted::Unknown => Err(ApiError::not_found("image", id)),
        ImageDeleted::InUse { vms } => {
            let text = format!("{vms} VMs were made from it and need it");
            Err(ApiError::new(Code::Conflict, text).hint("delete them first, also from the trash"))
        }
    }
}

async fn find(app: &App, user: &User, id: ImageId) -> ApiResult<ImageRow> {
    let row = app
        .store
        .image_get(id)
        .await
        .map_err(|error| failed(&error))?;
    let row = row.ok_or_else(|| ApiError::not_found("image", id))?;
    user.reaches(&row.spec.project, "image", id)?;
    Ok(row)
}

/// The image that a project's user calls this: an id, `NAME`, which is the
/// newest of that name, `NAME:VERSION`, or the file it came as.
pub(super) async fn resolve(app: &App, project: &Name, text: &str) -> ApiResult<ImageRow> {
    let rows = app.store.image_list(Some(project), None).await;
    let rows = rows.map_err(|error| failed(&error))?;
    let meant = |row: &ImageRow| {
        row.id.to_string() == text
            || title(row) == text
            || row.spec.name.as_str() == text
            || row.spec.about.file.as_deref() == Some(text)
    };
    rows.into_iter().find(meant).ok_or_else(|| {
        let text = format!("image: the project '{project}' has no image '{text}'");
        ApiError::new(Code::Invalid, text)
            .hint("GET /images lists them; hostler image add adds one")
    })
}

/// As people write it.
pub(super) fn title(row: &ImageRow) -> String {
    format!("{}:{}", row.spec.name, row.spec.version)
}

async fn spec(app: &App, user: &User, body: rest::ImageCreate) -> ApiResult<ImageSpec> {
    let called = name_of("name", &body.name);
    let called = called.map_err(|mistakes| ApiError::new(Code::Invalid, mistakes.to_string()))?;
    let project = user.project_for(name("project", body.project.as_deref())?)?;
    let version = body.version.unwrap_or_else(|| "1".to_owned());
    check_texts(
        &version,
        [&body.arch, &body.default_user, &body.file],
        &body.description,
    )?;
    let digest: Digest = body
        .digest
        .parse()
        .map_err(|error: crate::artifacts::DigestError| {
            ApiError::new(Code::Invalid, format!("digest: {error}"))
        })?;
    let artifact = app.store.artifact_get(&project, &body.digest).await;
    let artifact = artifact.map_err(|error| failed(&error))?.ok_or_else(|| {
        let text = format!("digest: the project '{project}' has no artifact {digest}");
        ApiError::new(Code::Invalid, text).hint(format!("upload it first: PUT /artifacts/{digest}"))
    })?;
    if !artifact.kind.is_disk() {
        let text = format!(
            "digest: the artifact is {}, not a disk",
            artifact.kind.as_str()
        );
        return Err(ApiError::new(Code::Invalid, text));
    }
    let virtual_size = app.files.virtual_size(digest, artifact.kind).await;
    Ok(ImageSpec {
        project,
        name: called,
        version,
        digest: body.digest,
        format: artifact.kind.as_str().to_owned(),
        bytes: artifact.size,
        virtual_size: virtual_size.map_err(refusal)?,
        about: ImageAbout {
            arch: body.arch.unwrap_or_else(|| "x86_64".to_owned()),
            default_user: body.default_user,
            distribution: body.distribution,
            family: body.family,
            revision: body.revision,
            file: body.file,
            description: body.description,
        },
    })
}

/// A version is plain, a user is one, and nothing is long.
fn check_texts(
    version: &str,
    [arch, user, file]: [&Option<String>; 3],
    description: &str,
) -> ApiResult<()> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+~".contains(&byte);
    let short = |text: &str| (1..=LONGEST_VERSION).contains(&text.len()) && text.bytes().all(plain);
    let mistakes = [
        (!short(version)).then_some("version: use up to 64 letters, digits, '-', '_' and '.'"),
        (!arch.as_deref().is_none_or(short)).then_some("arch: this is no kind of machine"),
        (!user
            .as_deref()
            .is_none_or(hostler_core::vm::bounds::is_user))
        .then_some("default_user: this is no name of a user"),
        file.as_ref()
            .is_some_and(|file| file.len() > LONGEST_TEXT)
            .then_some("file: it is too long"),
        (description.len() > LONGEST_TEXT).then_some("description: it is too long"),
    ];
    let mistakes: Vec<String> = mistakes.into_iter().flatten().map(str::to_owned).collect();
    if mistakes.is_empty() {
        Ok(())
    } else {
        Err(ApiError::invalid(&mistakes))
    }
}

fn not_registered(error: ImageInsertError) -> ApiError {
    let text = error.to_string();
    match error {
        ImageInsertError::Taken { .. } => {
            ApiError::new(Code::Conflict, text).hint("give it another version")
        }
        ImageInsertError::ArtifactUnknown { digest, .. } => ApiError::new(Code::Invalid, text)
            .hint(format!("upload it first: PUT /artifacts/{digest}")),
        ImageInsertError::Store(error) => failed(&error),
    }
}

fn failed(error: &StoreError) -> ApiError {
    ApiError::internal("looking at images", error)
}

fn show(row: ImageRow) -> rest::Image {
    let (spec, about) = (row.spec.clone(), row.spec.about);
    rest::Image {
        id: row.id,
        name: spec.name.to_string(),
        version: spec.version,
        project: spec.project.to_string(),
        digest: spec.digest,
        format: spec.format,
        bytes: spec.bytes,
        virtual_size: spec.virtual_size.get(),
        arch: about.arch,
        default_user: about.default_user,
        distribution: about.distribution,
        family: about.family,
        revision: about.revision,
        image: about.file,
        description: about.description,
        created_at: datetime(row.created_at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_the_originals_has_a_short_name() {
        let check = |file: &str, version: &str, expected: &str| {
            assert_eq!(short_name(file, version), expected);
        };
        check("distribox-debian-12.qcow2", "12", "debian");
        check("distribox-ubuntu-22.04.qcow2", "22.04", "ubuntu");
        check("my image.qcow2", "1", "my-image");
    }
}
