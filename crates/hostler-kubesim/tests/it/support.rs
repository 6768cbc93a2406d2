//! What tests share: clusters, clients, pods and roles as text.

use std::fmt::Debug;
use std::time::Duration;

use anyhow::{Context as _, Result};
use hostler_kubesim::{Cluster, Options, Pace, Pool, Timings};
use k8s_openapi::NamespaceResourceScope;
use kube::api::PostParams;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// How long any single wait may take, in real time.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// The label of placeholders, and that of runner pods.
pub(crate) const PLACEHOLDERS: &str = "app=node-placeholder";
pub(crate) const RUNNERS: &str = "app=daytona-runner";

/// How to reach the simulated cluster. Nothing is tried again by itself, so
/// that a test sees each answer.
pub(crate) async fn config(cluster: &Cluster, user: &str) -> Result<Config> {
    let _already = rustls::crypto::ring::default_provider().install_default();
    let text = cluster.kubeconfig(user, "default");
    let parsed = Kubeconfig::from_yaml(&text)?;
    let mut config = Config::from_custom_kubeconfig(parsed, &KubeConfigOptions::default()).await?;
    config.default_retry = false;
    Ok(config)
}

/// A client of the simulated cluster.
pub(crate) async fn client(cluster: &Cluster, user: &str) -> Result<Client> {
    Client::try_from(config(cluster, user).await?).context("a client")
}

/// Creates in the namespace `default`.
pub(crate) async fn create<K>(client: &Client, body: Value) -> Result<K>
where
    K: kube::Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    K: Clone + DeserializeOwned + Serialize + Debug,
{
    let api: Api<K> = Api::namespaced(client.clone(), "default");
    let object = serde_json::from_value(body)?;
    Ok(api.create(&PostParams::default(), &object).await?)
}

/// A cluster whose time is stepped, with a pool of runners.
pub(crate) async fn stepped(max: usize) -> Result<Cluster> {
    let options = Options {
        pace: Pace::Stepped,
        pools: vec![Pool::runners(max)],
        ..Options::default()
    };
    Ok(Cluster::start(options).await?)
}

/// A cluster where everything happens at once.
pub(crate) async fn instant(max: usize) -> Result<Cluster> {
    let pool = Pool {
        boot: Some(Duration::ZERO),
        ready: Some(Duration::ZERO),
        ..Pool::runners(max)
    };
    let options = Options {
        pools: vec![pool],
        timings: Timings::instant(),
        ..Options::default()
    };
    Ok(Cluster::start(options).await?)
}

/// A placeholder as the runner manager makes it.
pub(crate) fn placeholder(name: &str) -> Value {
    let selector = json!({"matchExpressions": [
        {"key": "app", "operator": "In", "values": ["node-placeholder"]},
    ]});
    let term = json!({"labelSelector": selector, "namespaceSelector": {},
        "topologyKey": "kubernetes.io/hostname"});
    json!({
        "metadata": {"name": name, "labels": {"app": "node-placeholder"}},
        "spec": {
            "nodeSelector": {"daytona-sandbox-c": "true"},
            "tolerations": [{"key": "sandbox", "operator": "Equal", "value": "true",
                "effect": "NoSchedule"}],
            "affinity": {"podAntiAffinity":
                {"requiredDuringSchedulingIgnoredDuringExecution": [term]}},
            "containers": [{"name": "pause", "image": "pause",
                "resources": {"requests": {"cpu": "10m", "memory": "50Mi"}}}],
        },
    })
}

/// The `DaemonSet` whose pods are the runners.
pub(crate) fn runners() -> Value {
    let labels = json!({"app": "daytona-runner"});
    json!({
        "metadata": {"name": "daytona-runner"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "nodeSelector": {"daytona-sandbox-c": "true"},
                    "tolerations": [{"key": "sandbox", "operator": "Exists"}],
                    "containers": [{"name": "runner", "image": "runner:1"}],
                },
            },
        },
    })
}
