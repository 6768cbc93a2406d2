//! What is kept of pools.

use std::collections::BTreeSet;

use hostler_core::runner::PoolName;
use hostler_core::runner::demand::Failures;
use hostler_core::runner::job::Job;
use sea_orm::sea_query::OnConflict;
use sea_orm::{EntityTrait, IntoActiveModel, QueryOrder};

use super::PoolRow;
use super::row::pool::{Column, Entity, Model};
use crate::column::{json, moment, signed};
use crate::error::During;
use crate::tx::Tx;
use crate::{Store, StoreError};

impl Store {
    /// What is kept of each pool that was ever changed, by name.
    pub async fn runner_pool_list(&self) -> Result<Vec<PoolRow>, StoreError> {
        let rows = Entity::find().order_by_asc(Column::Name).all(self.db());
        let rows = rows.await.during("reading pools")?;
        rows.into_iter().map(PoolRow::try_from).collect()
    }
}

/// The pools that a job is about.
pub(super) fn names(job: &Job) -> BTreeSet<PoolName> {
    job.items.iter().map(|item| item.pool.clone()).collect()
}

/// What is kept of a pool; of one that was never changed, turn 0.
pub(super) async fn get(tx: &Tx<'_>, name: &PoolName) -> Result<PoolRow, StoreError> {
    let row = Entity::find_by_id(name.as_str()).one(tx.db()).await;
    match row.during("reading a pool")? {
        Some(row) => row.try_into(),
        None => Ok(PoolRow {
            name: name.clone(),
            turn: 0,
            failures: Failures::default(),
            scaled_at: None,
        }),
    }
}

pub(super) async fn put(tx: &Tx<'_>, row: &PoolRow) -> Result<(), StoreError> {
    let model = Model {
        name: row.name.to_string(),
        turn: signed(row.turn),
        failures: json(&row.failures),
        scaled_at: row.scaled_at.map(moment),
    };
    let columns = [Column::Turn, Column::Failures, Column::ScaledAt];
    let put = Entity::insert(model.into_active_model())
        .on_conflict(
            OnConflict::column(Column::Name)
                .update_columns(columns)
                .to_owned(),
        )
        .exec_without_returning(tx.db());
    put.await.during("writing a pool").map(drop)
}

/// Makes what was decided about the pool before void.
pub(super) async fn turn(tx: &Tx<'_>, name: &PoolName) -> Result<(), StoreError> {
    let mut row = get(tx, name).await?;
    row.turn += 1;
    put(tx, &row).await
}
