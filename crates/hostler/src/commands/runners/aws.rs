//! Opens the AWS provider with what `runners.toml` and the environment say.

use std::sync::Arc;

use anyhow::{Context as _, Error, Result};
use hostler_aws::{Parts, Settings, connect, start};
use hostler_runners::clock::Clock;
use hostler_runners::config::ProviderConfig;
use hostler_runners::jobs::{FileBook, JobBook};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::open::{JobsIn, Opened};

/// Orphans are looked for here only if the jobs are kept here.
pub(super) async fn open(
    config: &ProviderConfig,
    jobs: JobsIn,
    (clock, stop): (&Clock, &CancellationToken),
) -> Result<Opened> {
    let get = |name: &str| config.environment.get(name).map(str::to_owned);
    let mut settings = Settings::read(&config.file, get).map_err(Error::msg)?;
    // A control plane hears the machine's node itself, long before they pass.
    settings.checks &= jobs == JobsIn::Files;
    let book = FileBook::open(config.data.join("jobs"));
    let book: Arc<dyn JobBook> = Arc::new(book.context("could not make the folder of jobs")?);
    let leads = watch::channel(true).1;
    let parts = Parts {
        cloud: connect(&settings).await.map_err(Error::msg)?,
        settings,
        pools: config.pools.clone(),
        book: (jobs == JobsIn::Files).then(|| Arc::clone(&book)),
        leads: leads.clone(),
        clock: Arc::clone(clock),
    };
    Ok(Opened {
        provider: start(parts, stop),
        book,
        leads,
        shared_as: None,
    })
}
