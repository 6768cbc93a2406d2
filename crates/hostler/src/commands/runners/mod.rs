//! `hostler runners`: the service, and what people ask of one.

mod ask;
#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "kubernetes")]
mod kubernetes;
mod open;
mod serve;
mod show;

use anyhow::{Context as _, Result};
use hostler_runners::config::Environment;
use hostler_wire::client::ControlClient;

use crate::args::{Global, RunnersArgs, RunnersCommand};
use crate::commands::connect;
use crate::output::Output;

pub(crate) use open::{JobsIn, open};

/// Performs one of them, or serves.
pub(crate) async fn runners(args: RunnersArgs, global: &Global, output: Output) -> Result<()> {
    match args.command {
        None => serve::serve(args.data).await,
        Some(command) => perform(command, &client(global)?, output).await,
    }
}

/// What `.env` here says is meant to be logged, unless the process's own
/// environment says something else.
pub(crate) fn log_level() -> Option<String> {
    let environment = Environment::read(std::path::Path::new(".env")).ok()?;
    environment.get("LOG_LEVEL").map(str::to_owned)
}

/// A manager that stands alone is found by the variables it is configured with,
/// where no fleet is named.
fn client(global: &Global) -> Result<ControlClient> {
    let Ok(environment) = Environment::read(std::path::Path::new(".env")) else {
        return connect::client(global);
    };
    let token = environment
        .get("API_TOKEN")
        .filter(|_| global.token.is_none());
    let is_named = global.context.is_some() || global.url.is_some();
    let Some(token) = token.filter(|_| !is_named) else {
        return connect::client(global);
    };
    let port = environment.get("API_PORT").unwrap_or("3010");
    let token = token.split(',').next().unwrap_or_default();
    let url = format!("http://127.0.0.1:{port}");
    ControlClient::new(&url, token).with_context(|| format!("'{url}' is no address"))
}

async fn perform(command: RunnersCommand, client: &ControlClient, output: Output) -> Result<()> {
    match command {
        RunnersCommand::Add {
            count,
            pool,
            dry_run,
            detach,
        } => ask::add((count, pool, dry_run), detach, client, output).await,
        RunnersCommand::Ls { status, pool } => show::list(status, pool, client, output).await,
        RunnersCommand::Get { id } => show::one(&id, client, output).await,
        RunnersCommand::Rm {
            ids,
            count,
            force,
            dry_run,
            detach,
        } => {
            let body = ask::removal(ids, count, force, dry_run);
            ask::remove(&body, detach, client, output).await
        }
        RunnersCommand::Jobs { id: Some(id) } => show::job(id, client, output).await,
        RunnersCommand::Jobs { id: None } => show::jobs(client, output).await,
        RunnersCommand::Pools => show::pools(client, output).await,
        RunnersCommand::Doctor => show::doctor(client, output).await,
    }
}
