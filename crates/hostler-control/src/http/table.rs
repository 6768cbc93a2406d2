//! The table of routes: each line names a method, a path, what it demands of
//! the caller, and the handler. A line whose method or path is not the one in
//! the handler's API description is a mistake that a test finds.
//!
//! Whoever calls is admitted before the handler sees anything of the request,
//! its body included.

use axum::Router;
use axum::http::Method;
use axum::middleware::{from_fn, from_fn_with_state};
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::SecurityRequirement;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use super::auth::{Demand, admit};
use super::layers::{deadline, measured};
use super::openapi::{NODE_KEY, TOKEN};
use crate::state::App;

/// One line of the table, as tests read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) demand: Demand,
}

/// The table while it is written.
pub(crate) struct Table {
    app: App,
    router: OpenApiRouter<App>,
    lines: Vec<Line>,
}

impl Table {
    /// An empty table with this description of the API.
    pub(crate) fn new(app: App, api: OpenApi) -> Self {
        Self {
            app,
            router: OpenApiRouter::with_openapi(api),
            lines: Vec::new(),
        }
    }

    /// A route that answers soon.
    pub(crate) fn route(
        self,
        method: Method,
        path: &'static str,
        demand: Demand,
        (schemas, paths, handler): UtoipaMethodRouter<App>,
    ) -> Self {
        let handler = handler.route_layer(from_fn(deadline));
        self.unhurried(method, path, demand, (schemas, paths, handler))
    }

    /// A route that takes as long as its body does.
    pub(crate) fn unhurried(
        mut self,
        method: Method,
        path: &'static str,
        demand: Demand,
        (schemas, paths, handler): UtoipaMethodRouter<App>,
    ) -> Self {
        let admitted = from_fn_with_state((self.app.clone(), demand), admit);
        let handler = handler.route_layer(admitted).route_layer(from_fn(measured));
        self.router = self.router.routes((schemas, paths, handler));
        self.lines.push(Line {
            method,
            path,
            demand,
        });
        self
    }

    /// The router, the description of its API, and the lines.
    pub(crate) fn finish(self) -> (Router, OpenApi, Vec<Line>) {
        let (router, mut api) = self.router.split_for_parts();
        for line in &self.lines {
            if let Some(operation) = operation(&mut api, line) {
                describe(operation, line.demand);
                may_fail(operation);
            }
        }
        (router.with_state(self.app), api, self.lines)
    }
}

/// The description of this line's route, if the handler has the same method
/// and path as the line.
pub(crate) fn operation<'a>(api: &'a mut OpenApi, line: &Line) -> Option<&'a mut Operation> {
    let item = api.paths.paths.get_mut(line.path)?;
    let operation = match line.method.as_str() {
        "GET" => &mut item.get,
        "PUT" => &mut item.put,
        "POST" => &mut item.post,
        "PATCH" => &mut item.patch,
        "DELETE" => &mut item.delete,
        _ => return None,
    };
    operation.as_mut()
}

/// What can be refused can fail as well, and is answered alike: something that
/// it needs is not there (503), or it is our fault (500).
fn may_fail(operation: &mut Operation) {
    let responses = &mut operation.responses.responses;
    if let Some(refused) = responses.get("4XX").cloned() {
        responses.entry("5XX".to_owned()).or_insert(refused);
    }
}

/// Says in the description what the line demands.
fn describe(operation: &mut Operation, demand: Demand) {
    let (policy, schemes): (_, &[&str]) = match demand {
        Demand::Nothing => return,
        Demand::Policy(policy) | Demand::PolicyOrJoin(policy) | Demand::PolicyOrShare(policy) => {
            (Some(policy), &[TOKEN])
        }
        Demand::PolicyOrNode(policy) => (Some(policy), &[TOKEN, NODE_KEY]),
        Demand::Node => (None, &[NODE_KEY]),
        Demand::Anyone => (None, &[TOKEN]),
    };
    let nothing = std::iter::empty::<String>;
    let scheme = |name: &&str| SecurityRequirement::new(*name, nothing());
    operation.security = Some(schemes.iter().map(scheme).collect());
    if let Some(policy) = policy {
        operation.description = Some(format!("Demands the policy `{policy}`."));
    }
}
