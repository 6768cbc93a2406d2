//! Starts everything: the lists, the sweep, the provider.

use std::sync::Arc;

use hostler_core::runner::{PoolName, RunnerPool};
use hostler_runners::clock::Clock;
use hostler_runners::jobs::JobBook;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::cloud::Cloud;
use crate::orphans::Orphans;
use crate::provider::Aws;
use crate::seen::Eye;
use crate::settings::Settings;
use crate::watch::Watch;
use crate::world::World;

/// What a provider is made of.
pub struct Parts {
    /// The way to AWS.
    pub cloud: Arc<dyn Cloud>,
    /// How it is configured.
    pub settings: Settings,
    /// The kinds of machines, the default one first.
    pub pools: Vec<Arc<RunnerPool>>,
    /// The book of jobs, to sweep by; without one, somebody else sweeps.
    pub book: Option<Arc<dyn JobBook>>,
    /// Whether this manager may grow groups, and sweep.
    pub leads: watch::Receiver<bool>,
    /// What time it is.
    pub clock: Clock,
}

/// Starts a provider, until `stop`. It does not wait for AWS: what it has not
/// seen yet, it says in its snapshots.
pub fn start(parts: Parts, stop: &CancellationToken) -> Arc<Aws> {
    let settings = Arc::new(parts.settings);
    let world = Arc::new(World::new(eye(&settings, &parts.pools), parts.clock));
    let watch = Watch {
        cloud: Arc::clone(&parts.cloud),
        settings: Arc::clone(&settings),
        world: Arc::clone(&world),
        has_spot: parts.pools.iter().any(|pool| pool.spot),
        leads: parts.leads.clone(),
    };
    until(stop, watch.run());
    let aws = Arc::new(Aws::new(parts.cloud, settings, world));
    if let Some(book) = parts.book {
        let orphans = Orphans {
            aws: Arc::clone(&aws),
            book,
            leads: parts.leads,
        };
        until(stop, orphans.run());
    }
    aws
}

fn until(stop: &CancellationToken, task: impl Future<Output = ()> + Send + 'static) {
    let stop = stop.clone();
    tokio::spawn(async move { stop.run_until_cancelled(task).await });
}

/// What says no pool is of the first one, or of any that is configured.
fn eye(settings: &Settings, pools: &[Arc<RunnerPool>]) -> Eye {
    let first = pools.first().map(|pool| pool.name.clone());
    let any = || settings.pools.keys().next().cloned();
    Eye {
        checks: settings.checks,
        usual: first.or_else(any).unwrap_or_else(nameless),
    }
}

/// There is no pool: nothing will be shown in it.
fn nameless() -> PoolName {
    #[allow(clippy::expect_used)] // A constant.
    PoolName::DEFAULT.parse().expect("it is a name")
}
