//! What a program says of itself: log lines to standard error, numbers for
//! Prometheus. Levels: debug nothing to do, info routine work, warn the work
//! shows something wrong, error failed.

use std::io::IsTerminal as _;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

/// The form of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// What libraries report as routine is not routine work of ours.
const LIBRARIES: &str = "async_nats=warn,sea_orm_migration=warn,sqlx=warn";

/// Starts logging at `level` (a `tracing` filter such as `info` or
/// `warn,hostler_node=debug`) and installs the one TLS provider. Called once,
/// first thing; a second call changes nothing.
pub fn start(level: &str, format: LogFormat) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let filter = EnvFilter::try_new(format!("{LIBRARIES},{level}"));
    let filter = filter.unwrap_or_else(|_| EnvFilter::new(format!("{LIBRARIES},info")));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let _ = match format {
        LogFormat::Text => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}

/// Installs the recorder behind the `metrics` macros; the handle renders the
/// Prometheus text. `None` when a recorder is installed already.
pub fn prometheus() -> Option<PrometheusHandle> {
    PrometheusBuilder::new().install_recorder().ok()
}
