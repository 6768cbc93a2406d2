//! `/`, `/health`, `/ready`: the service itself.

use reqwest::StatusCode;

use super::super::error::ClientError;
use super::ControlClient;
use crate::rest::{Health, Readiness, ServiceInfo};

impl ControlClient {
    /// `GET /`: what answers there.
    pub async fn info(&self) -> Result<ServiceInfo, ClientError> {
        self.get(&[]).answer().await
    }

    /// `GET /health`: whether the process lives.
    pub async fn health(&self) -> Result<Health, ClientError> {
        self.get(&["health"]).answer().await
    }

    /// `GET /ready`: whether everything it needs works; an answer either way.
    pub async fn ready(&self) -> Result<Readiness, ClientError> {
        let call = self.get(&["ready"]);
        call.answer_also(StatusCode::SERVICE_UNAVAILABLE).await
    }
}
