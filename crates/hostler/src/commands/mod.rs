//! Performs what the command line says; the match has no wildcard.

mod audit;
mod call;
mod checks;
mod connect;
mod contexts;
mod control;
mod events;
mod growth;
mod login;
mod logs;
pub(crate) mod near;
mod node;
pub(crate) mod node_up;
mod node_vms;
mod operation;
mod projects;
mod rootfs;
mod run;
mod runners;
mod sim;
mod token;
mod users;
mod vm;
mod workload;

use anyhow::{Context as _, Result};
use clap::CommandFactory as _;

use crate::args::{Cli, Command, NodeCommand, RunnersArgs};
use crate::output::Output;
use crate::up;

pub(crate) use checks::preflight;
pub(crate) use runners::log_level as runners_log_level;

pub(crate) fn perform(cli: Cli) -> Result<()> {
    let output = Output {
        json: cli.global.json,
        quiet: cli.global.quiet,
    };
    match cli.command {
        Command::Completions { shell } => completions(shell),
        Command::Sim(args) => sim::sim(&args, output),
        Command::Context(command) => contexts::perform(command, &cli.global, output),
        command => runtime(&command)?.block_on(speak(command, &cli.global, output)),
    }
}

/// The control plane gets all cores and a node, whose cores are for its work,
/// one in four; commands for people run on the thread they are on.
fn runtime(command: &Command) -> Result<tokio::runtime::Runtime> {
    match command {
        Command::Control(_) | Command::Runners(RunnersArgs { command: None, .. }) => {
            runtime_with(Some(cores()))
        }
        Command::Node(NodeCommand::Up(_)) => runtime_of(true),
        _ => runtime_of(false),
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// A node's runtime, or that of a command for people.
pub(crate) fn runtime_of(is_node: bool) -> Result<tokio::runtime::Runtime> {
    runtime_with(is_node.then(|| (cores() / 4).max(1)))
}

fn runtime_with(workers: Option<usize>) -> Result<tokio::runtime::Runtime> {
    let mut builder = match workers {
        Some(_) => tokio::runtime::Builder::new_multi_thread(),
        None => tokio::runtime::Builder::new_current_thread(),
    };
    builder
        .worker_threads(workers.unwrap_or(1))
        .enable_all()
        .build()
        .context("could not start the runtime")
}

async fn speak(command: Command, global: &crate::args::Global, output: Output) -> Result<()> {
    let client = || connect::client(global);
    match command {
        Command::Up(args) => up::up(args, global.logging(), output).await,
        Command::Control(args) => control::control(args).await,
        Command::Node(NodeCommand::Up(args)) => node_up::node_up(args).await,
        Command::Node(NodeCommand::Guard { data }) => Ok(hostler_node::guard::run(&data)?),
        Command::Node(NodeCommand::Doctor { data }) => checks::doctor(data, output).await,
        Command::Node(NodeCommand::Preflight(args)) => checks::preflight(args, None, output).await,
        Command::Node(command) => node::perform(command, &client()?, output).await,
        Command::Run(args) => run::run(args, global, output).await,
        Command::Ls(args) => workload::list(args, &client()?, output).await,
        Command::Info(which) => workload::info(which, &client()?, output).await,
        Command::Logs(args) => logs::logs(args, &client()?, output).await,
        Command::Events(args) => events::events(args, &client()?, output).await,
        Command::Stop(which) => workload::stop(which, &client()?, output).await,
        Command::Start(which) => workload::start(which, &client()?, output).await,
        Command::Rm(which) => workload::remove(which, &client()?, output).await,
        Command::Explain(which) => workload::explain(which, &client()?, output).await,
        Command::Vm(command) => vm::perform(command, &client()?, output).await,
        Command::Image(command) => vm::image(command, &client()?, output).await,
        Command::Rootfs(command) => rootfs::perform(command, output).await,
        Command::Call(args) => call::call(args, global, output).await,
        Command::Runners(args) => runners::runners(args, global, output).await,
        Command::Token(command) => token::perform(command, &client()?, output).await,
        Command::Login(args) => login::login(args, global, output).await,
        Command::Logout => login::logout(global, output).await,
        Command::Whoami => login::whoami(&client()?, output).await,
        Command::User(command) => users::perform(command, &client()?, output).await,
        Command::Role(command) => users::roles(command, &client()?, output).await,
        Command::Project(command) => projects::perform(command, &client()?, output).await,
        Command::Quota(command) => projects::quotas(command, &client()?, output).await,
        Command::Audit(command) => audit::perform(command, global, output).await,
        Command::Operation(command) => operation::perform(command, &client()?, output).await,
        Command::Completions { .. }
        | Command::Sim(_)
        | Command::Context(_)
        | Command::Nex { .. } => Ok(()),
    }
}

fn completions(shell: clap_complete::Shell) -> Result<()> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "hostler", &mut text);
    std::io::Write::write_all(&mut std::io::stdout(), &text)?;
    Ok(())
}
