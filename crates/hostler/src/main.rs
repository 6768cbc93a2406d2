//! The program: daemons and the commands of people, chosen by the first word.
//!
//! Called as `nex`, it has that program's command line.
//!
//! Exit statuses: 0 done, 1 failed, 64 wrongly called or configured. Data goes
//! to standard output, everything else to standard error.

mod args;
mod commands;
mod context;
mod nex;
mod output;
mod up;

use std::process::ExitCode;

use clap::Parser as _;
use hostler_daemon::config::{EXIT_USAGE, Mistakes};
use hostler_daemon::telemetry::{self, LogFormat};

use hostler_runners::config::LevelError;

use args::{Cli, Command};

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    if nex::is_called_so(words.first()) {
        return nex::main(words);
    }
    // Its flags are not ours, though some have the same names.
    if words.get(1).is_some_and(|word| word == "nex") {
        return nex::main(words.into_iter().skip(1));
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no mistakes.
            let status = if error.use_stderr() { EXIT_USAGE } else { 0 };
            let _ = error.print();
            return ExitCode::from(status);
        }
    };
    if let Command::Nex { words } = cli.command {
        return nex::main(std::iter::once("nex".into()).chain(words));
    }
    let format = if cli.global.log_json {
        LogFormat::Json
    } else {
        LogFormat::Text
    };
    let (level, mistake) = log_level(&cli);
    telemetry::start(&level, format);
    if let Some(mistake) = mistake {
        tracing::warn!("{mistake}");
    }
    finish(commands::perform(cli))
}

/// A runner manager is configured by `.env` too, and forgives a level that is
/// none.
fn log_level(cli: &Cli) -> (String, Option<LevelError>) {
    let given = &cli.global.log_level;
    let Command::Runners(_) = cli.command else {
        return (given.clone(), None);
    };
    let is_usual = given == "info" && std::env::var_os("LOG_LEVEL").is_none();
    let from_file = commands::runners_log_level().filter(|_| is_usual);
    hostler_runners::config::log_level(from_file.as_deref().unwrap_or(given))
}

fn finish(result: anyhow::Result<()>) -> ExitCode {
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    if is_broken_pipe(&error) {
        return ExitCode::SUCCESS;
    }
    eprintln!("error: {error:#}");
    let usage = error.downcast_ref::<Mistakes>().is_some();
    ExitCode::from(if usage { EXIT_USAGE } else { 1 })
}

/// The reader of our output has seen enough (`hostler events | head`).
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<std::io::Error>();
    io.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
