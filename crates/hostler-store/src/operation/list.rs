//! Asking for operations, looking at them, asking to call them off.

use hostler_core::id::OperationId;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    TryInsertResult,
};

use super::row::{Column, Entity, Model};
use super::{NewOperation, OperationFilter, OperationInserted, OperationRow};
use crate::column::moment;
use crate::error::{During, corrupt};
use crate::tx::{Tx, event};
use crate::{By, Store, StoreError};

impl Store {
    /// Writes down an operation to be done, unless the same is being done to
    /// the same subject already.
    pub async fn operation_insert(
        &self,
        by: &By<'_>,
        new: NewOperation,
    ) -> Result<OperationInserted, StoreError> {
        let mut tx = self.begin(by).await?;
        let inserted = ask(&mut tx, by, new).await?;
        if matches!(inserted, OperationInserted::New(_)) {
            tx.commit().await?;
        }
        Ok(inserted)
    }

    /// The operation with this id.
    pub async fn operation_get(&self, id: OperationId) -> Result<Option<OperationRow>, StoreError> {
        let row = Entity::find_by_id(id.uuid()).one(self.db()).await;
        row.during("reading an operation")?
            .map(OperationRow::try_from)
            .transpose()
    }

    /// At most `limit` operations, oldest first, from the one after `after`.
    pub async fn operation_list(
        &self,
        filter: &OperationFilter,
        after: Option<OperationId>,
        limit: u64,
    ) -> Result<Vec<OperationRow>, StoreError> {
        let conditions = [
            filter
                .subject
                .as_ref()
                .map(|subject| Column::Subject.eq(subject)),
            filter
                .project
                .as_ref()
                .map(|project| Column::Project.eq(project)),
            filter.live.then(|| Column::Outcome.is_null()),
            after.map(|id| Column::Id.gt(id.uuid())),
        ];
        let chosen = Entity::find().order_by_asc(Column::Id).limit(limit);
        let chosen = conditions
            .into_iter()
            .flatten()
            .fold(chosen, QueryFilter::filter);
        let rows = chosen.all(self.db()).await.during("listing operations")?;
        rows.into_iter().map(OperationRow::try_from).collect()
    }

    /// Asks to call an operation off; whether it is one that has not ended.
    pub async fn operation_cancel_ask(
        &self,
        by: &By<'_>,
        id: OperationId,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin(by).await?;
        let row = Entity::find_by_id(id.uuid())
            .lock_exclusive()
            .one(tx.db())
            .await;
        let row = row
            .during("reading an operation")?
            .filter(|row| row.outcome.is_none());
        let Some(row) = row else { return Ok(false) };
        if !row.cancel_asked {
            cancel(&mut tx, row).await?;
            tx.commit().await?;
        }
        Ok(true)
    }
}

/// Asks within a transaction to call off what is being done to a subject.
pub(crate) async fn call_off(tx: &mut Tx<'_>, kind: &str, subject: &str) -> Result<(), StoreError> {
    let live = Entity::find()
        .filter(Column::Kind.eq(kind))
        .filter(Column::Subject.eq(subject))
        .filter(Column::Outcome.is_null())
        .lock_exclusive();
    let live = live.one(tx.db()).await.during("reading an operation")?;
    match live.filter(|row| !row.cancel_asked) {
        Some(row) => cancel(tx, row).await,
        None => Ok(()),
    }
}

async fn cancel(tx: &mut Tx<'_>, row: Model) -> Result<(), StoreError> {
    let ask = Entity::update_many()
        .col_expr(Column::CancelAsked, Expr::value(true))
        .filter(Column::Id.eq(row.id));
    ask.exec(tx.db())
        .await
        .during("asking to call an operation off")?;
    let text = format!("{} is to be called off", row.kind);
    let mut told = event("operation.cancel-asked", &row.id, text);
    told.project = row.project;
    tx.note(told);
    Ok(())
}

/// Writes it down within a transaction, unless the same is being done to the
/// same subject already.
pub(crate) async fn ask(
    tx: &mut Tx<'_>,
    by: &By<'_>,
    new: NewOperation,
) -> Result<OperationInserted, StoreError> {
    let row = draft(by, new);
    let insert = Entity::insert(row.clone().into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .try_insert();
    let written = insert.exec_without_returning(tx.db()).await;
    if !matches!(
        written.during("writing an operation")?,
        TryInsertResult::Inserted(1)
    ) {
        let live = Entity::find()
            .filter(Column::Kind.eq(row.kind))
            .filter(Column::Subject.eq(row.subject.as_str()))
            .filter(Column::Outcome.is_null());
        let live = live.one(tx.db()).await.during("reading an operation")?;
        let live = live.ok_or_else(|| corrupt("operation on", &row.subject))?;
        return OperationRow::try_from(live).map(OperationInserted::Existing);
    }
    let text = format!("{} was asked for", row.kind);
    let mut told = event("operation.created", &row.id, text);
    told.project.clone_from(&row.project);
    told.data = serde_json::json!({"kind": row.kind, "subject": row.subject});
    tx.note(told);
    OperationRow::try_from(row).map(OperationInserted::New)
}

fn draft(by: &By<'_>, new: NewOperation) -> Model {
    let unix_ms = by.now.ms().max(0).unsigned_abs();
    Model {
        id: OperationId::from_parts(unix_ms, rand::random()).uuid(),
        kind: new.kind,
        subject: new.subject,
        project: new.project,
        arguments: new.arguments,
        steps_done: serde_json::json!([]),
        progress: String::new(),
        outcome: None,
        problem: None,
        cancel_asked: false,
        holder: None,
        number: 0,
        due_at: moment(by.now),
        created_at: moment(by.now),
        ended_at: None,
    }
}
