//! The calls that change something. Each may be repeated; none touches what
//! does not carry this fleet's tag.

mod groups;
mod launching;
mod releasing;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use hostler_core::runner::{RunnerId, RunnerPool};
use hostler_runners::provider::{Check, Order, Provider, ProviderError, ProviderInfo, Snapshot};
use tokio::sync::watch;

use crate::cloud::{Cloud, Instance};
use crate::doctor;
use crate::names::tag;
use crate::settings::{Settings, Source};
use crate::world::{LAG, World};

/// A provider of runners on EC2.
pub struct Aws {
    pub(crate) cloud: Arc<dyn Cloud>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) world: Arc<World>,
    /// The candidate that each launch under way has come to. A reply that was
    /// lost is asked for again before anything else is tried.
    cursors: Mutex<HashMap<RunnerId, usize>>,
}

impl Aws {
    pub(crate) fn new(cloud: Arc<dyn Cloud>, settings: Arc<Settings>, world: Arc<World>) -> Self {
        Self {
            cloud,
            settings,
            world,
            cursors: Mutex::default(),
        }
    }

    /// Waits until everything was seen once, or it is known what hinders it.
    pub async fn seen_once(&self) {
        let mut seen = self.world.snapshots();
        let known = |snapshot: &Arc<Snapshot>| snapshot.is_synced || snapshot.problem.is_some();
        // The sender lives as long as the provider.
        let _ = seen.wait_for(known).await;
    }

    fn is_ours(&self, one: &Instance) -> bool {
        one.tags.get(tag::FLEET) == Some(&self.settings.fleet)
    }

    fn cursor(&self, id: &RunnerId) -> usize {
        let cursors = self.cursors.lock().unwrap_or_else(PoisonError::into_inner);
        cursors.get(id).copied().unwrap_or(0)
    }

    fn set_cursor(&self, id: &RunnerId, at: Option<usize>) {
        let mut cursors = self.cursors.lock().unwrap_or_else(PoisonError::into_inner);
        match at {
            Some(at) => cursors.insert(id.clone(), at),
            None => cursors.remove(id),
        };
    }
}

/// Nothing is concluded before everything was listed once.
const UNLISTED: Duration = Duration::from_millis(500);

#[async_trait]
impl Provider for Aws {
    fn info(&self) -> ProviderInfo {
        ProviderInfo {
            name: "aws",
            lag: LAG,
            // EC2 refills two launches a second; more would only be refused.
            calls_at_once: 4,
        }
    }

    fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.world.snapshots()
    }

    async fn create(&self, order: &Order) -> Result<(), ProviderError> {
        if order.machine.is_some() {
            let text = "an instance that was launched by somebody else cannot be adopted";
            return Err(ProviderError::Invalid(text.to_owned()));
        }
        if !self.world.is_synced() {
            return Err(ProviderError::Throttled {
                retry_after: Some(UNLISTED),
                text: "instances have not been listed yet".to_owned(),
            });
        }
        let (instances, generation) = self.world.of_runner(&order.id);
        let lives = |one: &Instance| one.state.lives() && self.is_ours(one);
        if instances.iter().any(lives) {
            return Ok(());
        }
        let Some(pool) = self.settings.pools.get(&order.pool.name) else {
            let text = format!("runners.toml has no table [aws.pool.{}]", order.pool.name);
            return Err(ProviderError::Invalid(text));
        };
        match &pool.source {
            Source::Template(template) => self.launch(order, (template, pool), generation).await,
            Source::Group(group) => self.want(order, group, generation).await,
        }
    }

    async fn cordon(&self, id: &RunnerId, closed: bool) -> Result<(), ProviderError> {
        self.close(id, closed).await
    }

    async fn release(&self, id: &RunnerId) -> Result<(), ProviderError> {
        self.give_back(id).await
    }

    async fn check(&self, pools: &[Arc<RunnerPool>]) -> Vec<Check> {
        doctor::check(self, pools).await
    }
}
