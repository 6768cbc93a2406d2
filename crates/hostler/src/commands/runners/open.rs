//! Opens a provider with what its configuration says: for a manager that stands
//! alone, and for a control plane.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use hostler_runners::clock::Clock;
use hostler_runners::config::{ProviderConfig, ProviderKind};
use hostler_runners::jobs::{FileBook, JobBook, MemoryBook};
use hostler_runners::provider::Provider;
use hostler_runners::provider::fake::{Fake, Pace};
use hostler_runners::provider::local::{Local, LocalOptions};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// What a provider brings with it.
pub(crate) struct Opened {
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) book: Arc<dyn JobBook>,
    pub(crate) leads: watch::Receiver<bool>,
    /// What this process is called among all that share its book, if any do.
    pub(crate) shared_as: Option<String>,
}

/// Where the jobs of a provider that keeps none are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JobsIn {
    /// In files of this machine.
    Files,
    /// In a database, by somebody who also looks for orphans.
    Database,
}

/// The only place that knows every provider.
#[allow(clippy::unused_async)] // Reaching a cluster or a cloud takes a while.
pub(crate) async fn open(
    config: &ProviderConfig,
    jobs: JobsIn,
    (clock, stop): (&Clock, &CancellationToken),
) -> Result<Opened> {
    match config.kind {
        #[cfg(feature = "kubernetes")]
        ProviderKind::Kubernetes => super::kubernetes::open(config, clock, stop).await,
        #[cfg(not(feature = "kubernetes"))]
        ProviderKind::Kubernetes => anyhow::bail!("this build has no Kubernetes provider"),
        #[cfg(feature = "aws")]
        ProviderKind::Aws => super::aws::open(config, jobs, (clock, stop)).await,
        #[cfg(not(feature = "aws"))]
        ProviderKind::Aws => {
            let _ = jobs;
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

fn local(config: &ProviderConfig, clock: &Clock, stop: &CancellationToken) -> Result<Opened> {
    let machines = config.data.join("machines");
    let program = std::env::current_exe().context("this program has no path")?;
    let options = LocalOptions::read(&config.file, machines, program);
    let mut options = options.map_err(anyhow::Error::msg)?;
    options.clear = Arc::new(hostler_node::clear);
    let local = Local::start(options, Arc::clone(clock), stop.clone());
    let local = local.context("could not make the folder of machines")?;
    let book = FileBook::open(config.data.join("jobs"));
    let book = book.context("could not make the folder of jobs")?;
    Ok(alone(local, Arc::new(book)))
}

fn fake(config: &ProviderConfig, clock: &Clock, stop: &CancellationToken) -> Opened {
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
