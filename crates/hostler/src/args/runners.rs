//! Flags of `hostler runners`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use hostler_core::id::JobId;

/// `hostler runners`: without a further word, the service itself, configured
/// by environment variables.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct RunnersArgs {
    /// What to ask of a runner manager; absent: be one
    #[command(subcommand)]
    pub command: Option<RunnersCommand>,
    /// Where jobs are kept, if the provider does not keep them
    #[arg(long, env = "HOSTLER_DATA", value_name = "FOLDER")]
    pub data: Option<PathBuf>,
}

/// What can be asked of a runner manager.
#[derive(Debug, Subcommand)]
pub(crate) enum RunnersCommand {
    /// Ask for machines
    Add {
        /// How many
        #[arg(default_value_t = 1)]
        count: u32,
        /// From which pool; else the default one
        #[arg(long, value_name = "POOL")]
        pool: Option<String>,
        /// Say what would be done, and do nothing
        #[arg(long)]
        dry_run: bool,
        /// Return at once instead of when all are scheduled
        #[arg(long)]
        detach: bool,
    },
    /// List runners
    Ls {
        /// Only those with this status
        #[arg(long, value_name = "STATUS")]
        status: Option<String>,
        /// Only those from this pool
        #[arg(long, value_name = "POOL")]
        pool: Option<String>,
    },
    /// Show one runner
    Get {
        /// Its id
        id: String,
    },
    /// Give machines back
    Rm {
        /// Which; else the manager chooses
        ids: Vec<String>,
        /// How many the manager chooses
        #[arg(long, short = 'n', conflicts_with = "ids", value_name = "N")]
        count: Option<u32>,
        /// Do not wait for work to leave
        #[arg(long)]
        force: bool,
        /// Say what would be done, and do nothing
        #[arg(long)]
        dry_run: bool,
        /// Return at once instead of when all are gone
        #[arg(long)]
        detach: bool,
    },
    /// List jobs, or show one
    Jobs {
        /// The one to show
        id: Option<JobId>,
    },
    /// List pools, and how many runners each has
    Pools,
    /// Check all that the provider needs
    Doctor,
}
