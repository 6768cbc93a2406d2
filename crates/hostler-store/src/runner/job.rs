//! Writing single jobs: what a person asked for, and how far each job is.

use hostler_core::id::JobId;
use hostler_core::runner::job::{Job, JobKind};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, TryInsertResult};

use super::row::{Column, Entity, Model};
use super::{JobConflict, book, pool};
use crate::column::{json, signed};
use crate::error::During;
use crate::tx::{Tx, event};
use crate::{By, NewEvent, Store, StoreError};

impl Store {
    /// All jobs, the oldest first.
    pub async fn runner_job_list(&self) -> Result<Vec<Job>, StoreError> {
        book::read(self.db()).await
    }

    /// Writes down a new job. What was decided about its pools before is void.
    pub async fn runner_job_insert(&self, by: &By<'_>, job: &Job) -> Result<(), JobConflict> {
        let mut tx = self.begin(by).await?;
        book::lock(&tx).await?;
        insert(&mut tx, job).await?;
        for name in pool::names(job) {
            pool::turn(&tx, &name).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Replaces a job of the revision before by this one.
    pub async fn runner_job_replace(&self, by: &By<'_>, job: &Job) -> Result<(), JobConflict> {
        let mut tx = self.begin(by).await?;
        book::lock(&tx).await?;
        let before = Entity::find_by_id(job.id.uuid()).one(tx.db()).await;
        let before = before.during("reading a job of runners")?;
        let before = before.ok_or(JobConflict::Changed)?;
        if before.revision.saturating_add(1) != signed(job.revision) {
            return Err(JobConflict::Changed);
        }
        write(&tx, job).await?;
        if job.has_ended() && !Job::try_from(before)?.has_ended() {
            tx.note(told(job, "ended"));
        }
        Ok(tx.commit().await?)
    }

    /// Takes a job out of the book, if it is there.
    pub async fn runner_job_remove(&self, by: &By<'_>, id: JobId) -> Result<(), StoreError> {
        let mut tx = self.begin(by).await?;
        book::lock(&tx).await?;
        let removed = Entity::delete_by_id(id.uuid()).exec(tx.db()).await;
        if removed.during("removing a job of runners")?.rows_affected > 0 {
            let text = "a job of runners is over, and was removed".to_owned();
            tx.note(event("runner-job.removed", &id, text));
        }
        tx.commit().await
    }
}

/// Writes down a new job within a transaction.
pub(super) async fn insert(tx: &mut Tx<'_>, job: &Job) -> Result<(), JobConflict> {
    let insert = Entity::insert(Model::from(job).into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .try_insert();
    let written = insert.exec_without_returning(tx.db()).await;
    if !matches!(
        written.during("writing a job of runners")?,
        TryInsertResult::Inserted(1)
    ) {
        return Err(JobConflict::Changed);
    }
    tx.note(told(job, "created"));
    Ok(())
}

/// Writes a job over what it was.
pub(super) async fn write(tx: &Tx<'_>, job: &Job) -> Result<(), StoreError> {
    let update = Entity::update_many()
        .col_expr(Column::Revision, Expr::value(signed(job.revision)))
        .col_expr(Column::Job, Expr::value(json(job)))
        .filter(Column::Id.eq(job.id.uuid()));
    let written = update.exec(tx.db()).await;
    written.during("writing a job of runners").map(drop)
}

fn told(job: &Job, what: &str) -> NewEvent {
    let number = job.items.len();
    let text = match job.kind {
        JobKind::Add => format!("a job to add {number} runners: {what}"),
        JobKind::Remove => format!("a job to remove {number} runners: {what}"),
    };
    let mut told = event(&format!("runner-job.{what}"), &job.id, text);
    let ids: Vec<_> = job.items.iter().map(|item| item.id.as_str()).collect();
    told.data = serde_json::json!({"state": job.state(), "runners": ids});
    told
}
