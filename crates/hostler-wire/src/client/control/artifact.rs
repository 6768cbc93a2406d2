//! `/artifacts`: executables and modules, known by their digest.

use hostler_core::workload::Kind;
use reqwest::{Body, Method};

use super::super::error::ClientError;
use super::super::http::{ByteStream, Call};
use super::ControlClient;
use crate::node_api::TOKEN_HEADER;
use crate::rest::Artifact;

/// The header that says what an artifact is, where its bytes leave a doubt.
const KIND_HEADER: &str = "x-artifact-kind";

impl ControlClient {
    /// `PUT /artifacts/{digest}?project=…`: uploads bytes, which may be a
    /// stream. Safe to send again.
    pub async fn artifact_put(
        &self,
        digest: &str,
        project: &str,
        body: Body,
    ) -> Result<Artifact, ClientError> {
        self.put(digest, project, body).answer().await
    }

    /// The same, saying what the bytes are.
    pub async fn artifact_put_as(
        &self,
        kind: Kind,
        digest: &str,
        project: &str,
        body: Body,
    ) -> Result<Artifact, ClientError> {
        let call = self.put(digest, project, body);
        let kind = |builder: reqwest::RequestBuilder| builder.header(KIND_HEADER, kind.as_str());
        call.with(kind).answer().await
    }

    /// `GET /artifacts`: one project's, or all that the bearer sees.
    pub async fn artifacts(&self, project: Option<&str>) -> Result<Vec<Artifact>, ClientError> {
        let call = self.get(&["artifacts"]);
        call.query(&[("project", project)]).answer().await
    }

    /// `GET /artifacts/{digest}?project=…`.
    pub async fn artifact(&self, digest: &str, project: &str) -> Result<Artifact, ClientError> {
        let call = self.get(&["artifacts", digest]);
        call.query(&[("project", project)]).answer().await
    }

    /// `GET /artifacts/{digest}/content?project=…`: its bytes as they come.
    /// Who needs them whole compares the digest.
    pub async fn artifact_content(
        &self,
        digest: &str,
        project: &str,
    ) -> Result<ByteStream, ClientError> {
        let call = self.unhurried(Method::GET, &["artifacts", digest, "content"]);
        call.query(&[("project", project)]).bytes().await
    }

    /// The same, as the node that has this key; the bearer is not sent.
    pub async fn node_artifact(&self, key: &str, digest: &str) -> Result<ByteStream, ClientError> {
        let path = ["artifacts", digest, "content"];
        let call = self.http.request(Method::GET, &path);
        let call = call.with(|builder| builder.header(TOKEN_HEADER, key));
        call.bytes().await
    }

    /// `GET /artifacts/{digest}/content` as a node, from byte `from` on; whether
    /// the bytes begin there, or else at the beginning.
    pub async fn node_artifact_from(
        &self,
        key: &str,
        digest: &str,
        from: u64,
    ) -> Result<(bool, ByteStream), ClientError> {
        let path = ["artifacts", digest, "content"];
        let call = self.http.request(Method::GET, &path);
        let call = call.with(|builder| {
            let builder = builder.header(TOKEN_HEADER, key);
            match from {
                0 => builder,
                from => builder.header("range", format!("bytes={from}-")),
            }
        });
        call.part().await
    }

    /// `DELETE /artifacts/{digest}?project=…`: the project lets go of it.
    pub async fn artifact_delete(&self, digest: &str, project: &str) -> Result<(), ClientError> {
        let call = self.delete(&["artifacts", digest]);
        call.query(&[("project", project)]).done().await
    }

    pub(super) fn put(&self, digest: &str, project: &str, body: Body) -> Call {
        let call = self.unhurried(Method::PUT, &["artifacts", digest]);
        call.query(&[("project", project)]).with(|builder| {
            builder
                .header("content-type", "application/octet-stream")
                .body(body)
        })
    }
}
