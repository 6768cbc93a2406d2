//! Extractors that answer with the one error envelope. Handlers use these and
//! never axum's own, whose rejections are plain text.

use std::fmt;
use std::marker::PhantomData;

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::error::{ApiError, Code};
use super::strict::Strict;

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
        match axum::Json::<Object<T>>::from_request(request, state).await {
            Ok(axum::Json(Object(body))) => Ok(Self(body)),
            Err(rejection) => Err(json_error(&rejection)),
        }
    }
}

impl<T: DeserializeOwned> Json<T> {
    /// Reads a body that was received already.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, ApiError> {
        axum::Json::<Object<T>>::from_bytes(bytes)
            .map(|axum::Json(Object(body))| Self(body))
            .map_err(|rejection| json_error(&rejection))
    }
}

/// A body that is an object, as all of ours are ([`Strict`]).
struct Object<T>(T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Members(PhantomData)).map(Self)
    }
}

/// Reads the members of an object.
struct Members<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for Members<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
        T::deserialize(Strict(MapAccessDeserializer::new(members)))
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
