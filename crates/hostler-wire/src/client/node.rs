//! The control plane's view of a node: order, look, and nothing else.

use std::time::Duration;

use hostler_core::id::{VmId, WorkloadId};
use reqwest::Method;

use super::console::{Console, ConsoleKind};
use super::error::ClientError;
use super::http::{ByteStream, Call, Http};
use crate::node_api::{Ensure, Entry, HostInfo, TOKEN_HEADER, VmDefinition, VmEnsure, VmEntry};
use crate::rest::Health;

/// A client of one node's API. Cheap to clone; keeps its connections.
#[derive(Clone)]
pub struct NodeClient {
    http: Http,
    key: String,
}

impl std::fmt::Debug for NodeClient {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NodeClient")
            .field("base", &self.base())
            .finish_non_exhaustive()
    }
}

impl NodeClient {
    /// A client of the node at `base` with the key that both sides know; no
    /// request is made.
    pub fn new(base: &str, key: &str) -> Result<Self, ClientError> {
        let http = Http::new(base)?;
        let key = key.to_owned();
        Ok(Self { http, key })
    }

    /// The node's address.
    pub fn base(&self) -> &str {
        self.http.base()
    }

    /// `PUT /workloads/{id}`: what should be there. Safe to send again.
    pub async fn ensure(
        &self,
        id: WorkloadId,
        ensure: &Ensure,
        deadline: Duration,
    ) -> Result<Entry, ClientError> {
        let id = id.to_string();
        let call = self.call(Method::PUT, &["workloads", &id], deadline);
        call.json(ensure).answer().await
    }

    /// `PUT /vms/{id}`: what should be there. Safe to send again.
    pub async fn vm_ensure(
        &self,
        id: VmId,
        ensure: &VmEnsure,
        deadline: Duration,
    ) -> Result<VmEntry, ClientError> {
        let id = id.to_string();
        let call = self.call(Method::PUT, &["vms", &id], deadline);
        call.json(ensure).answer().await
    }

    /// `GET /vms/{id}/definition`: what a machine of ours is.
    pub async fn vm_definition(
        &self,
        id: VmId,
        deadline: Duration,
    ) -> Result<VmDefinition, ClientError> {
        let id = id.to_string();
        let call = self.call(Method::GET, &["vms", &id, "definition"], deadline);
        call.answer().await
    }

    /// `GET /vms/{id}/screenshot`: a PNG.
    pub async fn vm_screenshot(
        &self,
        id: VmId,
        deadline: Duration,
    ) -> Result<ByteStream, ClientError> {
        let id = id.to_string();
        let call = self.call(Method::GET, &["vms", &id, "screenshot"], deadline);
        call.bytes().await
    }

    /// `GET /vms/{id}/console/{kind}`.
    pub async fn vm_console(&self, id: VmId, kind: ConsoleKind) -> Result<Console, ClientError> {
        let id = id.to_string();
        let path = ["vms", &id, "console", kind.as_str()];
        Console::open(&self.http, &path, (TOKEN_HEADER, &self.key)).await
    }

    /// `GET /workloads`: the whole ledger, tombstones included.
    pub async fn ledger(&self, deadline: Duration) -> Result<Vec<Entry>, ClientError> {
        self.call(Method::GET, &["workloads"], deadline)
            .answer()
            .await
    }

    /// `GET /host/info`: what the machine has.
    pub async fn host_info(&self, deadline: Duration) -> Result<HostInfo, ClientError> {
        self.call(Method::GET, &["host", "info"], deadline)
            .answer()
            .await
    }

    /// `GET /health`: whether the daemon lives.
    pub async fn health(&self, deadline: Duration) -> Result<Health, ClientError> {
        self.call(Method::GET, &["health"], deadline).answer().await
    }

    fn call(&self, method: Method, path: &[&str], deadline: Duration) -> Call {
        let key = |builder: reqwest::RequestBuilder| builder.header(TOKEN_HEADER, &self.key);
        self.http.request(method, path).with(key).within(deadline)
    }
}
