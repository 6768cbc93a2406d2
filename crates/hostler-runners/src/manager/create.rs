//! Making the requests of a job, and taking them back: many at once, each as
//! often as it takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use hostler_core::runner::job::{JobItem, Stage};
use hostler_core::runner::{Mark, PoolName, Reason, ReasonCode, RunnerPool};
use hostler_daemon::backoff::Backoff;

use super::Manager;
use super::keeper::{Keeper, Next};
use crate::provider::{Order, ProviderError};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// One request, and which pools it was made to.
struct Asking {
    item: JobItem,
    mark: Mark,
    until: hostler_core::Timestamp,
}

impl Keeper {
    /// Makes all requests, or takes all of them back.
    pub(super) async fn ask_all(&mut self, indexes: &[usize]) -> Next {
        let indexes = &self.drop_unwanted(indexes);
        let refused = AtomicBool::new(false);
        let asked: Vec<_> = stream::iter(self.askings(indexes))
            .map(|(index, asking)| {
                let (manager, refused) = (&self.manager, &refused);
                async move { (index, manager.ask(asking, refused).await) }
            })
            .buffer_unordered(self.manager.info().calls_at_once.max(1))
            .collect()
            .await;
        let mut failure = None;
        for (index, result) in asked {
            match result {
                Ok(item) => self.job.items[index] = item,
                Err(Some(error)) => failure = Some(error),
                Err(None) => {}
            }
        }
        match failure {
            None => self.stand().await,
            Some(error) => self.roll_back(&error).await,
        }
    }

    /// What somebody asked to remove before it was asked for is never asked for.
    fn drop_unwanted(&mut self, indexes: &[usize]) -> Vec<usize> {
        let board = &self.manager.0.board;
        let now = Some(self.manager.now());
        let (unwanted, wanted): (Vec<usize>, Vec<usize>) = indexes
            .iter()
            .partition(|index| board.is_leaving(&self.job.items[**index].id));
        for index in unwanted {
            let item = &mut self.job.items[index];
            (item.asked_at, item.gone_at) = (now, now);
            let text = "it was removed before it was asked for";
            item.reason = Some(Reason::new(ReasonCode::Removed, text));
        }
        wanted
    }

    fn askings(&self, indexes: &[usize]) -> Vec<(usize, Asking)> {
        let asking = |index: &usize| {
            let asking = Asking {
                item: self.job.items[*index].clone(),
                mark: self.job.mark(u32::try_from(*index).unwrap_or(u32::MAX)),
                until: self.patience,
            };
            (*index, asking)
        };
        indexes.iter().map(asking).collect()
    }

    /// Written down before anything is taken back: whoever finds the job takes
    /// back the rest.
    async fn roll_back(&mut self, error: &ProviderError) -> Next {
        let before = self.job.clone();
        tracing::warn!("Background job {} is being taken back: {error}", before.id);
        self.job.stage = Stage::RollingBack;
        self.job.reason = Some(error.reason());
        for item in &mut self.job.items {
            item.asked_at = None;
        }
        if self.write().await {
            return Next::Now;
        }
        self.job = before;
        Next::Retry
    }

    /// Asks again for single runners: moved to another pool, or lost.
    pub(super) async fn ask_again(&mut self, indexes: &[usize]) -> Next {
        let mut next = Next::Now;
        for (index, mut asking) in self.askings(indexes) {
            asking.until = self.manager.now();
            match self.manager.ask(asking, &AtomicBool::new(false)).await {
                Ok(item) => self.job.items[index] = item,
                Err(error) => {
                    self.job.items[index].reason = error.map(|error| error.reason());
                    next = Next::Retry;
                }
            }
        }
        next
    }

    /// Takes back requests.
    pub(super) async fn give_back(&mut self, indexes: &[usize]) -> Next {
        let ids: Vec<_> = indexes
            .iter()
            .map(|index| (*index, self.job.items[*index].id.clone()))
            .collect();
        let provider = self.manager.0.parts.provider.clone();
        let released: Vec<_> = stream::iter(ids)
            .map(|(index, id)| {
                let provider = Arc::clone(&provider);
                async move { (index, provider.release(&id).await) }
            })
            .buffer_unordered(self.manager.info().calls_at_once.max(1))
            .collect()
            .await;
        let mut next = Next::Change(Some(self.manager.now() + LONGEST_PAUSE));
        for (index, result) in released {
            let item = &mut self.job.items[index];
            match result {
                // Asked for no longer: when it is not seen, it is gone.
                Ok(()) if item.asked_at.is_none() => {
                    item.gone_at = Some(self.manager.now());
                    next = Next::Now;
                }
                Ok(()) => {}
                Err(error) => {
                    tracing::warn!("could not take back {}: {error}", item.id);
                    item.reason = Some(error.reason());
                    next = Next::Retry;
                }
            }
        }
        next
    }
}

impl Manager {
    /// Makes one request, as often as it takes. `Err(None)`: another was refused
    /// before this one began.
    async fn ask(
        &self,
        asking: Asking,
        refused: &AtomicBool,
    ) -> Result<JobItem, Option<ProviderError>> {
        let mut item = asking.item;
        let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        while !refused.load(Ordering::Relaxed) {
            let Some(pool) = self.pool(&item.pool).cloned() else {
                return Err(Some(unknown(&item.pool)));
            };
            let order = Order {
                id: item.id.clone(),
                mark: asking.mark,
                machine: item.machine.clone(),
                pool: Arc::clone(&pool),
            };
            let Err(error) = self.0.parts.provider.create(&order).await else {
                return Ok(item.asked(self.now()));
            };
            super::count::failed(&error);
            if self.is_elsewhere(&mut item, &pool, &error) {
                continue;
            }
            if !error.is_transient() || self.now() >= asking.until {
                refused.store(true, Ordering::Relaxed);
                return Err(Some(error));
            }
            tokio::time::sleep(pause(&error, &mut backoff)).await;
        }
        Err(None)
    }

    /// Whether the item is to be asked from another pool after this answer.
    fn is_elsewhere(&self, item: &mut JobItem, pool: &RunnerPool, error: &ProviderError) -> bool {
        let now = self.now();
        let reason = error.reason();
        if !reason.code.says_no_capacity() {
            return false;
        }
        self.0.rests.refused(pool, &reason, now);
        match self.0.rests.instead(pool, &item.tried, now) {
            Some(other) if item.machine.is_none() => {
                item.tried.push(std::mem::replace(&mut item.pool, other));
                true
            }
            _ => false,
        }
    }
}

fn unknown(pool: &PoolName) -> ProviderError {
    ProviderError::Invalid(format!("there is no pool {pool} any more"))
}

fn pause(error: &ProviderError, backoff: &mut Backoff) -> Duration {
    let wished = match error {
        ProviderError::Throttled { retry_after, .. } => *retry_after,
        _ => None,
    };
    wished.unwrap_or_else(|| backoff.pause())
}
