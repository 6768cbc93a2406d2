//! The program: daemons and the commands of people, chosen by the first word.
//!
//! Exit statuses: 0 done, 1 failed, 64 wrongly called or configured. Data goes
//! to standard output, everything else to standard error.

mod args;
mod commands;
mod context;
mod output;
mod up;

use std::process::ExitCode;

use clap::Parser as _;
use hostler_daemon::config::{EXIT_USAGE, Mistakes};
use hostler_daemon::telemetry::{self, LogFormat};

use args::Cli;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no mistakes.
            let status = if error.use_stderr() { EXIT_USAGE } else { 0 };
            let _ = error.print();
            return ExitCode::from(status);
        }
    };
    let format = if cli.global.log_json {
        LogFormat::Json
    } else {
        LogFormat::Text
    };
    telemetry::start(&cli.global.log_level, format);
    finish(commands::perform(cli))
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
