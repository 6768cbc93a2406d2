//! The one error envelope, and the fixed table of which status means what.
//!
//! | status | code | meaning |
//! |---|---|---|
//! | 400 | `bad_request` | not readable: broken JSON, a bad id, a bad query |
//! | 401 | `unauthenticated` | no secret, or one that nobody knows |
//! | 403 | `missing_policy` | known, but without the policy that is named |
//! | 404 | `not_found` | no such thing, or another project's |
//! | 405 | `method_not_allowed` | the path exists, the method does not |
//! | 409 | `conflict` | the present state forbids it |
//! | 410 | `gone` | it was here and will not come back |
//! | 413 | `too_large` | the body is larger than allowed |
//! | 415 | `unsupported_media_type` | the body is not of the wanted type |
//! | 416 | `range` | a part was asked for that is not there |
//! | 422 | `invalid` | readable and wrong; every mistake is in the text |
//! | 429 | `too_many` | later |
//! | 500 | `internal` | our fault; the log has it under the request's id |
//! | 503 | `unavailable` | something this needs is not there now |
//!
//! An internal cause never reaches the caller. It is logged here, once, inside
//! the request's span, which carries the id the caller was given.

use std::error::Error;
use std::fmt::Write as _;
use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hostler_core::access::Policy;
use hostler_wire::rest::ErrorBody;

/// What kind of failure it is: one line of the table above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    BadRequest,
    Unauthenticated,
    MissingPolicy,
    NotFound,
    MethodNotAllowed,
    Conflict,
    Gone,
    TooLarge,
    UnsupportedMediaType,
    Range,
    Invalid,
    TooMany,
    Internal,
    Unavailable,
}

impl Code {
    /// The table.
    const fn row(self) -> (StatusCode, &'static str) {
        match self {
            Self::BadRequest => (StatusCode::BAD_REQUEST, "bad_request"),
            Self::Unauthenticated => (StatusCode::UNAUTHORIZED, "unauthenticated"),
            Self::MissingPolicy => (StatusCode::FORBIDDEN, "missing_policy"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::Conflict => (StatusCode::CONFLICT, "conflict"),
            Self::Gone => (StatusCode::GONE, "gone"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Self::UnsupportedMediaType => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type")
            }
            Self::Range => (StatusCode::RANGE_NOT_SATISFIABLE, "range"),
            Self::Invalid => (StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
            Self::TooMany => (StatusCode::TOO_MANY_REQUESTS, "too_many"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        }
    }
}

/// What a handler fails with.
#[derive(Debug)]
pub(crate) struct ApiError {
    code: Code,
    text: String,
    hint: Option<String>,
    missing_policy: Option<String>,
    retry_after: Option<Duration>,
}

/// What a handler answers.
pub(crate) type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    /// A failure of this kind, told in this text.
    pub(crate) fn new(code: Code, text: impl Into<String>) -> Self {
        Self {
            code,
            text: text.into(),
            hint: None,
            missing_policy: None,
            retry_after: None,
        }
    }

    /// Later, after this span.
    pub(crate) fn wait(span: Duration, why: &str) -> Self {
        let mut error = Self::new(Code::TooMany, why);
        error.retry_after = Some(span);
        error
    }

    /// Whether the caller proved nothing.
    pub(crate) fn is_unauthenticated(&self) -> bool {
        self.code == Code::Unauthenticated
    }

    /// The same, with what to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// There is no such thing, or it is not the caller's to know.
    pub(crate) fn not_found(kind: &str, id: impl std::fmt::Display) -> Self {
        Self::new(Code::NotFound, format!("there is no {kind} {id}"))
    }

    /// What a deletion answers: nothing, or that there was no such thing.
    pub(crate) fn unless_deleted(
        deleted: bool,
        kind: &str,
        id: impl std::fmt::Display,
    ) -> ApiResult<StatusCode> {
        if deleted {
            Ok(StatusCode::NO_CONTENT)
        } else {
            Err(Self::not_found(kind, id))
        }
    }

    /// Readable and wrong, in this many ways.
    pub(crate) fn invalid(mistakes: &[String]) -> Self {
        Self::new(Code::Invalid, mistakes.join("; "))
    }

    /// Nobody the service knows.
    pub(crate) fn unauthenticated(text: &str) -> Self {
        Self::new(Code::Unauthenticated, text)
    }

    /// Known, and not allowed.
    pub(crate) fn missing_policy(policy: Policy) -> Self {
        let mut error = Self::new(
            Code::MissingPolicy,
            format!("this token lacks the policy {policy}"),
        )
        .hint("ask somebody who has it for a token that carries it");
        error.missing_policy = Some(policy.to_string());
        error
    }

    /// Our fault. The cause goes to the log, now, and nowhere else.
    pub(crate) fn internal(doing: &str, cause: &(dyn Error + 'static)) -> Self {
        tracing::error!(error = %chain(cause), "{doing} failed");
        Self::new(Code::Internal, "something failed on this side")
            .hint("the log has the cause under this answer's x-request-id")
    }
}

/// An error and all its causes in one line.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let _ = write!(text, ": {cause}");
        next = cause.source();
    }
    text
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code) = self.code.row();
        let body = ErrorBody {
            error: self.text,
            code: code.to_owned(),
            hint: self.hint,
            missing_policy: self.missing_policy,
        };
        let mut answer = (status, Json(body)).into_response();
        if let Some(span) = self.retry_after {
            let seconds = span.as_millis().div_ceil(1_000).to_string();
            let value = HeaderValue::from_str(&seconds);
            answer
                .headers_mut()
                .extend(value.map(|value| (header::RETRY_AFTER, value)));
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("writing the row")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn a_cause_is_in_the_chain_and_not_in_the_answer() {
        let error = Outer(std::io::Error::other("disk secret-7 is full"));
        assert_eq!(chain(&error), "writing the row: disk secret-7 is full");
        let answer = ApiError::internal("creating", &error);
        assert!(!answer.text.contains("secret-7"));
        assert_eq!(answer.into_response().status(), 500);
    }
}
