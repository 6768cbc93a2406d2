//! `/slaves` and `/join-tokens`: nodes, and how they come in.

use hostler_core::id::{NodeId, TokenId};
use reqwest::Method;

use super::super::error::ClientError;
use super::ControlClient;
use crate::node_api::{Heartbeat, HeartbeatReply, TOKEN_HEADER};
use crate::rest::{
    DrainRequest, JoinToken, JoinTokenCreate, JoinTokenCreated, Node, NodeNats, NodeNatsKey,
    NodeRegister, NodeRegistered, NodeUpdate, Operation,
};

impl ControlClient {
    /// `GET /slaves`: every node.
    pub async fn nodes(&self) -> Result<Vec<Node>, ClientError> {
        self.get(&["slaves"]).answer().await
    }

    /// `POST /slaves`: registers a node, as an admin or with a join token.
    pub async fn node_register(&self, body: &NodeRegister) -> Result<NodeRegistered, ClientError> {
        self.post(&["slaves"]).json(body).answer().await
    }

    /// `GET /slaves/{id}`.
    pub async fn node(&self, id: NodeId) -> Result<Node, ClientError> {
        self.get(&["slaves", &id.to_string()]).answer().await
    }

    /// `PATCH /slaves/{id}`: scheduling and labels.
    pub async fn node_update(&self, id: NodeId, body: &NodeUpdate) -> Result<Node, ClientError> {
        let call = self.call(Method::PATCH, &["slaves", &id.to_string()]);
        call.json(body).answer().await
    }

    /// `DELETE /slaves/{id}`: nothing when it is gone, or the operation that
    /// gives its work away first.
    pub async fn node_remove(&self, id: NodeId) -> Result<Option<Operation>, ClientError> {
        self.delete(&["slaves", &id.to_string()]).maybe().await
    }

    /// `DELETE /slaves/{id}?force=true`: it is gone at once, and its work is
    /// given to others. Only for a machine that is known to be off.
    pub async fn node_remove_forced(&self, id: NodeId) -> Result<(), ClientError> {
        let call = self.delete(&["slaves", &id.to_string()]);
        call.query(&[("force", true)]).done().await
    }

    /// `POST /slaves/{id}/drain`: starts to give the node's work away.
    pub async fn node_drain(
        &self,
        id: NodeId,
        body: &DrainRequest,
    ) -> Result<Operation, ClientError> {
        let call = self.post(&["slaves", &id.to_string(), "drain"]);
        call.json(body).answer().await
    }

    /// `POST /slaves/heartbeat`, as the node that has this key; the bearer is
    /// not sent. A node waits less than the deadline here, since its lease
    /// runs meanwhile: it drops the call.
    pub async fn heartbeat(
        &self,
        key: &str,
        body: &Heartbeat,
    ) -> Result<HeartbeatReply, ClientError> {
        let call = self.http.request(Method::POST, &["slaves", "heartbeat"]);
        let call = call.with(|builder| builder.header(TOKEN_HEADER, key));
        call.within(super::DEADLINE).json(body).answer().await
    }

    /// `PUT /slaves/nats`, as the node that has this key.
    pub async fn node_nats(&self, key: &str, body: &NodeNatsKey) -> Result<NodeNats, ClientError> {
        let call = self.http.request(Method::PUT, &["slaves", "nats"]);
        let call = call.with(|builder| builder.header(TOKEN_HEADER, key));
        call.within(super::DEADLINE).json(body).answer().await
    }

    /// `GET /join-tokens`: those that still admit nodes.
    pub async fn join_tokens(&self) -> Result<Vec<JoinToken>, ClientError> {
        self.get(&["join-tokens"]).answer().await
    }

    /// `POST /join-tokens`.
    pub async fn join_token_create(
        &self,
        body: &JoinTokenCreate,
    ) -> Result<JoinTokenCreated, ClientError> {
        self.post(&["join-tokens"]).json(body).answer().await
    }

    /// `DELETE /join-tokens/{id}`.
    pub async fn join_token_delete(&self, id: TokenId) -> Result<(), ClientError> {
        self.delete(&["join-tokens", &id.to_string()]).done().await
    }
}
