//! `PUT /artifacts/{digest}`: the bytes go to a file as they come, are checked
//! against the digest and for what they are, and only then are an artifact.
//! The same upload again changes nothing.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use hostler_core::artifact::ArtifactKind;
use hostler_store::NewArtifact;
use hostler_wire::rest;

use super::{ProjectQuery, digest, show};
use crate::artifacts::ReceiveError;
use crate::http::auth::User;
use crate::http::error::{ApiError, ApiResult, Code};
use crate::http::extract::{Path, Query};
use crate::state::App;

/// The header in which a caller may say what the bytes are.
const KIND_HEADER: &str = "x-artifact-kind";

/// Uploads an artifact: a static Linux executable, a WebAssembly module, a JavaScript
/// file, or a disk (`x-artifact-kind: qcow2` or `raw`, which may be larger).
#[utoipa::path(put, path = "/artifacts/{digest}", tag = "artifacts",
    params(("digest" = String, Path, description = "SHA-256 of the body, in lower-case hex."),
        ProjectQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = rest::Artifact), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn upload(
    State(app): State<App>,
    user: User,
    Path(text): Path<String>,
    Query(query): Query<ProjectQuery>,
    request: Request,
) -> ApiResult<(StatusCode, axum::Json<rest::Artifact>)> {
    let (parts, body) = request.into_parts();
    let headers = parts.headers;
    let digest = digest(&text)?;
    let project = query.project(&user)?;
    let said = said_kind(&headers)?;
    app.files
        .admits(announced(&headers), said)
        .map_err(refusal)?;
    let stream = body.into_data_stream();
    let received = app.files.receive((digest, said), stream).await;
    let received = received.map_err(refusal)?;
    is_as_said(said, received.kind)?;
    let new = NewArtifact {
        digest: digest.to_string(),
        kind: received.kind,
        size: received.size,
        project,
    };
    let named = app.files.name(&received).await;
    let _named = named.map_err(|error| ApiError::internal("naming an artifact", &error))?;
    let row = app.store.artifact_insert(&user.by(app.now()), new).await;
    let row = row.map_err(|error| ApiError::internal("writing down an artifact", &error))?;
    Ok((StatusCode::OK, axum::Json(show(row))))
}

/// The length that the caller announces, if it does.
fn announced(headers: &HeaderMap) -> Option<u64> {
    let length = headers.get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

/// What the caller says that the bytes are.
fn said_kind(headers: &HeaderMap) -> ApiResult<Option<ArtifactKind>> {
    let Some(said) = headers.get(KIND_HEADER) else {
        return Ok(None);
    };
    let said = said.to_str().unwrap_or_default();
    let kind = serde_json::from_value(said.into());
    kind.map(Some).map_err(|_| {
        let text = format!("{KIND_HEADER}: '{said}' is no kind of artifact");
        ApiError::new(Code::Invalid, text).hint("say elf, wasm, qcow2 or raw, or nothing")
    })
}

/// Who says what the bytes are is held to it.
fn is_as_said(said: Option<ArtifactKind>, kind: ArtifactKind) -> ApiResult<()> {
    match said {
        Some(said) if said != kind => {
            let text = format!("the artifact is {}, not '{}'", kind.as_str(), said.as_str());
            Err(ApiError::new(Code::Invalid, text))
        }
        _ => Ok(()),
    }
}

pub(crate) fn refusal(error: ReceiveError) -> ApiError {
    let text = error.to_string();
    match error {
        ReceiveError::TooLarge { .. } => ApiError::new(Code::TooLarge, text),
        ReceiveError::WrongDigest { .. } => ApiError::new(Code::Invalid, text)
            .hint("the path names the SHA-256 of the whole body; upload it again"),
        ReceiveError::NoArtifact(why) => match why.hint() {
            Some(hint) => ApiError::new(Code::Invalid, text).hint(hint),
            None => ApiError::new(Code::Invalid, text),
        },
        ReceiveError::BrokeOff(_) | ReceiveError::Idle(_) => ApiError::new(Code::BadRequest, text),
        ReceiveError::Write(_) => ApiError::internal("keeping an artifact", &error),
    }
}
