//! All jobs, held by one transaction, and what follows from them.

use hostler_core::runner::RunnerId;
use hostler_core::runner::job::{Job, JobItem, JobKind, Stage};
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, QueryOrder};

use super::row::{Column, Entity};
use crate::StoreError;
use crate::error::During;
use crate::tx::Tx;

/// Any number that nothing else of this program uses. SQLite has one writer.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7301204816)";

/// Keeps all others from the book until this transaction ends.
pub(super) async fn lock(tx: &Tx<'_>) -> Result<(), StoreError> {
    if tx.db().get_database_backend() == DbBackend::Postgres {
        let locked = tx.db().execute_unprepared(LOCK).await;
        locked.during("holding the book of jobs")?;
    }
    Ok(())
}

/// All jobs, held.
pub(crate) struct Book(Vec<Job>);

impl Book {
    /// Holds them until the transaction ends.
    pub(crate) async fn hold(tx: &Tx<'_>) -> Result<Self, StoreError> {
        lock(tx).await?;
        Ok(Self(read(tx.db()).await?))
    }

    /// Whether a job has asked for this runner, and it is not known to be gone.
    pub(crate) fn is_wanted(&self, id: &RunnerId) -> bool {
        let adds = self.0.iter().filter(|job| job.kind == JobKind::Add);
        let mut open = adds.filter(|job| job.stage != Stage::RollingBack);
        open.any(|job| item(job, id).is_some())
    }

    /// The removal of a runner that is under way.
    pub(crate) fn removal(&self, id: &RunnerId) -> Option<(&Job, &JobItem)> {
        let open = |job: &&Job| job.kind == JobKind::Remove && !job.has_ended();
        let mut removals = self.0.iter().filter(open);
        removals.find_map(|job| Some((job, item(job, id)?)))
    }

    /// Whether a runner is being given back, with no way back.
    pub(crate) fn is_final(&self, id: &RunnerId) -> bool {
        let removal = self.removal(id);
        removal.is_some_and(|(job, item)| job.force || item.drained_at.is_some())
    }
}

fn item<'a>(job: &'a Job, id: &RunnerId) -> Option<&'a JobItem> {
    let mut items = job.items.iter();
    items.find(|item| item.id == *id && item.gone_at.is_none())
}

/// All jobs, the oldest first.
pub(super) async fn read(db: &impl ConnectionTrait) -> Result<Vec<Job>, StoreError> {
    let rows = Entity::find().order_by_asc(Column::Id).all(db).await;
    let rows = rows.during("reading the book of jobs")?;
    rows.into_iter().map(Job::try_from).collect()
}
