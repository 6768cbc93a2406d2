//! The HTTP API over a manager.
//!
//! [`routes`] is the table: each line says who may call, and whoever serves it
//! puts their own lock before it. [`service`] is the one of the standalone
//! manager, whose lock is a bearer token.

mod answer;
mod auth;
mod handlers;
mod read;

use std::sync::Arc;

use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};
use axum::{Extension, Router};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;

use crate::manager::Manager;
pub use auth::{Scope, Token, TokenError, Tokens};

/// Renders the numbers for Prometheus.
pub type MetricsText = Arc<dyn Fn() -> String + Send + Sync>;

/// The largest body that is read.
const BODY: usize = 1 << 20;

/// Who calls, for the record of who asked for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller(pub String);

/// What a route demands of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// Nothing.
    Open,
    /// That they may read, add or remove.
    Needs(Scope),
}

/// One line of the table.
pub struct Route {
    /// Its path.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    /// What answers.
    pub handler: MethodRouter<Manager>,
}

const READ: Access = Access::Needs(Scope::Read);
const ADD: Access = Access::Needs(Scope::Add);
const REMOVE: Access = Access::Needs(Scope::Remove);

/// The routes about runners.
pub fn routes() -> Vec<Route> {
    let line = |path, access, handler| Route {
        path,
        access,
        handler,
    };
    vec![
        line("/runners", READ, get(handlers::list)),
        line("/runners/add", ADD, post(handlers::add)),
        line("/runners/remove", REMOVE, post(handlers::remove)),
        line("/runners/{id}", READ, get(handlers::one)),
        line("/jobs", READ, get(handlers::jobs)),
        line("/jobs/{id}", READ, get(handlers::job)),
        line("/pools", READ, get(handlers::pools)),
        line("/nodes", READ, get(handlers::hosts)),
        line("/nodes/{name}/adopt", ADD, post(handlers::adopt)),
        line("/doctor", READ, get(handlers::doctor)),
    ]
}

/// The routes without any lock, for whoever has put their own before them. Who
/// calls is told by an extension, [`Caller`].
pub fn unlocked(manager: Manager) -> Router {
    let add = |router: Router<Manager>, route: Route| router.route(route.path, route.handler);
    let router = routes().into_iter().fold(Router::new(), add);
    router.fallback(nothing_here).with_state(manager)
}

/// The whole service of a standalone manager.
pub fn service(manager: Manager, tokens: &Arc<Tokens>, metrics: Option<MetricsText>) -> Router {
    let own = [
        ("/", Access::Open, get(handlers::root)),
        ("/health", Access::Open, get(handlers::health)),
        ("/ready", Access::Open, get(handlers::ready)),
        ("/metrics", READ, get(handlers::metrics)),
    ];
    let own = own.map(|(path, access, handler)| Route {
        path,
        access,
        handler,
    });
    let mut router = Router::new();
    for route in own.into_iter().chain(routes()) {
        let lock = (Arc::clone(tokens), route.access);
        let handler = route
            .handler
            .route_layer(from_fn_with_state(lock, auth::admit));
        router = router.route(route.path, handler);
    }
    router
        .fallback(nothing_here)
        .method_not_allowed_fallback(not_so)
        .layer(Extension(metrics))
        .layer(RequestBodyLimitLayer::new(BODY))
        .layer(CatchPanicLayer::new())
        .with_state(manager)
}

async fn nothing_here() -> answer::Problem {
    answer::Problem::new(
        StatusCode::NOT_FOUND,
        "not_found",
        "there is nothing at this path",
    )
}

async fn not_so() -> answer::Problem {
    let status = StatusCode::METHOD_NOT_ALLOWED;
    answer::Problem::new(status, "method_not_allowed", "this path has no such method")
}
