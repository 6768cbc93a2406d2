//! The runner manager that stands alone, until a signal.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use hostler_daemon::serve::{self, Tls};
use hostler_daemon::{signals, telemetry};
use hostler_runners::clock;
use hostler_runners::config::{Config, Environment, ProviderKind, config};
use hostler_runners::fleet::NoFleet;
use hostler_runners::http::{MetricsText, service};
use hostler_runners::manager::{Manager, Parts};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::open::{JobsIn, Opened, open};
use crate::context::data_folder;

/// How long requests that are under way at the stop may take.
const GRACE: Duration = Duration::from_secs(10);

/// How often a book is read again that others write, too.
const BOOK_POLL: Duration = Duration::from_secs(2);

/// EC2 takes about two launches a second, and asks for a pause above that: so
/// long may the largest addition take.
const CLOUD_PATIENCE: Duration = Duration::from_mins(3);

/// Serves until a signal. What is under way then, the next life goes on with.
pub(super) async fn serve(data: Option<PathBuf>) -> Result<()> {
    let environment = Environment::read(Path::new(".env"))?;
    let data = data.map_or_else(|| Ok(data_folder()?.join("runners")), anyhow::Ok)?;
    let config = config(environment, data)?;
    let metrics = telemetry::prometheus();
    let metrics = metrics.map(|handle| Arc::new(move || handle.render()) as MetricsText);
    let stop = signals::stop_token()?;
    let tls = match config.tls.clone() {
        Some(files) => Some(Tls::open(files).await?),
        None => None,
    };
    let listener = TcpListener::bind(config.listen).await;
    let listener = listener.with_context(|| format!("could not listen on {}", config.listen))?;
    let manager = start(&config, &stop).await?;
    tracing::info!(address = %listener.local_addr()?, "the runner manager answers");
    let router = service(manager.clone(), &config.tokens, metrics);
    serve::serve(listener, router, tls, (stop, GRACE))
        .await
        .context("the runner manager stopped answering")?;
    manager.join().await;
    Ok(())
}

async fn start(config: &Config, stop: &CancellationToken) -> Result<Manager> {
    let clock = clock::steady();
    let Opened {
        provider,
        book,
        leads,
        shared_as,
    } = open(&config.provider, JobsIn::Files, (&clock, stop)).await?;
    let mut rules = config.rules.clone();
    if let Some(name) = shared_as {
        rules.name = name;
        rules.book_poll = Some(BOOK_POLL);
    }
    if config.provider.kind == ProviderKind::Aws {
        rules.ask_patience = CLOUD_PATIENCE;
    }
    let parts = Parts {
        provider,
        book,
        fleet: Arc::new(NoFleet::default()),
        pools: config.provider.pools.clone(),
        rules,
        clock,
        leads,
    };
    Ok(Manager::start(parts, stop.clone()))
}
