//! The control plane's API, a method for each route; a file per resource.

mod access;
mod activity;
mod artifact;
mod node;
mod operation;
mod runner;
mod service;
mod user;
mod vm;
mod workload;

use std::time::Duration;

use reqwest::Method;

use super::error::ClientError;
use super::http::{Call, Http};

/// How long an ordinary request may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// A client of the control plane. Cheap to clone; keeps its connections.
#[derive(Clone)]
pub struct ControlClient {
    http: Http,
    bearer: String,
}

impl std::fmt::Debug for ControlClient {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ControlClient")
            .field("base", &self.base())
            .finish_non_exhaustive()
    }
}

impl ControlClient {
    /// A client of the control plane at `base`, as whom `bearer` stands for;
    /// with an empty one, as nobody. No request is made.
    pub fn new(base: &str, bearer: &str) -> Result<Self, ClientError> {
        let http = Http::new(base)?;
        let bearer = bearer.to_owned();
        Ok(Self { http, bearer })
    }

    /// The control plane's address.
    pub fn base(&self) -> &str {
        self.http.base()
    }

    /// A request as the bearer, without a deadline.
    fn unhurried(&self, method: Method, path: &[&str]) -> Call {
        let call = self.http.request(method, path);
        if self.bearer.is_empty() {
            call
        } else {
            call.with(|builder| builder.bearer_auth(&self.bearer))
        }
    }

    fn call(&self, method: Method, path: &[&str]) -> Call {
        self.unhurried(method, path).within(DEADLINE)
    }

    fn get(&self, path: &[&str]) -> Call {
        self.call(Method::GET, path)
    }

    fn post(&self, path: &[&str]) -> Call {
        self.call(Method::POST, path)
    }

    fn delete(&self, path: &[&str]) -> Call {
        self.call(Method::DELETE, path)
    }
}
