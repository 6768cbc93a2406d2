//! Extractors that answer with the one error envelope. Handlers use these and
//! never axum's own, whose rejections are plain text.

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::error::{ApiError, Code};

/// A JSON body.
pub(crate) struct Json<T>(pub(crate) T);

/// The query string.
pub(crate) struct Query<T>(pub(crate) T);

/// The parameters in the path.
pub(crate) struct Path<T>(pub(crate) T);

impl<T, S> FromRequest<S> for Json<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        match axum::Json::<T>::from_request(request, state).await {
            Ok(axum::Json(body)) => Ok(Self(body)),
            Err(rejection) => Err(json_error(&rejection)),
        }
    }
}

impl<T: DeserializeOwned> Json<T> {
    /// Reads a body that was received already.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, ApiError> {
        axum::Json::<T>::from_bytes(bytes)
            .map(|axum::Json(body)| Self(body))
            .map_err(|rejection| json_error(&rejection))
    }
}

/// Broken JSON is a bad request; JSON of another shape is invalid.
fn json_error(rejection: &JsonRejection) -> ApiError {
    let code = match rejection {
        JsonRejection::JsonDataError(_) => Code::Invalid,
        JsonRejection::MissingJsonContentType(_) => {
            return ApiError::new(Code::UnsupportedMediaType, "the body is not JSON")
                .hint("send the header content-type: application/json");
        }
        other if other.status() == StatusCode::PAYLOAD_TOO_LARGE => Code::TooLarge,
        _ => Code::BadRequest,
    };
    ApiError::new(code, rejection.body_text())
}

impl<T, S> FromRequestParts<S> for Query<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        axum::extract::Query::<T>::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Query(query)| Self(query))
            .map_err(|error: QueryRejection| ApiError::new(Code::BadRequest, error.body_text()))
    }
}

impl<T, S> FromRequestParts<S> for Path<T>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        axum::extract::Path::<T>::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Path(path)| Self(path))
            .map_err(|error: PathRejection| ApiError::new(Code::BadRequest, error.body_text()))
    }
}
