//! Where a case runs: the simulated cluster, or a real one, in a namespace of
//! its own that ends with the case. Both are asked in the same way, by plain
//! requests with impersonation, so that a case cannot tell them apart.

use std::fmt::Debug;

use anyhow::{Context as _, Result, bail};
use futures::{AsyncBufReadExt as _, AsyncReadExt as _};
use hostler_kubesim::Cluster;
use hyper::Request;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value, json};

use crate::support::{self, SOON, instant};

pub(crate) const VARIABLE: &str = "HOSTLER_TEST_KUBECONFIG";

pub(crate) struct Target {
    pub(crate) config: Config,
    pub(crate) client: Client,
    /// The case's own.
    pub(crate) space: String,
    /// None: it is a real one.
    pub(crate) cluster: Option<Cluster>,
}

/// A status and a body.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) code: u16,
    pub(crate) body: Value,
}

impl Reply {
    /// Fails unless the answer is this one, with these words in its message.
    pub(crate) fn is(&self, code: u16, words: &str) -> Result<&Self> {
        let message = self.body["message"].as_str().unwrap_or_default();
        if self.code != code || !message.contains(words) {
            bail!("wanted {code} '{words}', found {} {}", self.code, self.body);
        }
        Ok(self)
    }
}

/// Runs a case everywhere it can run.
pub(crate) async fn everywhere(
    name: &str,
    case: impl AsyncFn(&Target) -> Result<()>,
) -> Result<()> {
    let simulated = Target::simulated().await?;
    simulated.run(name, &case).await.context("simulated")?;
    if let Ok(path) = std::env::var(VARIABLE) {
        let real = Target::real(&path, name).await?;
        real.run(name, &case).await.context("real")?;
    }
    Ok(())
}

impl Target {
    async fn simulated() -> Result<Self> {
        let cluster = instant(10).await?;
        let config = support::config(&cluster, "admin").await?;
        Self::new(config, "suite", Some(cluster))
    }

    async fn real(path: &str, case: &str) -> Result<Self> {
        let _already = rustls::crypto::ring::default_provider().install_default();
        let parsed = Kubeconfig::read_from(path)?;
        let config = Config::from_custom_kubeconfig(parsed, &KubeConfigOptions::default()).await?;
        let case = case.replace('_', "-");
        let case: String = case.chars().take(30).collect();
        Self::new(
            config,
            &format!("hostler-{}-{}", case.trim_matches('-'), std::process::id()),
            None,
        )
    }

    fn new(config: Config, space: &str, cluster: Option<Cluster>) -> Result<Self> {
        Ok(Self {
            client: Client::try_from(config.clone())?,
            config,
            space: space.to_owned(),
            cluster,
        })
    }

    async fn run(&self, name: &str, case: impl AsyncFn(&Self) -> Result<()>) -> Result<()> {
        let body = json!({"metadata": {"name": self.space}});
        self.post("/api/v1/namespaces", body).await?.is(201, "")?;
        self.account().await?;
        let ran = case(self).await.context(name.to_owned());
        self.delete(&format!("/api/v1/namespaces/{}", self.space))
            .await?;
        ran
    }

    /// Pods wait for their namespace's default account, which a real cluster
    /// makes a little later.
    async fn account(&self) -> Result<()> {
        let path = self.path("serviceaccounts/default");
        let there = async {
            while self.get(&path).await?.code != 200 {
                tokio::task::yield_now().await;
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(SOON, there).await?
    }

    /// The path of something core in the case's namespace.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/api/v1/namespaces/{}/{rest}", self.space)
    }

    /// The same of another group.
    pub(crate) fn group_path(&self, group: &str, rest: &str) -> String {
        format!("/apis/{group}/v1/namespaces/{}/{rest}", self.space)
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Reply> {
        self.call("", ("GET", path), ("", Value::Null)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Result<Reply> {
        self.call("", ("POST", path), ("application/json", body))
            .await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Result<Reply> {
        self.call("", ("PUT", path), ("application/json", body))
            .await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<Reply> {
        self.call("", ("DELETE", path), ("", Value::Null)).await
    }

    pub(crate) async fn patch(&self, path: &str, kind: &str, body: Value) -> Result<Reply> {
        let kind = format!("application/{kind}+json");
        self.call("", ("PATCH", path), (&kind, body)).await
    }

    /// One request, as another user unless that is empty.
    pub(crate) async fn call(
        &self,
        user: &str,
        (method, path): (&str, &str),
        (kind, body): (&str, Value),
    ) -> Result<Reply> {
        let mut request = Request::builder().method(method).uri(path);
        if !user.is_empty() {
            request = request.header("impersonate-user", user);
        }
        let text = match body {
            Value::Null => String::new(),
            body => {
                request = request.header("content-type", kind);
                body.to_string()
            }
        };
        let request = request.body(kube::client::Body::from(text.into_bytes()))?;
        reply(self.client.send(request).await?).await
    }

    /// The first lines of a watch, and its status.
    pub(crate) async fn watch(&self, path: &str, lines: usize) -> Result<Vec<Value>> {
        let request = Request::get(path).body(Vec::new())?;
        let mut stream = self
            .client
            .request_stream(request)
            .await?
            .take(10 << 20)
            .lines();
        let mut found = Vec::new();
        let reading = async {
            while found.len() < lines {
                let line = futures::StreamExt::next(&mut stream).await;
                found.push(serde_json::from_str(&line.context("the watch goes on")??)?);
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(SOON, reading).await??;
        Ok(found)
    }
}

pub(crate) async fn reply(response: hyper::Response<kube::client::Body>) -> Result<Reply> {
    let code = response.status().as_u16();
    let bytes = response.into_body().collect_bytes().await?;
    let body = serde_json::from_slice(&bytes)
        .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&bytes).into_owned()));
    Ok(Reply { code, body })
}

/// A plain pod that no policy minds.
pub(crate) fn pod(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": "suite"}},
        "spec": {"nodeSelector": {"suite": "nowhere"},
            "containers": [{"name": "pause", "image": "pause"}]},
    })
}
