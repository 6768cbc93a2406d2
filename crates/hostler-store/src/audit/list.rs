//! Reading the audit log, and writing down what changed nothing.

use hostler_core::audit::{AuditEntry, BrokenAt, Verifier};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::row::{Column, Entity};
use super::{AuditEnd, AuditFilter, AuditNote, AuditRow, head};
use crate::column::signed;
use crate::error::During;
use crate::{By, Store, StoreError};

/// Entries read at a time while verifying.
const PAGE: u64 = 1_000;

impl Store {
    /// At most `limit` entries by number: those after `after`, or without it
    /// the latest ones.
    pub async fn audit_list(
        &self,
        filter: &AuditFilter,
        after: Option<u64>,
        limit: u64,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let mut chosen = Entity::find().limit(limit);
        if let Some(actor) = &filter.actor {
            chosen = chosen.filter(Column::Actor.eq(actor));
        }
        if let Some(subject) = &filter.subject {
            chosen = chosen.filter(Column::Subject.eq(subject));
        }
        let chosen = match after {
            Some(number) => chosen
                .filter(Column::Number.gt(signed(number)))
                .order_by_asc(Column::Number),
            None => chosen.order_by_desc(Column::Number),
        };
        let mut rows = chosen
            .all(self.db())
            .await
            .during("reading the audit log")?;
        if after.is_none() {
            rows.reverse();
        }
        rows.into_iter().map(AuditRow::try_from).collect()
    }

    /// Where the log ends.
    pub async fn audit_end(&self) -> Result<AuditEnd, StoreError> {
        head::read(self.db()).await
    }

    /// Reads the whole log: where it ends, or the first entry that does not
    /// follow. What is appended meanwhile is not looked at.
    pub async fn audit_verify(&self) -> Result<Result<AuditEnd, BrokenAt>, StoreError> {
        let end = self.audit_end().await?;
        let mut verifier = Verifier::default();
        while verifier.number < end.number {
            let left = (end.number - verifier.number).min(PAGE);
            let filter = AuditFilter::default();
            let rows = self
                .audit_list(&filter, Some(verifier.number), left)
                .await?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                if let Err(broken) = verifier.read(&row.entry, row.hash) {
                    return Ok(Err(broken));
                }
            }
        }
        Ok(verifier.end(end.number, end.hash).map(|()| end))
    }

    /// Writes down what was tried and changed nothing.
    pub async fn audit_note(&self, by: &By<'_>, note: AuditNote) -> Result<(), StoreError> {
        let tx = self.begin(by).await?;
        let entry = AuditEntry {
            number: 0,
            at: by.now,
            actor: by.actor.to_owned(),
            origin: by.origin.unwrap_or_default().to_owned(),
            action: note.action,
            subject: note.subject,
            project: None,
            outcome: note.outcome.to_owned(),
            detail: note.detail.to_string(),
        };
        head::append(tx.db(), vec![entry]).await?;
        tx.commit().await
    }
}
