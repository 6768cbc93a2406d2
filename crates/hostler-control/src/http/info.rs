//! What the service says of itself: that it is here, that it lives, that it is
//! ready, and its numbers.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use hostler_wire::rest::{self, Check};

use super::error::{ApiError, ApiResult, Code};
use crate::state::App;

/// Who answers here.
#[utoipa::path(get, path = "/", tag = "service",
    responses((status = 200, body = rest::ServiceInfo)))]
pub(crate) async fn root() -> axum::Json<rest::ServiceInfo> {
    axum::Json(rest::ServiceInfo {
        service: "hostler".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        openapi: "/openapi.json".to_owned(),
    })
}

/// Whether the process lives. Asks nobody else.
#[utoipa::path(get, path = "/health", tag = "service",
    responses((status = 200, body = rest::Health)))]
pub(crate) async fn health() -> axum::Json<rest::Health> {
    axum::Json(rest::Health {
        status: "ok".to_owned(),
    })
}

/// Whether everything it needs works. Says what does not; the log says why.
#[utoipa::path(get, path = "/ready", tag = "service",
    responses((status = 200, body = rest::Readiness), (status = 503, body = rest::Readiness)))]
pub(crate) async fn ready(State(app): State<App>) -> (StatusCode, axum::Json<rest::Readiness>) {
    let mut checks = vec![check(
        "database",
        app.store.ping().await.is_ok(),
        "does not answer",
    )];
    for (name, status) in app.passes.statuses() {
        let problem = match &status.problem {
            Some(_) => "failed when it ran last; the log has the cause",
            None => "has been running for too long",
        };
        let fine = status.problem.is_none() && !status.is_stuck();
        checks.push(check(name, fine, problem));
    }
    let ready = checks.iter().all(|check| check.ok);
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, axum::Json(rest::Readiness { ready, checks }))
}

fn check(name: &str, ok: bool, problem: &str) -> Check {
    Check {
        name: name.to_owned(),
        ok,
        problem: (!ok).then(|| problem.to_owned()),
    }
}

/// Numbers for Prometheus. They tell who runs how much, so they need a policy.
#[utoipa::path(get, path = "/metrics", tag = "service",
    responses((status = 200, body = String, content_type = "text/plain"),
        (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn metrics(State(app): State<App>) -> ApiResult<Response> {
    let Some(render) = &app.metrics else {
        return Err(ApiError::new(
            Code::Unavailable,
            "this process records no metrics",
        ));
    };
    let kind = (
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    );
    Ok(([kind], render()).into_response())
}
