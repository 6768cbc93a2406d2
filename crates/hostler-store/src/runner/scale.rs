//! Carrying out a decision about a pool: one transaction, and only if nobody
//! has changed the pool since it was looked at.

use hostler_core::runner::job::JobKind;

use super::{Book, Scaled, Scaling, job, pool};
use crate::lease::fence;
use crate::{By, Fence, FencedError, Store};

impl Store {
    /// Writes down the jobs of a decision. Of removals, only runners are taken
    /// that are still wanted and that nobody else removes.
    pub async fn runner_pool_scale(
        &self,
        by: &By<'_>,
        scaling: Scaling,
        fence: Option<&Fence>,
    ) -> Result<Scaled, FencedError> {
        let mut tx = self.begin(by).await?;
        fence::check(tx.db(), fence).await?;
        let book = Book::hold(&tx).await?;
        let mut row = pool::get(&tx, &scaling.pool).await?;
        if row.turn != scaling.turn {
            return Ok(Scaled::Outdated);
        }
        row.turn += 1;
        row.failures = scaling.failures;
        if scaling.moves {
            row.scaled_at = Some(by.now);
        }
        pool::put(&tx, &row).await?;
        for mut job in scaling.jobs {
            if job.kind == JobKind::Remove {
                job.items
                    .retain(|item| book.is_wanted(&item.id) && book.removal(&item.id).is_none());
            }
            if !job.items.is_empty() {
                job::insert(&mut tx, &job).await?;
            }
        }
        for event in scaling.events {
            tx.note(event);
        }
        tx.commit().await?;
        Ok(Scaled::Written)
    }
}
