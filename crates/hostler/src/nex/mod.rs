//! This program under the name of the original's: `nex`, or `hostler nex`.
//!
//! Exit statuses: 0 done, 1 failed or wrongly called, as scripts of the original
//! know it for the latter; that a failed command ends with 0 there is a mistake
//! nobody can rely on.

mod args;
mod client;
mod context;
mod devrun;
mod feeds;
mod keys;
mod node;
mod reach;
mod start;
mod up;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use clap::{CommandFactory as _, Parser as _};
use hostler_daemon::telemetry::{self, LogFormat};

use crate::output::Output;
use args::{NexCli, NexCommand, NodeCommand};
use client::Nex;
use reach::Reach;

pub(crate) use args::PreflightArgs;

/// Whether a program was called by the original's name.
pub(crate) fn is_called_so(program: Option<&OsString>) -> bool {
    let name = program.and_then(|path| Path::new(path).file_name());
    name.is_some_and(|name| name == "nex")
}

/// Does what these words say; the first is the program's name.
pub(crate) fn main(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match NexCli::try_parse_from(words) {
        Ok(cli) => cli,
        Err(error) => {
            let status = u8::from(error.use_stderr());
            let _ = error.print();
            return ExitCode::from(status);
        }
    };
    let format = if cli.logging.logjson {
        LogFormat::Json
    } else {
        LogFormat::Text
    };
    telemetry::start(&cli.logging.loglevel, format);
    match crate::finish(perform(cli)) {
        ExitCode::SUCCESS => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn perform(cli: NexCli) -> Result<()> {
    if let NexCommand::Completions { shell } = cli.command {
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut NexCli::command(), "nex", &mut text);
        std::io::Write::write_all(&mut std::io::stdout(), &text)?;
        return Ok(());
    }
    let runs_node = matches!(cli.command, NexCommand::Node(NodeCommand::Up(_)));
    let runtime = crate::commands::runtime_of(runs_node)?;
    runtime.block_on(speak(cli))
}

async fn speak(cli: NexCli) -> Result<()> {
    let output = Output {
        json: cli.json,
        quiet: false,
    };
    let reach = Reach::find(&cli.reach)?;
    match cli.command {
        NexCommand::Node(NodeCommand::Up(args)) => return up::up(args, reach.nats).await,
        NexCommand::Node(NodeCommand::Preflight(mut args)) => {
            args.config.get_or_insert_with(|| "./config.json".into());
            return crate::commands::preflight(args, Some(reach.nats), output).await;
        }
        _ => {}
    }
    let nats = reach.connect(&cli.reach.conn_name).await?;
    let nex = Nex {
        nats,
        namespace: cli.reach.namespace,
        timeout: cli.reach.timeout,
    };
    ask(&nex, cli.command, output).await
}

async fn ask(nex: &Nex, command: NexCommand, output: Output) -> Result<()> {
    match command {
        NexCommand::Node(NodeCommand::Ls) => node::list(nex, output).await,
        NexCommand::Node(NodeCommand::Info { id }) => node::info(nex, id, output).await,
        NexCommand::Node(NodeCommand::Probe { workload }) => {
            node::probe(nex, workload.as_deref(), output).await
        }
        NexCommand::Run(args) => start::run(nex, args, output).await,
        NexCommand::Devrun(args) => devrun::devrun(nex, args, output).await,
        NexCommand::Stop(args) => start::stop(nex, args, output).await,
        NexCommand::Logs(args) => feeds::logs(nex, args, output).await,
        NexCommand::Events => feeds::events(nex, output).await,
        NexCommand::Lameduck { id } => node::lame_duck(nex, &id, output).await,
        // They ask nobody.
        NexCommand::Node(NodeCommand::Up(_) | NodeCommand::Preflight(_))
        | NexCommand::Completions { .. } => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_decides_whatever_folder_it_is_in() {
        let check = |program: &str, expected| {
            assert_eq!(is_called_so(Some(&program.into())), expected, "{program}");
        };
        check("nex", true);
        check("/usr/local/bin/nex", true);
        check("hostler", false);
        check("/nex/hostler", false);
        assert!(!is_called_so(None));
    }
}
