//! A manager without its HTTP API.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use hostler_core::runner::RunnerPool;
use hostler_kubernetes::{Kubernetes, Settings, start};
use hostler_runners::clock::steady;
use hostler_runners::config::{RunnersFile, pools_of};
use hostler_runners::fleet::NoFleet;
use hostler_runners::manager::{AddRequest, Manager, Parts, Rules};
use hostler_runners::provider::{Provider as _, Snapshot};
use kube::Client;
use tokio_util::sync::CancellationToken;

pub(crate) struct Life {
    pub(crate) manager: Manager,
    pub(crate) provider: Arc<Kubernetes>,
    stop: CancellationToken,
}

impl Drop for Life {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub(crate) async fn live(client: Client) -> Result<Life> {
    let stop = CancellationToken::new();
    let pools = pools()?;
    let started = start(client, Settings::read(|_| None)?, &pools, steady(), &stop);
    let provider = started.provider;
    let rules = Rules {
        max_add: 10_000,
        ..Rules::default()
    };
    let manager = Manager::start(
        Parts {
            provider: provider.clone(),
            book: started.book,
            fleet: Arc::new(NoFleet::default()),
            pools,
            rules,
            clock: steady(),
            leads: started.leads.clone(),
        },
        stop.clone(),
    );
    manager.loaded().await;
    provider.seen_once().await;
    let mut leads = started.leads;
    leads.wait_for(|leads| *leads).await?;
    Ok(Life {
        manager,
        provider,
        stop,
    })
}

/// The pools there are without any configuration.
pub(crate) fn pools() -> Result<Vec<Arc<RunnerPool>>> {
    let pools = RunnersFile::parse("").and_then(|file| pools_of(&file));
    pools.map_err(anyhow::Error::msg)
}

/// A request for so many.
pub(crate) fn request(count: usize) -> AddRequest {
    AddRequest {
        count: i64::try_from(count).ok(),
        ..AddRequest::default()
    }
}

/// Waits until a snapshot is so.
pub(crate) async fn seen(life: &Life, is_so: impl Fn(&Snapshot) -> bool) -> Result<()> {
    let mut seen = life.provider.snapshots();
    let waiting = seen.wait_for(|seen| is_so(seen));
    tokio::time::timeout(Duration::from_mins(5), waiting).await??;
    Ok(())
}
