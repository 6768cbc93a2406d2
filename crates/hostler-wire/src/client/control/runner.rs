//! `/runners` and what belongs to them, of a control plane or of a runner
//! manager that stands alone.

use hostler_core::id::JobId;
use reqwest::StatusCode;

use super::super::error::ClientError;
use super::ControlClient;
use crate::rest::{
    Readiness, Runner, RunnerHost, RunnerJob, RunnerPoolInfo, RunnerQuery, RunnersAdd,
    RunnersAdded, RunnersRemove, RunnersRemoved,
};

/// The header by which a request that is sent again answers the same job.
const IDEMPOTENCY_HEADER: &str = "idempotency-key";

impl ControlClient {
    /// `GET /runners`.
    pub async fn runners(&self, query: &RunnerQuery) -> Result<Vec<Runner>, ClientError> {
        self.get(&["runners"]).query(query).answer().await
    }

    /// `GET /runners/{id}`.
    pub async fn runner(&self, id: &str) -> Result<Runner, ClientError> {
        self.get(&["runners", id]).answer().await
    }

    /// `POST /runners/add`. The same body may be sent again with the same key.
    pub async fn runners_add(
        &self,
        body: &RunnersAdd,
        idempotency_key: &str,
    ) -> Result<RunnersAdded, ClientError> {
        let call = self.post(&["runners", "add"]);
        let call = call.with(|builder| builder.header(IDEMPOTENCY_HEADER, idempotency_key));
        call.json(body).answer().await
    }

    /// `POST /runners/remove`. The same body may be sent again with the same key.
    pub async fn runners_remove(
        &self,
        body: &RunnersRemove,
        idempotency_key: &str,
    ) -> Result<RunnersRemoved, ClientError> {
        let call = self.post(&["runners", "remove"]);
        let call = call.with(|builder| builder.header(IDEMPOTENCY_HEADER, idempotency_key));
        call.json(body).answer().await
    }

    /// `GET /jobs`.
    pub async fn runner_jobs(&self) -> Result<Vec<RunnerJob>, ClientError> {
        self.get(&["jobs"]).answer().await
    }

    /// `GET /jobs/{id}`.
    pub async fn runner_job(&self, id: JobId) -> Result<RunnerJob, ClientError> {
        self.get(&["jobs", &id.to_string()]).answer().await
    }

    /// `GET /pools`.
    pub async fn runner_pools(&self) -> Result<Vec<RunnerPoolInfo>, ClientError> {
        self.get(&["pools"]).answer().await
    }

    /// `GET /nodes`: machines that suit a pool, managed or not.
    pub async fn runner_hosts(&self) -> Result<Vec<RunnerHost>, ClientError> {
        self.get(&["nodes"]).answer().await
    }

    /// `GET /doctor`: checks all that the provider needs.
    pub async fn runner_doctor(&self) -> Result<Readiness, ClientError> {
        let also = StatusCode::SERVICE_UNAVAILABLE;
        self.get(&["doctor"]).answer_also(also).await
    }
}
