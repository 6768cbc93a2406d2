//! Which failure is which status, and the one envelope of all of them.

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hostler_wire::rest::ErrorBody;

use crate::hypervisor::machines::MachineError;
use crate::report::report;
use crate::vms::VmEnsureError;
use crate::workloads::EnsureError;

/// A request that failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    #[error("this node's key is needed in X-Slave-Token")]
    NoKey,
    #[error("there is no such route")]
    NoRoute,
    #[error("this route does not take this method")]
    NoMethod,
    #[error(transparent)]
    Path(#[from] PathRejection),
    #[error(transparent)]
    Body(#[from] JsonRejection),
    #[error(transparent)]
    Ensure(#[from] EnsureError),
    #[error(transparent)]
    Vm(#[from] VmEnsureError),
    #[error(transparent)]
    Machine(#[from] MachineError),
    #[error("a console is a WebSocket: ask with an Upgrade header")]
    NoUpgrade,
}

impl ApiError {
    fn status(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NoKey => (StatusCode::UNAUTHORIZED, "unauthenticated"),
            Self::NoRoute => (StatusCode::NOT_FOUND, "not_found"),
            Self::NoMethod => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::Path(_) => (StatusCode::BAD_REQUEST, "bad_request"),
            Self::Body(rejection) => match rejection.status() {
                status @ StatusCode::PAYLOAD_TOO_LARGE => (status, "too_large"),
                status @ StatusCode::UNSUPPORTED_MEDIA_TYPE => (status, "unsupported_media_type"),
                status @ StatusCode::UNPROCESSABLE_ENTITY => (status, "invalid"),
                status => (status, "bad_request"),
            },
            Self::Ensure(error) => match error {
                EnsureError::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
                EnsureError::Stale => (StatusCode::CONFLICT, "stale"),
                EnsureError::NotFleet => (StatusCode::CONFLICT, "not_fleet"),
                EnsureError::LameDuck => (StatusCode::SERVICE_UNAVAILABLE, "lame_duck"),
                EnsureError::Ledger(_) => (StatusCode::SERVICE_UNAVAILABLE, "ledger"),
                EnsureError::Seal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
                EnsureError::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
            },
            Self::Vm(error) => match error {
                VmEnsureError::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
                VmEnsureError::Stale => (StatusCode::CONFLICT, "stale"),
                VmEnsureError::NotLocal => (StatusCode::CONFLICT, "not_local"),
                VmEnsureError::NotKept => (StatusCode::CONFLICT, "not_kept"),
                VmEnsureError::NoVms => (StatusCode::SERVICE_UNAVAILABLE, "no_vms"),
                VmEnsureError::Unknown => (StatusCode::NOT_FOUND, "not_found"),
                VmEnsureError::Book(_) => (StatusCode::SERVICE_UNAVAILABLE, "ledger"),
                VmEnsureError::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
            },
            Self::Machine(MachineError::Refused(_)) => (StatusCode::CONFLICT, "refused"),
            Self::Machine(_) => (StatusCode::SERVICE_UNAVAILABLE, "hypervisor"),
            Self::NoUpgrade => (StatusCode::UPGRADE_REQUIRED, "upgrade_required"),
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Ensure(EnsureError::LameDuck) => Some("set this node to draining"),
            _ => None,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code) = self.status();
        let error = report(&self).to_string();
        if status.is_server_error() {
            tracing::warn!(error, "could not answer a request");
        }
        let body = ErrorBody {
            error,
            code: code.to_owned(),
            hint: self.hint().map(ToOwned::to_owned),
            missing_policy: None,
        };
        (status, Json(body)).into_response()
    }
}
