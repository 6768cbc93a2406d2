//! The way to the API server: from a kubeconfig, or from within the cluster.

use std::path::Path;

use kube::config::{InClusterError, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};

/// There is no way to the API server.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Neither in a cluster nor told of one. The words are the seed's.
    #[error("failed to create in-cluster config and no KUBECONFIG found")]
    Nowhere,
    /// In a cluster, by the look of it, that does not say how it is reached.
    #[error("failed to create in-cluster config")]
    InCluster(#[source] Box<InClusterError>),
    /// There is a kubeconfig, and it cannot be used.
    #[error("KUBECONFIG_PATH names a file that cannot be used: {}", .0.display())]
    Kubeconfig(std::path::PathBuf, #[source] Box<KubeconfigError>),
    /// What it is configured with cannot be used, such as a certificate.
    #[error("no client can be made for this cluster")]
    Client(#[source] Box<kube::Error>),
}

/// A client for the cluster of this kubeconfig, or for the one this program
/// runs in. It asks once and gives up by itself after nothing: callers set the
/// time.
pub async fn connect(kubeconfig: Option<&Path>) -> Result<Client, ConnectError> {
    // Refused when somebody was first, with the same provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut config = match kubeconfig {
        Some(path) => from_file(path).await?,
        None => Config::incluster().map_err(within)?,
    };
    // Trying again is decided by those who know what it costs.
    config.default_retry = false;
    Client::try_from(config).map_err(|error| ConnectError::Client(Box::new(error)))
}

/// The variable that every pod has is the sign of being in a cluster.
fn within(error: InClusterError) -> ConnectError {
    match error {
        InClusterError::ReadEnvironmentVariable(_) => ConnectError::Nowhere,
        other => ConnectError::InCluster(Box::new(other)),
    }
}

async fn from_file(path: &Path) -> Result<Config, ConnectError> {
    let failed = |error| ConnectError::Kubeconfig(path.to_owned(), Box::new(error));
    let parsed = Kubeconfig::read_from(path).map_err(failed)?;
    let options = KubeConfigOptions::default();
    Config::from_custom_kubeconfig(parsed, &options)
        .await
        .map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn without_a_cluster_or_a_kubeconfig_the_error_is_the_seed_s() {
        let error = connect(None).await.err().unwrap();
        assert!(
            std::error::Error::source(&error).is_none(),
            "nothing is added to it"
        );
        assert_eq!(
            error.to_string(),
            "failed to create in-cluster config and no KUBECONFIG found"
        );
    }

    #[tokio::test]
    async fn a_kubeconfig_that_is_not_there_is_named() {
        let missing = Path::new("/nowhere/kubeconfig");
        let error = connect(Some(missing)).await.err().unwrap();
        assert!(error.to_string().contains("/nowhere/kubeconfig"), "{error}");
    }
}
