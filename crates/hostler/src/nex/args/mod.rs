//! The command line of the original (protocol 8): its names, its flags, its
//! variables. Parsing makes a value; `nex` performs it.
//!
//! What the original takes and does nothing with here is taken too, so that no
//! script breaks on it; its help says so.

mod deploy;
mod look;
mod reach;

pub(crate) use deploy::{DevRunArgs, RunArgs, StopArgs};
pub(crate) use look::{LogsArgs, NodeCommand, NodeUpArgs, PreflightArgs};
pub(crate) use reach::ReachArgs;

use clap::{Args, Parser, Subcommand};

/// Runs work on nodes of the NATS execution engine.
#[derive(Debug, Parser)]
#[command(
    name = "nex",
    version,
    propagate_version = true,
    arg_required_else_help = true
)]
pub(crate) struct NexCli {
    #[command(flatten)]
    pub reach: ReachArgs,
    #[command(flatten)]
    pub logging: LoggingArgs,
    /// Print JSON for programs instead of tables for people
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub command: NexCommand,
}

/// What can be done.
#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant)] // There is one of it in the life of the program.
pub(crate) enum NexCommand {
    /// Nodes: the machines that run work
    #[command(subcommand)]
    Node(NodeCommand),
    /// Run an artifact that is in an object store
    Run(RunArgs),
    /// Run a file: upload it, stop what has its name, start it
    #[command(alias = "yeet")]
    Devrun(DevRunArgs),
    /// Stop a workload
    Stop(StopArgs),
    /// Show what workloads print, as they print it
    Logs(LogsArgs),
    /// Show what happens, as it happens
    Events,
    /// Have a node take no more work
    Lameduck {
        /// The node's id
        id: String,
    },
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// What a running node logs. People see their answers on standard output, and
/// everything else on standard error.
#[derive(Clone, Debug, Args)]
pub(crate) struct LoggingArgs {
    /// Where logs go: only std, which is standard error
    #[arg(long, global = true, env = "NEX_LOGGER", default_value = "std",
        value_parser = ["std"], value_name = "WHERE")]
    pub logger: String,
    /// What is logged: debug, info, warn, error
    #[arg(
        long,
        global = true,
        env = "NEX_LOGLEVEL",
        default_value = "info",
        value_name = "LEVEL"
    )]
    pub loglevel: String,
    /// Log one JSON object a line
    #[arg(long, global = true, env = "NEX_LOGJSON")]
    pub logjson: bool,
    /// Taken and ignored: logs have no colours
    #[arg(long, global = true, env = "NEX_LOG_COLORIZED")]
    pub logcolor: bool,
    /// Taken and ignored: times are RFC 3339
    #[arg(long, global = true, env = "NEX_LOG_TIMEFORMAT", value_name = "FORMAT")]
    pub timeformat: Option<String>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound_and_has_help_everywhere() {
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
        NexCli::command().debug_assert();
        check(&NexCli::command());
    }

    #[test]
    fn lines_written_for_the_original_are_understood() {
        let check = |line: &str| {
            let words = line.split(' ');
            NexCli::try_parse_from(words).unwrap_or_else(|error| panic!("{line}: {error}"))
        };
        check("nex -s nats://h:1 --namespace a node ls");
        check("nex node info NAAA --no-context --timeout=750ms");
        check("nex node probe --workload echo --json");
        check("nex node up --config ./m.json --metrics --metrics_port 8085 --traces");
        check("nex node preflight --force --init nosandbox --config=c.json");
        check(
            "nex run nats://B/k NAAA A=b C:d --xkey x --issuer i --name e --type elf --no-essential",
        );
        check("nex yeet f.js --trigger_subject a --trigger_subject b --no-stop --bucketmaxbytes 5");
        check("nex stop NAAA wid --name e --issuer i --user u --password p");
        check("nex logs --node N --workload_name w --workload_id i --level warn");
        check("nex events --context prod --conn-name me --tlsfirst");
        check("nex lameduck NAAA --creds c --nkey n --tlsca ca --logjson --loglevel debug");
    }
}
