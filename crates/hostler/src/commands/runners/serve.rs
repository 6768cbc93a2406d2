//! The runner manager that stands alone, until a signal.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use hostler_daemon::{signals, telemetry};
use hostler_runners::clock::{self, Clock};
use hostler_runners::config::{Config, Environment, ProviderKind, config};
use hostler_runners::fleet::NoFleet;
use hostler_runners::http::{MetricsText, service};
use hostler_runners::jobs::{FileBook, JobBook, MemoryBook};
use hostler_runners::manager::{Manager, Parts};
use hostler_runners::provider::Provider;
use hostler_runners::provider::fake::{Fake, Pace};
use hostler_runners::provider::local::{Local, LocalOptions};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::context::data_folder;

/// How often a book is read again that others write, too.
const BOOK_POLL: Duration = Duration::from_secs(2);

/// EC2 takes about two launches a second, and asks for a pause above that: so
/// long may the largest addition take.
const CLOUD_PATIENCE: Duration = Duration::from_mins(3);

/// What a provider brings with it.
pub(super) struct Opened {
    pub(super) provider: Arc<dyn Provider>,
    pub(super) book: Arc<dyn JobBook>,
    pub(super) leads: watch::Receiver<bool>,
    /// What this process is called among all that share its book, if any do.
    pub(super) shared_as: Option<String>,
}

/// Serves until a signal. What is under way then, the next life goes on with.
pub(super) async fn serve(data: Option<PathBuf>) -> Result<()> {
    let environment = Environment::read(Path::new(".env"))?;
    let data = data.map_or_else(|| Ok(data_folder()?.join("runners")), anyhow::Ok)?;
    let config = config(environment, data)?;
    let metrics = telemetry::prometheus();
    let metrics = metrics.map(|handle| Arc::new(move || handle.render()) as MetricsText);
    let stop = signals::stop_token()?;
    let listener = TcpListener::bind(config.listen).await;
    let listener = listener.with_context(|| format!("could not listen on {}", config.listen))?;
    let manager = start(&config, &stop).await?;
    tracing::info!(address = %listener.local_addr()?, "the runner manager answers");
    let router = service(manager.clone(), &config.tokens, metrics);
    let serving = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
    serving
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
    } = open(config, &clock, stop).await?;
    let mut rules = config.rules.clone();
    if let Some(name) = shared_as {
        rules.name = name;
        rules.book_poll = Some(BOOK_POLL);
    }
    if config.provider == ProviderKind::Aws {
        rules.ask_patience = CLOUD_PATIENCE;
    }
    let parts = Parts {
        provider,
        book,
        fleet: Arc::new(NoFleet::default()),
        pools: config.pools.clone(),
        rules,
        clock,
        leads,
    };
    Ok(Manager::start(parts, stop.clone()))
}

/// The only place that knows every provider.
#[allow(clippy::unused_async)] // Reaching a cluster or a cloud takes a while.
async fn open(config: &Config, clock: &Clock, stop: &CancellationToken) -> Result<Opened> {
    match config.provider {
        #[cfg(feature = "kubernetes")]
        ProviderKind::Kubernetes => super::kubernetes::open(config, clock, stop).await,
        #[cfg(not(feature = "kubernetes"))]
        ProviderKind::Kubernetes => anyhow::bail!("this build has no Kubernetes provider"),
        #[cfg(feature = "aws")]
        ProviderKind::Aws => super::aws::open(config, clock, stop).await,
        #[cfg(not(feature = "aws"))]
        ProviderKind::Aws => {
            anyhow::bail!("this build has no AWS provider: build it with --features aws")
        }
        ProviderKind::Local => local(config, clock, stop),
        ProviderKind::Fake => Ok(fake(config, clock, stop)),
    }
}

/// A manager that is the only one on its book.
fn alone(provider: Arc<dyn Provider>, book: Arc<dyn JobBook>) -> Opened {
    Opened {
        provider,
        book,
        leads: watch::channel(true).1,
        shared_as: None,
    }
}

fn local(config: &Config, clock: &Clock, stop: &CancellationToken) -> Result<Opened> {
    let machines = config.data.join("machines");
    let program = std::env::current_exe().context("this program has no path")?;
    let options = LocalOptions::read(&config.file, machines, program);
    let options = options.map_err(anyhow::Error::msg)?;
    let local = Local::start(options, Arc::clone(clock), stop.clone());
    let local = local.context("could not make the folder of machines")?;
    let book = FileBook::open(config.data.join("jobs"));
    let book = book.context("could not make the folder of jobs")?;
    Ok(alone(local, Arc::new(book)))
}

fn fake(config: &Config, clock: &Clock, stop: &CancellationToken) -> Opened {
    let fake = Fake::new(Arc::clone(clock));
    let delay = |name: &str| {
        let given = config
            .environment
            .get(name)
            .and_then(|text| text.parse().ok());
        Duration::from_millis(given.unwrap_or(1_000))
    };
    let pace = Pace {
        machine_after: delay("FAKE_MACHINE_AFTER_MS"),
        program_after: delay("FAKE_PROGRAM_AFTER_MS"),
    };
    tokio::spawn(fake.clone().live(pace, stop.clone()));
    alone(Arc::new(fake), Arc::new(MemoryBook::default()))
}
