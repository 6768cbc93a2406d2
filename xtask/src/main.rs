//! The commands of those who work on this repository.
//!
//! - `cargo xtask check [--profile P]`: everything CI runs: formatting, lints,
//!   the arrows between crates, tidiness, licences and bans, tests
//! - `cargo xtask arrows`, `tidy`, `deny`: one of them alone
//! - `cargo xtask bless`: rewrites the expected files that tests compare with
//! - `cargo xtask bench [PART]...`: measures everything, or the named benches, in
//!   one run, prints the table and writes `docs/figures.md`

mod arrows;
mod bench;
mod check;
mod deny;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match command(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn command(arguments: &[String]) -> Result<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["check"] => check::check("dev"),
        ["check", "--profile", profile] => check::check(profile),
        ["arrows"] => arrows::check(),
        ["tidy"] => tidy::check(),
        ["deny"] => deny::check(),
        ["bless"] => check::bless(),
        ["bench", "--quick", parts @ ..] => bench::bench(true, parts),
        ["bench", parts @ ..] => bench::bench(false, parts),
        _ => bail!(
            "usage: cargo xtask check [--profile P] | arrows | tidy | deny | bless | bench [--quick] [PART]..."
        ),
    }
}

/// The folder of the workspace.
fn root() -> Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(here
        .parent()
        .context("xtask lies in the workspace")?
        .to_owned())
}

/// A command in the workspace, without what cargo told *us* by variables:
/// build scripts that watch those (that of `ring`) would run again, and half
/// the workspace be built again, at every change between cargo and this.
fn tool(program: &str, arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root()?);
    let told = |name: &str| {
        ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"]
            .iter()
            .any(|group| name.starts_with(group))
    };
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(told) {
            command.env_remove(name);
        }
    }
    Ok(command)
}

/// Runs a command in the workspace and fails when it does.
fn run(program: &str, arguments: &[&str]) -> Result<()> {
    eprintln!("$ {program} {}", arguments.join(" "));
    let status = tool(program, arguments)?
        .status()
        .with_context(|| format!("could not start {program}"))?;
    if !status.success() {
        bail!("{program} {} failed: {status}", arguments.join(" "));
    }
    Ok(())
}
