//! Opens the Kubernetes provider with what the environment says.

use std::sync::Arc;

use anyhow::Result;
use hostler_kubernetes::connect::connect;
use hostler_kubernetes::{Settings, start};
use hostler_runners::clock::Clock;
use hostler_runners::config::ProviderConfig;
use tokio_util::sync::CancellationToken;

use super::open::Opened;

pub(super) async fn open(
    config: &ProviderConfig,
    clock: &Clock,
    stop: &CancellationToken,
) -> Result<Opened> {
    let get = |name: &str| config.environment.get(name).map(str::to_owned);
    let settings = Settings::read(get)?;
    let client = connect(settings.kubeconfig.as_deref()).await?;
    let shared_as = Some(settings.replica.clone());
    let started = start(client, settings, &config.pools, Arc::clone(clock), stop);
    Ok(Opened {
        provider: started.provider,
        book: started.book,
        leads: started.leads,
        shared_as,
    })
}
