//! How a manager and its provider are configured: environment variables, those
//! of a `.env` file below them, and pools in `runners.toml`. All of it is read and
//! checked before anything is opened.

mod environment;
mod growth;
mod level;
mod pools;

use std::net::SocketAddr;
use std::path::PathBuf;

pub use environment::{Environment, config, provider_config};
pub use growth::patience;
pub use level::{LevelError, log_level};
pub use pools::{RunnersFile, pools_of};

use crate::http::Tokens;
use crate::manager::Rules;
use hostler_core::runner::RunnerPool;
use hostler_daemon::serve::TlsFiles;
use std::sync::Arc;

/// Which provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProviderKind {
    /// Placeholder pods of a Kubernetes cluster.
    Kubernetes,
    /// Instances of EC2.
    Aws,
    /// Processes on this machine.
    Local,
    /// None: everything happens by itself, in memory.
    Fake,
}

/// Which provider, and what it works with.
#[derive(Clone)]
pub struct ProviderConfig {
    /// Which.
    pub kind: ProviderKind,
    /// The kinds of machines, the default one first.
    pub pools: Vec<Arc<RunnerPool>>,
    /// Where it keeps what it has to keep itself.
    pub data: PathBuf,
    /// The variables, for what only one provider reads.
    pub environment: Environment,
    /// The tables of `runners.toml`, for what only one provider reads.
    pub file: toml::Table,
}

/// How a standalone manager is configured.
#[derive(Clone)]
pub struct Config {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The certificate it answers with; none: in the clear.
    pub tls: Option<TlsFiles>,
    /// Who may call.
    pub tokens: Arc<Tokens>,
    /// How requests and jobs are dealt with.
    pub rules: Rules,
    /// Its provider.
    pub provider: ProviderConfig,
}
