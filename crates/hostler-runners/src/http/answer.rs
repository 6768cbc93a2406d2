//! Failures as answers: one envelope, and a fixed status for each kind.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hostler_core::runner::{Reason, ReasonCode};
use hostler_wire::rest::ErrorBody;

use crate::manager::ManagerError;

/// A failed request.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    body: ErrorBody,
    retry_after: Option<Duration>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &str, error: impl Into<String>) -> Self {
        let body = ErrorBody {
            error: error.into(),
            code: code.to_owned(),
            hint: None,
            missing_policy: None,
        };
        Self {
            status,
            body,
            retry_after: None,
        }
    }

    pub(crate) fn invalid(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", error)
    }

    pub(crate) fn not_found(error: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", error)
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.body.hint = Some(hint.into());
        self
    }

    fn refused(error: &ManagerError, reason: &Reason, retry_after: Option<Duration>) -> Self {
        let (status, code) = refusal(reason.code);
        let mut problem = Self::new(status, code, error.to_string());
        problem.retry_after = retry_after;
        problem.body.hint.clone_from(&reason.hint);
        problem
    }
}

const fn refusal(code: ReasonCode) -> (StatusCode, &'static str) {
    match code {
        ReasonCode::QuotaExceeded => (StatusCode::TOO_MANY_REQUESTS, "quota_exceeded"),
        ReasonCode::Throttled => (StatusCode::TOO_MANY_REQUESTS, "throttled"),
        ReasonCode::NoCapacity => (StatusCode::SERVICE_UNAVAILABLE, "no_capacity"),
        ReasonCode::ProviderUnreachable => {
            (StatusCode::SERVICE_UNAVAILABLE, "provider_unreachable")
        }
        ReasonCode::Denied => (StatusCode::BAD_GATEWAY, "provider_denied"),
        _ => (StatusCode::BAD_GATEWAY, "provider_refused"),
    }
}

impl From<ManagerError> for Problem {
    fn from(error: ManagerError) -> Self {
        let text = error.to_string();
        match &error {
            ManagerError::Invalid(_) => Self::invalid(text),
            ManagerError::NotFound(_) => Self::not_found(text),
            ManagerError::KeyReused => Self::new(StatusCode::CONFLICT, "key_reused", text),
            ManagerError::Bounds(_) => Self::new(StatusCode::CONFLICT, "bounds", text),
            ManagerError::Busy(_) => Self::new(StatusCode::CONFLICT, "busy", text),
            ManagerError::Refused {
                reason,
                retry_after,
            } => Self::refused(&error, reason, *retry_after),
            ManagerError::Unavailable(_) | ManagerError::Book(_) => {
                let mut problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", text);
                problem.retry_after = Some(Duration::from_secs(5));
                problem
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        if let Some(pause) = self.retry_after {
            let seconds = HeaderValue::from(pause.as_secs().max(1));
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}
