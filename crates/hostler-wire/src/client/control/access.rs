//! `/tokens` and `/policies`: who may do what.

use hostler_core::id::TokenId;

use super::super::error::ClientError;
use super::ControlClient;
use crate::rest::{PolicyInfo, Token, TokenCreate, TokenCreated};

impl ControlClient {
    /// `GET /tokens`: without their secrets.
    pub async fn tokens(&self) -> Result<Vec<Token>, ClientError> {
        self.get(&["tokens"]).answer().await
    }

    /// `POST /tokens`: the only time its secret is shown.
    pub async fn token_create(&self, body: &TokenCreate) -> Result<TokenCreated, ClientError> {
        self.post(&["tokens"]).json(body).answer().await
    }

    /// `DELETE /tokens/{id}`.
    pub async fn token_delete(&self, id: TokenId) -> Result<(), ClientError> {
        self.delete(&["tokens", &id.to_string()]).done().await
    }

    /// `GET /policies`: every policy there is.
    pub async fn policies(&self) -> Result<Vec<PolicyInfo>, ClientError> {
        self.get(&["policies"]).answer().await
    }
}
