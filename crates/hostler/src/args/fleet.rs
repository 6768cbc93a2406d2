//! Flags of the commands about the fleet itself.

use clap::{Args, Subcommand};

use super::NodeUpArgs;

/// `hostler node`.
#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant)] // There is one of it in the life of the program.
pub(crate) enum NodeCommand {
    /// Run a node on this machine
    Up(NodeUpArgs),
    /// Fence VMs in a node's place; nodes start this themselves
    #[command(hide = true)]
    Guard {
        /// The node's data folder
        data: std::path::PathBuf,
    },
    /// See whether this machine can be a node, and mend what can be mended
    Preflight(crate::nex::PreflightArgs),
    /// See whether this machine can hold VMs, and what to do if not
    Doctor {
        /// Where the node would keep everything
        #[arg(long, env = "HOSTLER_DATA", value_name = "FOLDER")]
        data: Option<std::path::PathBuf>,
    },
    /// List nodes
    Ls,
    /// Show one node
    Info(WhichNode),
    /// Make a join token and print the line that joins a machine
    Token {
        /// How many machines may join with it
        #[arg(long, default_value_t = 1, value_name = "N")]
        uses: u32,
        /// How long it is good, such as 30m or 2h
        #[arg(long, default_value = "1h", value_name = "TIME")]
        ttl: humantime::Duration,
    },
    /// Take no new work here; what runs stays
    Close(WhichNode),
    /// Take new work again
    Open(WhichNode),
    /// Move all work away, then close
    Drain {
        #[command(flatten)]
        which: WhichNode,
        /// Seconds after which to give up
        #[arg(long, default_value_t = 600, value_name = "SECONDS")]
        deadline: u64,
        /// Return at once instead of when it is done
        #[arg(long)]
        detach: bool,
    },
    /// Unregister a node; its work is placed elsewhere
    Rm(WhichNode),
}

/// One node.
#[derive(Debug, Args)]
pub(crate) struct WhichNode {
    /// Its name or id
    pub node: String,
}

/// `hostler token`.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token; its secret is shown once
    Create {
        /// What it is called in the activity history
        name: String,
        /// The one project it acts in; else the whole fleet
        #[arg(long)]
        project: Option<String>,
        /// A policy it carries; may be repeated
        #[arg(long = "policy", value_name = "POLICY", required = true)]
        policies: Vec<String>,
        /// How long it is good, such as 12h; else for ever
        #[arg(long, value_name = "TIME")]
        ttl: Option<humantime::Duration>,
    },
    /// List tokens
    Ls,
    /// List the policies a token may carry
    Policies,
    /// Take a token back
    Rm {
        /// Its id
        id: String,
    },
}

/// `hostler operation`.
#[derive(Debug, Subcommand)]
pub(crate) enum OperationCommand {
    /// List operations
    Ls,
    /// Ask for an operation to be called off
    Cancel {
        /// Its id
        id: String,
    },
}

/// `hostler context`.
#[derive(Debug, Subcommand)]
pub(crate) enum ContextCommand {
    /// List contexts
    Ls,
    /// Make a context the current one
    Use {
        /// Its name
        name: String,
    },
    /// Add or replace a context, from --url and --token
    Add {
        /// Its name
        name: String,
    },
    /// Forget a context
    Rm {
        /// Its name
        name: String,
    },
}
