//! What tests share: clusters, clients, pods and roles as text.

use std::time::Duration;

use anyhow::{Context as _, Result};
use hostler_kubesim::{Cluster, Options, Pace, Pool, Timings};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value, json};

/// How long any single wait may take, in real time.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// The label of placeholders, and that of runner pods.
pub(crate) const PLACEHOLDERS: &str = "app=node-placeholder";
pub(crate) const RUNNERS: &str = "app=daytona-runner";

/// A client of the simulated cluster.
pub(crate) async fn client(cluster: &Cluster, user: &str) -> Result<Client> {
    let _already = rustls::crypto::ring::default_provider().install_default();
    let text = cluster.kubeconfig(user, "default");
    let parsed = Kubeconfig::from_yaml(&text)?;
    let config = Config::from_custom_kubeconfig(parsed, &KubeConfigOptions::default()).await?;
    Client::try_from(config).context("a client")
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
