//! The command line: what can be said, with its help. Parsing makes a value;
//! `commands` performs it, and its match has no wildcard.

mod daemons;
mod fleet;
mod microvms;
mod people;
mod runners;
mod vms;
mod work;

pub(crate) use daemons::{
    ControlArgs, NodeUpArgs, Programs, RunnerArgs, ServiceArgs, SignInArgs, UpArgs, VmArgs,
};
pub(crate) use fleet::{ContextCommand, NodeCommand, OperationCommand, TokenCommand, WhichNode};
pub(crate) use microvms::{MicrovmArgs, RootfsBuildArgs, RootfsCommand};
pub(crate) use people::{
    AuditCommand, Given, Limits, LoginArgs, ProjectCommand, QuotaCommand, RoleCommand, UserCommand,
};
pub(crate) use runners::{RunnersArgs, RunnersCommand};
pub(crate) use vms::{
    AdoptArgs, ImageCommand, ResizeArgs, ShareCommand, SnapshotCommand, VmCommand, VmCreateArgs,
    WhichVm,
};
pub(crate) use work::{CallArgs, EventsArgs, LogsArgs, LsArgs, RunArgs, WhichWorkload};

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

/// Turns machines into a fleet and runs work on it.
#[derive(Debug, Parser)]
#[command(
    name = "hostler",
    version,
    propagate_version = true,
    arg_required_else_help = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct Global {
    /// Print JSON for programs instead of tables for people
    #[arg(long, global = true)]
    pub json: bool,
    /// Print data only: no progress, no remarks
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// The context to use, instead of the current one
    #[arg(long, global = true, env = "HOSTLER_CONTEXT", value_name = "NAME")]
    pub context: Option<String>,
    /// The control plane to speak to, instead of the context's
    #[arg(long, global = true, env = "HOSTLER_URL", value_name = "URL")]
    pub url: Option<String>,
    /// The bearer token to use, instead of the context's
    #[arg(
        long,
        global = true,
        env = "HOSTLER_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    pub token: Option<String>,
    /// What daemons log: debug, info, warn, error, or a tracing filter
    #[arg(
        long,
        global = true,
        env = "LOG_LEVEL",
        default_value = "info",
        value_name = "LEVEL"
    )]
    pub log_level: String,
    /// Log one JSON object a line
    #[arg(long, global = true, env = "HOSTLER_LOG_JSON")]
    pub log_json: bool,
}

impl Global {
    /// The flags with which a child of ours logs as we do.
    pub(crate) fn logging(&self) -> Vec<String> {
        let mut flags = vec!["--log-level".to_owned(), self.log_level.clone()];
        flags.extend(self.log_json.then(|| "--log-json".to_owned()));
        flags
    }
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a whole fleet on this machine: control plane, one node, NATS
    Up(UpArgs),
    /// Run a file: upload it, place it, start it
    Run(RunArgs),
    /// List workloads
    Ls(LsArgs),
    /// Show one workload
    Info(WhichWorkload),
    /// Show what a workload printed
    Logs(LogsArgs),
    /// Show what happened in the fleet
    Events(EventsArgs),
    /// Stop a workload, keeping it known
    Stop(WhichWorkload),
    /// Start a stopped workload again
    Start(WhichWorkload),
    /// Stop a workload and forget it
    Rm(WhichWorkload),
    /// Say for each node why a workload runs there or not
    Explain(WhichWorkload),
    /// Send one NATS request and print the answer
    Call(CallArgs),
    /// VMs: long-lived machines with a disk
    #[command(subcommand)]
    Vm(VmCommand),
    /// Images: the disks that VMs are made from
    #[command(subcommand)]
    Image(ImageCommand),
    /// What microVMs boot: a kernel and its first file system
    #[command(subcommand)]
    Rootfs(RootfsCommand),
    /// Nodes: the machines of the fleet
    #[command(subcommand)]
    Node(NodeCommand),
    /// API tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// Sign in, and keep the session
    Login(LoginArgs),
    /// End the session
    Logout,
    /// Say who you are here, and what you may do
    Whoami,
    /// Users
    #[command(subcommand)]
    User(UserCommand),
    /// Roles: named sets of policies
    #[command(subcommand)]
    Role(RoleCommand),
    /// Projects and their members
    #[command(subcommand)]
    Project(ProjectCommand),
    /// How much projects may have
    #[command(subcommand)]
    Quota(QuotaCommand),
    /// Who changed what, when, from where
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Long-running changes, such as drains
    #[command(subcommand)]
    Operation(OperationCommand),
    /// Which fleet commands speak to
    #[command(subcommand)]
    Context(ContextCommand),
    /// Run a control plane
    Control(ControlArgs),
    /// Run a runner manager, or ask one for machines
    Runners(RunnersArgs),
    /// Run fleets in memory under faults and check that nothing is lost or doubled
    Sim(SimArgs),
    /// Speak to nodes over NATS, by the command line of the original's `nex`
    #[command(disable_help_flag = true, disable_version_flag = true)]
    Nex {
        /// Its words; `hostler nex --help` tells them
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "WORDS"
        )]
        words: Vec<std::ffi::OsString>,
    },
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// How many simulated fleets, and which.
#[derive(Debug, Args)]
pub(crate) struct SimArgs {
    /// How many seeds to run
    #[arg(long, default_value_t = 1_000)]
    pub seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    pub first: u64,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_child_is_told_to_log_as_its_parent_does() {
        let check = |given: &[&str]| {
            let words = [&["hostler", "ls"], given].concat();
            let global = Cli::parse_from(words).global;
            let child = global.logging();
            let words = ["hostler", "control"].map(str::to_owned).into_iter();
            let told = Cli::parse_from(words.chain(child)).global;
            assert_eq!(told.log_level, global.log_level);
            assert_eq!(told.log_json, global.log_json);
        };
        check(&["--log-level", "warn,hostler_node=debug"]);
        check(&["--log-level", "error", "--log-json"]);
    }

    #[test]
    fn every_command_and_flag_has_a_help_text() {
        fn check(command: &clap::Command) {
            for argument in command.get_arguments() {
                let helped = argument.get_help().is_some();
                assert!(helped, "{} {}", command.get_name(), argument.get_id());
            }
            for sub in command.get_subcommands() {
                assert!(sub.get_about().is_some(), "{}", sub.get_name());
                check(sub);
            }
        }
        check(&Cli::command());
    }
}
