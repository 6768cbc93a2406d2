//! Idempotency keys: claimed in the transaction that makes the workload, so a
//! key without its workload, or a workload made twice under one key, cannot be.

use std::collections::{HashMap, HashSet};

use hostler_core::Timestamp;
use hostler_core::id::WorkloadId;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter,
    QueryTrait,
};
use uuid::Uuid;

use super::{Draft, Outcome, batch};
use crate::column::moment;
use crate::error::During;
use crate::rows::cut;
use crate::workload::row::key::{Column, Entity, Model};
use crate::workload::{IdempotencyKey, InsertError, Inserted, WorkloadRow};
use crate::{By, Store, StoreError};

/// What keys of earlier requests say.
pub(super) struct Earlier {
    keys: HashMap<(String, String), Model>,
    workloads: HashMap<Uuid, crate::workload::row::Model>,
}

impl Earlier {
    /// What a repeated request answers; `None` when its key is not there.
    pub(super) fn outcome(&self, draft: &Draft) -> Option<Outcome> {
        let asked = draft.key.as_ref()?;
        let stored = self.keys.get(&place(asked))?;
        if stored.request_hash != asked.request_hash {
            return Some(Err(InsertError::KeyReused {
                key: asked.key.clone(),
            }));
        }
        let Some(row) = self.workloads.get(&stored.workload) else {
            return Some(Err(InsertError::Erased(WorkloadId::from_uuid(
                stored.workload,
            ))));
        };
        let row = WorkloadRow::try_from(row.clone());
        Some(row.map(Inserted::Replayed).map_err(InsertError::from))
    }
}

fn place(key: &IdempotencyKey) -> (String, String) {
    (key.actor.clone(), key.key.clone())
}

fn is_one_of<'a>(drafts: impl Iterator<Item = &'a Draft>) -> Option<Expr> {
    let places: HashSet<_> = drafts
        .filter_map(|draft| draft.key.as_ref())
        .map(place)
        .collect();
    let pair = Expr::tuple([Expr::col(Column::Actor), Expr::col(Column::Key)]);
    (!places.is_empty()).then(|| pair.in_tuples(places))
}

/// Claims the keys that are free; the ids of the workloads they now stand for.
pub(super) async fn claim(
    tx: &DatabaseTransaction,
    drafts: &[Draft],
) -> Result<HashSet<Uuid>, StoreError> {
    let keyed = |draft: &Draft| Some((draft.key.clone()?, draft.row.id, draft.now));
    let mut models: Vec<_> = drafts.iter().filter_map(keyed).map(model).collect();
    models.sort_by(|a, b| (&a.actor, &a.key).cmp(&(&b.actor, &b.key)));
    let mut claimed = HashSet::new();
    for models in cut(models) {
        let models = models.into_iter().map(Model::into_active_model);
        let mut insert = Entity::insert_many(models).into_query();
        insert
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .returning(Query::returning().column(Column::Workload));
        for row in tx
            .query_all(&insert)
            .await
            .during("claiming idempotency keys")?
        {
            claimed.insert(
                row.try_get_by_index(0)
                    .during("claiming idempotency keys")?,
            );
        }
    }
    Ok(claimed)
}

fn model((key, workload, now): (IdempotencyKey, Uuid, Timestamp)) -> Model {
    Model {
        actor: key.actor,
        key: key.key,
        request_hash: key.request_hash.to_vec(),
        workload,
        created_at: moment(now),
    }
}

/// Gives back the keys of requests that made nothing.
pub(super) async fn forget<'a>(
    tx: &DatabaseTransaction,
    drafts: impl Iterator<Item = &'a Draft>,
) -> Result<(), StoreError> {
    let Some(theirs) = is_one_of(drafts) else {
        return Ok(());
    };
    let forgotten = Entity::delete_many().filter(theirs).exec(tx).await;
    forgotten.map(drop).during("giving back idempotency keys")
}

/// Reads what earlier requests with the drafts' keys made.
pub(super) async fn earlier<'a>(
    tx: &DatabaseTransaction,
    drafts: impl Iterator<Item = &'a Draft>,
) -> Result<Earlier, StoreError> {
    let Some(theirs) = is_one_of(drafts) else {
        return Ok(Earlier {
            keys: HashMap::new(),
            workloads: HashMap::new(),
        });
    };
    let keys = Entity::find()
        .filter(theirs)
        .all(tx)
        .await
        .during("reading idempotency keys")?;
    let made = keys.iter().map(|key| key.workload).collect();
    let workloads = batch::by_ids(tx, made).await?;
    Ok(Earlier {
        keys: keys
            .into_iter()
            .map(|key| ((key.actor.clone(), key.key.clone()), key))
            .collect(),
        workloads: workloads.into_iter().map(|row| (row.id, row)).collect(),
    })
}

impl Store {
    /// Forgets the keys of requests from before `before`; how many.
    pub async fn idempotency_sweep(&self, before: Timestamp) -> Result<u64, StoreError> {
        let tx = self.begin(&By::new("hostler", before)).await?;
        let old = Entity::delete_many().filter(Column::CreatedAt.lt(moment(before)));
        let swept = old
            .exec(tx.db())
            .await
            .during("sweeping idempotency keys")?;
        tx.commit().await?;
        Ok(swept.rows_affected)
    }
}
