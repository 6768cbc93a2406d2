//! The pass that throws away what nobody needs any more: marks of erased
//! workloads, used keys, expired tokens and sessions, files that no project holds, old
//! history. Each span is long enough that its end surprises nobody.

use std::time::Duration;

use hostler_core::Timestamp;
use hostler_core::access::is_expired;
use hostler_store::{AccessError, By, StoreError};

use super::lease::PassLease;
use super::{Outcome, Pass, PassError};
use crate::state::App;

const DAY: Duration = Duration::from_hours(24);

/// A request is not sent again after this long.
const KEYS_KEPT: Duration = DAY;
/// A tombstone is kept until every node was heard so long after it was needed:
/// longer than any heartbeat or order can be under way.
const TOMBSTONES_KEPT: Duration = DAY;
/// How far the history reaches back.
const EVENTS_KEPT: Duration = Duration::from_hours(90 * 24);

/// The pass.
pub(crate) struct Housekeeping {
    app: App,
    lease: PassLease,
    /// How old a file that nobody holds must be.
    grace: Duration,
}

impl Housekeeping {
    pub(crate) const fn new(app: App, grace: Duration) -> Self {
        Self {
            app,
            lease: PassLease::new("pass.housekeeping"),
            grace,
        }
    }

    async fn sweep_rows(&self) -> Result<u64, StoreError> {
        let (store, now) = (&self.app.store, self.app.now());
        let mut swept = store.idempotency_sweep(before(now, KEYS_KEPT)).await?;
        swept += store.event_sweep(before(now, EVENTS_KEPT)).await?;
        if let Some(buried) = self.burials_over(now).await? {
            swept += store.tombstone_sweep(buried).await?;
        }
        swept += self.sweep_tokens(now).await?;
        Ok(swept)
    }

    /// The moment before which tombstones have done their work: each node has
    /// sent its whole ledger [`TOMBSTONES_KEPT`] later
    /// ([`hostler_core::workload::burial_over`]). `None` while one is unheard,
    /// so that marks outlive any absence of a node that is registered.
    async fn burials_over(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let nodes = self.app.store.node_list().await?;
        let heard: Option<Vec<_>> = nodes.iter().map(|row| row.facts.last_heard).collect();
        let first = |heard: Vec<_>| heard.into_iter().fold(now, Timestamp::min);
        Ok(heard.map(|heard| before(first(heard), TOMBSTONES_KEPT)))
    }

    async fn sweep_tokens(&self, now: Timestamp) -> Result<u64, StoreError> {
        let (store, by) = (&self.app.store, By::new("hostler", now));
        let mut swept = 0;
        for token in store.token_list(None).await? {
            if is_expired(token.expires_at, now) {
                swept += u64::from(deleted(store.token_delete(&by, token.id).await)?);
            }
        }
        let idle_since = before(now, self.app.sessions.idle);
        swept += store.session_sweep(now, idle_since).await?;
        swept += store.sign_in_sweep(now).await?;
        Ok(swept + store.join_token_sweep(now).await?)
    }

    /// Files are looked at again with naming held up, so that one which is
    /// being uploaded anew right now stays.
    async fn sweep_files(&self) -> Result<u64, SweepError> {
        let files = &self.app.files;
        if files.older_than(self.grace).await?.is_empty() {
            return Ok(0);
        }
        let _alone = files.sweeping().await;
        let held = self.app.store.artifact_list(None).await?;
        let mut swept = 0;
        for digest in files.older_than(self.grace).await? {
            let text = digest.to_string();
            if !held.iter().any(|row| row.digest == text) {
                files.remove(digest).await?;
                swept += 1;
            }
        }
        Ok(swept)
    }
}

/// What expires is nobody's last way in, so nothing but the store refuses.
fn deleted(outcome: Result<bool, AccessError>) -> Result<bool, StoreError> {
    match outcome {
        Ok(deleted) => Ok(deleted),
        Err(AccessError::Store(error)) => Err(error),
        Err(_) => Ok(false),
    }
}

#[derive(Debug, thiserror::Error)]
enum SweepError {
    #[error("looking through the artifact files")]
    Files(#[from] std::io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn before(now: Timestamp, span: Duration) -> Timestamp {
    let ms = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_ms(now.ms().saturating_sub(ms))
}

impl Pass for Housekeeping {
    const NAME: &'static str = "housekeeping";
    const ON_WORK: bool = false;

    async fn run(&mut self) -> Result<Outcome, PassError> {
        let lease = self.lease.take(&self.app).await;
        if lease.map_err(PassError::at("taking the lease"))?.is_none() {
            return Ok(Outcome::Elsewhere);
        }
        let rows = self.sweep_rows().await;
        let rows = rows.map_err(PassError::at("sweeping rows"))?;
        let files = self.sweep_files().await;
        let files = files.map_err(PassError::at("sweeping artifact files"))?;
        let swept = usize::try_from(rows + files).unwrap_or(usize::MAX);
        if swept > 0 {
            tracing::info!(rows, files, "swept what nobody needs any more");
        }
        Ok(Outcome::Did(swept))
    }

    async fn end(&mut self) {
        self.lease.give_back(&self.app).await;
    }
}
