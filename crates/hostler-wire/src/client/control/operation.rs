//! `/operations`: long changes, and how far they are.

use hostler_core::id::OperationId;

use super::super::error::ClientError;
use super::ControlClient;
use crate::rest::Operation;

impl ControlClient {
    /// `GET /operations`: the newest first.
    pub async fn operations(&self) -> Result<Vec<Operation>, ClientError> {
        self.get(&["operations"]).answer().await
    }

    /// `GET /operations/{id}`.
    pub async fn operation(&self, id: OperationId) -> Result<Operation, ClientError> {
        self.get(&["operations", &id.to_string()]).answer().await
    }

    /// `POST /operations/{id}/cancel`: asks to call it off.
    pub async fn operation_cancel(&self, id: OperationId) -> Result<Operation, ClientError> {
        self.post(&["operations", &id.to_string(), "cancel"])
            .answer()
            .await
    }
}
