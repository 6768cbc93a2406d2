//! What happens to every request before its route, outermost first: secrets in
//! headers are marked so that no log shows them; the request gets an id that
//! the answer carries; a span holds the id, method and path; a panic becomes
//! an internal error; answers say that they are not for caches or frames.

use std::any::Any;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use hostler_wire::node_api::TOKEN_HEADER;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::request_id::{
    MakeRequestUuid, PropagateRequestIdLayer, RequestId, SetRequestIdLayer,
};
use tower_http::sensitive_headers::SetSensitiveRequestHeadersLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::trace::TraceLayer;

use super::error::{ApiError, ApiResult, Code};

/// The largest JSON body, in bytes.
pub(crate) const LARGEST_BODY: usize = 1 << 20;

/// How long a handler may take to begin its answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The router with everything around it.
pub(crate) fn wrap(router: Router) -> Router {
    let secret_headers = [
        header::AUTHORIZATION,
        header::COOKIE,
        HeaderName::from_static(TOKEN_HEADER),
    ];
    // What fails is logged where it is handled, once; that something is not
    // there now is no failure.
    let trace = TraceLayer::new_for_http()
        .make_span_with(span)
        .on_failure(());
    let stack = ServiceBuilder::new()
        .layer(SetSensitiveRequestHeadersLayer::new(secret_headers))
        .layer(middleware::from_fn(own_request_id))
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(trace)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(answer_header("x-content-type-options", "nosniff"))
        .layer(answer_header("x-frame-options", "DENY"))
        .layer(answer_header("referrer-policy", "no-referrer"))
        .layer(answer_header("cache-control", "no-store"))
        .layer(answer_header("content-security-policy", NOTHING_LOADS))
        .layer(DefaultBodyLimit::max(LARGEST_BODY));
    router.layer(stack)
}

const NOTHING_LOADS: &str = "default-src 'none'; frame-ancestors 'none'";

fn answer_header(name: &'static str, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(
        HeaderName::from_static(name),
        HeaderValue::from_static(value),
    )
}

/// A caller's own request id is kept when it is short and plain; else it is
/// dropped, so that nobody writes novels into our log.
async fn own_request_id(mut request: Request, next: Next) -> Response {
    let name = HeaderName::from_static("x-request-id");
    let plain = |value: &HeaderValue| {
        let bytes = value.as_bytes();
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
        bytes.len() <= 64 && bytes.iter().all(allowed)
    };
    if !request.headers().get(&name).is_some_and(plain) {
        request.headers_mut().remove(&name);
    }
    next.run(request).await
}

fn span<B>(request: &axum::http::Request<B>) -> tracing::Span {
    let id = request.extensions().get::<RequestId>();
    let id = id.and_then(|id| id.header_value().to_str().ok());
    tracing::info_span!(
        "request",
        id = id.unwrap_or_default(),
        method = %request.method(),
        path = request.uri().path(),
    )
}

#[derive(Debug, thiserror::Error)]
#[error("a panic: {0}")]
struct Panicked(String);

// The layer hands the panic over by value.
#[allow(clippy::needless_pass_by_value)]
fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
    ApiError::internal("handling the request", &Panicked(text.unwrap_or_default())).into_response()
}

/// Around a route: gives up on a handler that does not begin its answer.
pub(super) async fn deadline(request: Request, next: Next) -> ApiResult<Response> {
    let answer = tokio::time::timeout(PATIENCE, next.run(request)).await;
    answer.map_err(|_| {
        ApiError::new(Code::Unavailable, "this took too long and was given up")
            .hint("send the same request again, with the same Idempotency-Key if it had one")
    })
}

/// Around a route: counts and times it, by route and not by path.
pub(super) async fn measured(path: Option<MatchedPath>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().to_string();
    let answer = next.run(request).await;
    let labels = [
        ("method", method),
        (
            "route",
            path.map_or_else(String::new, |path| path.as_str().to_owned()),
        ),
        ("status", answer.status().as_str().to_owned()),
    ];
    metrics::histogram!("hostler_http_seconds", &labels).record(started.elapsed().as_secs_f64());
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Ask;

    async fn broken() -> &'static str {
        panic!("the secret is hunter2")
    }

    #[tokio::test]
    async fn a_panic_is_an_error_of_ours_that_tells_nothing() {
        let router = wrap(Router::new().route("/", axum::routing::get(broken)));
        let answer = Ask::get("/").send(&router).await;
        assert!(answer.headers.contains_key("x-request-id"));
        assert!(!String::from_utf8_lossy(&answer.bytes).contains("hunter2"));
        answer.refused(500, "internal");
    }
}
