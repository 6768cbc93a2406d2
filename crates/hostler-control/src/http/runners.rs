//! Runners, their jobs, their pools and their machines: the routes of the
//! runner manager behind this API's locks.

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use hostler_wire::rest;
use tower::ServiceExt as _;

use super::auth::User;
use super::error::{ApiError, ApiResult, Code};
use crate::state::App;

/// Hands the request to the manager, without what this API's router noted in it.
async fn call(app: &App, user: &User, request: Request) -> ApiResult<Response> {
    let runners = app.runners.as_ref().ok_or_else(|| {
        let text = "this control plane has nothing that gives machines";
        ApiError::new(Code::Unavailable, text)
            .hint("start it with `hostler up --grow-to N` or `hostler control --runners PROVIDER`")
    })?;
    let (parts, body) = request.into_parts();
    let mut bare = Request::new(body);
    *bare.method_mut() = parts.method;
    *bare.uri_mut() = parts.uri;
    *bare.headers_mut() = parts.headers;
    let caller = hostler_runners::http::Caller(user.actor().name.clone());
    bare.extensions_mut().insert(caller);
    let answer = runners.routes.clone().oneshot(bare).await;
    app.passes.wake_all();
    Ok(answer.into_response())
}

/// Writes one handler and its description.
macro_rules! handlers {
    ($($name:ident: $doc:literal, $method:ident $path:literal, ($($more:tt)*);)*) => {$(
        #[doc = $doc]
        #[utoipa::path($method, path = $path, tag = "runners", $($more)*)]
        pub(crate) async fn $name(
            State(app): State<App>,
            user: User,
            request: Request,
        ) -> ApiResult<Response> {
            call(&app, &user, request).await
        }
    )*};
}

handlers! {
    list: "The runners.", get "/runners", (
        params(rest::RunnerQuery),
        responses((status = 200, body = Vec<rest::Runner>), (status = "4XX", body = rest::ErrorBody)));
    add: "Asks for machines.", post "/runners/add", (
        request_body = Option<rest::RunnersAdd>,
        responses((status = 201, body = rest::RunnersAdded), (status = "4XX", body = rest::ErrorBody)));
    remove: "Gives machines back.", post "/runners/remove", (
        request_body = Option<rest::RunnersRemove>,
        responses((status = 200, body = rest::RunnersRemoved), (status = 202, body = rest::RunnersRemoved),
            (status = "4XX", body = rest::ErrorBody)));
    one: "One runner.", get "/runners/{id}", (
        params(("id" = String, Path)),
        responses((status = 200, body = rest::Runner), (status = "4XX", body = rest::ErrorBody)));
    jobs: "The jobs.", get "/jobs", (
        responses((status = 200, body = Vec<rest::RunnerJob>), (status = "4XX", body = rest::ErrorBody)));
    job: "One job.", get "/jobs/{id}", (
        params(("id" = uuid::Uuid, Path)),
        responses((status = 200, body = rest::RunnerJob), (status = "4XX", body = rest::ErrorBody)));
    pools: "The pools, and how many runners each has.", get "/pools", (
        responses((status = 200, body = Vec<rest::RunnerPoolInfo>), (status = "4XX", body = rest::ErrorBody)));
    machines: "The provider's machines, managed or not.", get "/nodes", (
        responses((status = 200, body = Vec<rest::RunnerHost>), (status = "4XX", body = rest::ErrorBody)));
    adopt: "Makes a machine that is there a runner.", post "/nodes/{name}/adopt", (
        params(("name" = String, Path)),
        responses((status = 201, body = rest::RunnersAdded), (status = "4XX", body = rest::ErrorBody)));
    doctor: "Checks all that the provider needs.", get "/doctor", (
        responses((status = 200, body = rest::Readiness), (status = "4XX", body = rest::ErrorBody)));
}
