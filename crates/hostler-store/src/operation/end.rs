//! What a worker writes: what it does to its node, steps done, and the end.

use hostler_core::id::NodeId;
use hostler_core::node::Scheduling;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use super::claim::under;
use super::row::{Column, Entity, Model};
use super::{ClaimError, OperationClaim, OperationOutcome};
use crate::column::{from_json, json, moment};
use crate::error::During;
use crate::node::update::node_change;
use crate::tx::{Tx, event};
use crate::word::Word;
use crate::{By, NodeChange, Store, StoreError};

impl Store {
    /// Sets whether the operation's node takes work; whether it did. Not once
    /// somebody has asked to call the operation off, unless this puts it back:
    /// whoever called it off has opened the node in that same transaction, and a
    /// worker that had looked before that must not close it over work that has
    /// come since.
    pub async fn operation_schedule(
        &self,
        by: &By<'_>,
        claim: &OperationClaim,
        (node, scheduling): (NodeId, Scheduling),
        puts_back: bool,
    ) -> Result<bool, ClaimError> {
        let mut tx = self.begin(by).await?;
        let row = held(&tx, claim).await?;
        let row = row.ok_or(ClaimError::Lost(claim.row.id))?;
        if row.cancel_asked && !puts_back {
            return Ok(false);
        }
        let change = NodeChange {
            scheduling: Some(scheduling),
            labels: None,
        };
        node_change(&mut tx, node, &change).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Adds a step to those done, unless it is there, and says in words where
    /// the operation is.
    pub async fn operation_step_done(
        &self,
        by: &By<'_>,
        claim: &OperationClaim,
        step: &str,
        progress: &str,
    ) -> Result<(), ClaimError> {
        let mut tx = self.begin(by).await?;
        let row = held(&tx, claim)
            .await?
            .ok_or(ClaimError::Lost(claim.row.id))?;
        let mut steps: Vec<String> = from_json("list of steps", row.steps_done.clone())?;
        if !steps.iter().any(|done| done == step) {
            steps.push(step.to_owned());
            let mut told = event("operation.step", &row.id, format!("{}: {step}", row.kind));
            told.project = row.project;
            told.data = serde_json::json!({"step": step, "progress": progress});
            tx.note(told);
        }
        let change = Entity::update_many()
            .col_expr(Column::StepsDone, Expr::value(json(&steps)))
            .col_expr(Column::Progress, Expr::value(progress));
        under(claim, change)
            .exec(tx.db())
            .await
            .during("writing a step")?;
        Ok(tx.commit().await?)
    }

    /// Ends an operation; `problem` says why it is stuck.
    pub async fn operation_end(
        &self,
        by: &By<'_>,
        claim: &OperationClaim,
        outcome: OperationOutcome,
        problem: Option<&str>,
    ) -> Result<(), ClaimError> {
        let mut tx = self.begin(by).await?;
        let row = held(&tx, claim)
            .await?
            .ok_or(ClaimError::Lost(claim.row.id))?;
        let change = Entity::update_many()
            .col_expr(Column::Outcome, Expr::value(outcome.word()))
            .col_expr(Column::Problem, Expr::value(problem))
            .col_expr(Column::EndedAt, Expr::value(moment(by.now)));
        under(claim, change)
            .exec(tx.db())
            .await
            .during("ending an operation")?;
        let text = match problem {
            Some(problem) => format!("{} is {}: {problem}", row.kind, outcome.word()),
            None => format!("{} is {}", row.kind, outcome.word()),
        };
        let mut told = event(&format!("operation.{}", outcome.word()), &row.id, text);
        told.project = row.project;
        told.data = serde_json::json!({"kind": row.kind, "subject": row.subject});
        tx.note(told);
        Ok(tx.commit().await?)
    }
}

/// The row, if the claim is still good, held against change.
async fn held(tx: &Tx<'_>, claim: &OperationClaim) -> Result<Option<Model>, StoreError> {
    let row = Entity::find_by_id(claim.row.id.uuid())
        .filter(Column::Number.eq(crate::column::signed(claim.number)))
        .filter(Column::Holder.is_not_null())
        .filter(Column::Outcome.is_null())
        .lock_exclusive();
    row.one(tx.db()).await.during("reading an operation")
}
