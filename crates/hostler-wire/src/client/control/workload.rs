//! `/workloads`.

use hostler_core::id::WorkloadId;
use reqwest::Method;

use super::super::error::ClientError;
use super::super::sse::EventStream;
use super::ControlClient;
use crate::rest::{Explanation, LogLine, Page, Workload, WorkloadCreate, WorkloadQuery};

/// The header by which a create that is sent again answers the same workload.
const IDEMPOTENCY_HEADER: &str = "idempotency-key";

impl ControlClient {
    /// `POST /workloads`. The same body may be sent again with the same key.
    pub async fn workload_create(
        &self,
        body: &WorkloadCreate,
        idempotency_key: &str,
    ) -> Result<Workload, ClientError> {
        let key =
            |builder: reqwest::RequestBuilder| builder.header(IDEMPOTENCY_HEADER, idempotency_key);
        let call = self.post(&["workloads"]).with(key);
        call.json(body).answer().await
    }

    /// `GET /workloads`: one page.
    pub async fn workloads(&self, query: &WorkloadQuery) -> Result<Page<Workload>, ClientError> {
        self.get(&["workloads"]).query(query).answer().await
    }

    /// `GET /workloads/{id}`.
    pub async fn workload(&self, id: WorkloadId) -> Result<Workload, ClientError> {
        self.get(&["workloads", &id.to_string()]).answer().await
    }

    /// `GET /workloads?project=…&name=…`: the one of this name, if there is one.
    pub async fn workload_by_name(
        &self,
        project: &str,
        name: &str,
    ) -> Result<Option<Workload>, ClientError> {
        let query = WorkloadQuery {
            project: Some(project.to_owned()),
            name: Some(name.to_owned()),
            ..WorkloadQuery::default()
        };
        Ok(self.workloads(&query).await?.items.into_iter().next())
    }

    /// `POST /workloads/{id}/stop`: it should not run, and stay known.
    pub async fn workload_stop(&self, id: WorkloadId) -> Result<Workload, ClientError> {
        self.post(&["workloads", &id.to_string(), "stop"])
            .answer()
            .await
    }

    /// `POST /workloads/{id}/start`: it should run.
    pub async fn workload_start(&self, id: WorkloadId) -> Result<Workload, ClientError> {
        self.post(&["workloads", &id.to_string(), "start"])
            .answer()
            .await
    }

    /// `DELETE /workloads/{id}`: it should not run, and be forgotten.
    pub async fn workload_delete(&self, id: WorkloadId) -> Result<(), ClientError> {
        self.delete(&["workloads", &id.to_string()]).done().await
    }

    /// `GET /workloads/{id}/explain`: why it is where it is.
    pub async fn workload_explain(&self, id: WorkloadId) -> Result<Explanation, ClientError> {
        self.get(&["workloads", &id.to_string(), "explain"])
            .answer()
            .await
    }

    /// `POST /workloads/explain`: where it would be, if it were made now.
    pub async fn workload_explain_new(
        &self,
        body: &WorkloadCreate,
    ) -> Result<Explanation, ClientError> {
        self.post(&["workloads", "explain"])
            .json(body)
            .answer()
            .await
    }

    /// `GET /workloads/{id}/logs?tail=…`: its last lines.
    pub async fn workload_logs(
        &self,
        id: WorkloadId,
        tail: u32,
    ) -> Result<Vec<LogLine>, ClientError> {
        let call = self.get(&["workloads", &id.to_string(), "logs"]);
        call.query(&[("tail", tail)]).answer().await
    }

    /// `GET /workloads/{id}/logs?tail=…&follow=1`: its last lines, and then
    /// every further one, until the stream is dropped.
    pub async fn workload_logs_follow(
        &self,
        id: WorkloadId,
        tail: u32,
    ) -> Result<EventStream<LogLine>, ClientError> {
        let call = self.unhurried(Method::GET, &["workloads", &id.to_string(), "logs"]);
        call.query(&[("tail", tail), ("follow", 1)]).events().await
    }
}
