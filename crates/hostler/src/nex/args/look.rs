//! Flags of the commands about nodes, and of those that watch.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `nex node`.
#[derive(Debug, Subcommand)]
pub(crate) enum NodeCommand {
    /// List nodes
    Ls,
    /// Show one node and what it runs in the namespace
    Info {
        /// The node's id
        id: String,
    },
    /// Find workloads of the namespace
    Probe {
        /// Only the one with this id or name
        #[arg(long, value_name = "WORKLOAD")]
        workload: Option<String>,
    },
    /// Run a node on this machine
    Up(NodeUpArgs),
    /// See whether this machine can be a node, and mend what can be mended
    Preflight(PreflightArgs),
}

/// `nex node up`.
#[derive(Clone, Debug, Args)]
pub(crate) struct NodeUpArgs {
    /// The node's configuration
    #[arg(long, default_value = "./config.json", value_name = "FILE")]
    pub config: PathBuf,
    /// Where everything is kept
    #[arg(long, env = "HOSTLER_DATA", value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    #[command(flatten)]
    pub programs: crate::args::Programs,
    /// Taken and ignored: telemetry is set by `hostler node up`
    #[arg(long)]
    pub metrics: bool,
    /// Taken and ignored
    #[arg(long = "metrics_port", value_name = "PORT")]
    pub metrics_port: Option<u16>,
    /// Taken and ignored
    #[arg(long = "otel_metrics_exporter", value_name = "WHERE")]
    pub otel_metrics_exporter: Option<String>,
    /// Taken and ignored
    #[arg(long)]
    pub traces: bool,
    /// Taken and ignored
    #[arg(long = "otel_traces_exporter", value_name = "WHERE")]
    pub otel_traces_exporter: Option<String>,
}

impl NodeUpArgs {
    /// Whether anything was asked for that is ignored.
    pub(crate) fn wants_telemetry(&self) -> bool {
        let named = [&self.otel_metrics_exporter, &self.otel_traces_exporter];
        let port = self.metrics_port.is_some();
        self.metrics || self.traces || port || named.iter().any(|name| name.is_some())
    }
}

/// `nex node preflight` and `hostler node preflight`.
#[derive(Clone, Debug, Args)]
pub(crate) struct PreflightArgs {
    /// Mend without asking
    #[arg(long, overrides_with = "no_force")]
    pub force: bool,
    /// Ask, whatever was said before
    #[arg(long, hide = true)]
    pub no_force: bool,
    /// The node's configuration, as the original's nodes have it; for `nex` it
    /// is ./config.json if none is named
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Write a configuration to begin with, unless there is one: sandbox,
    /// nosandbox
    #[arg(long, value_parser = ["sandbox", "nosandbox"], value_name = "KIND")]
    pub init: Option<String>,
    /// A folder that has what is missing, by its name, and its SHA256SUMS
    #[arg(long, value_name = "FOLDER")]
    pub from: Option<PathBuf>,
    /// Where the node would keep everything
    #[arg(long, env = "HOSTLER_DATA", value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    #[command(flatten)]
    pub programs: crate::args::Programs,
}

/// `nex logs`.
#[derive(Clone, Debug, Args)]
pub(crate) struct LogsArgs {
    /// Only of this node
    #[arg(long, default_value = "*", value_name = "ID")]
    pub node: String,
    /// Only of workloads with this name
    #[arg(long = "workload_name", default_value = "*", value_name = "NAME")]
    pub workload_name: String,
    /// Only of this workload
    #[arg(long = "workload_id", default_value = "*", value_name = "ID")]
    pub workload_id: String,
    /// Only what is this bad or worse: debug, info, warn, error
    #[arg(long, default_value = "debug", value_name = "LEVEL")]
    pub level: hostler_wire::nats::LogLevel,
}
