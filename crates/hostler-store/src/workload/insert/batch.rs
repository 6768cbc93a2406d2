//! One group of new workloads, in one transaction: quotas are held, then come
//! keys, then rows; those beyond a quota are taken back, and for each row that
//! was not taken there is the reason.
//!
//! A unique index decides every race (for a key, for a name); `ON CONFLICT DO
//! NOTHING RETURNING` tells who won without failing the rows beside. Whoever
//! comes second waits there for the first one's commit, so all groups insert
//! in one order, or two of them could wait for each other.

use std::collections::{HashMap, HashSet};

use hostler_core::Name;
use hostler_core::access::Usage;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect, QueryTrait,
};
use uuid::Uuid;

use super::{Draft, Outcome, key};
use crate::artifact::row::holding;
use crate::column::name;
use crate::error::During;
use crate::project::quota::Rooms;
use crate::rows::{cut, filled};
use crate::tx::{Tx, event};
use crate::workload::row::{Column, Entity, Model};
use crate::workload::{InsertError, Inserted, WorkloadRow};
use crate::{QuotaExceeded, Store, StoreError};

/// Writes `drafts`; an outcome each, in their order.
pub(super) async fn write(store: &Store, drafts: &[Draft]) -> Result<Vec<Outcome>, StoreError> {
    let Some(first) = drafts.first() else {
        return Ok(Vec::new());
    };
    let mut tx = store.begin(&first.by()).await?;
    let projects = drafts.iter().map(|draft| draft.row.project.clone());
    let rooms = Rooms::of(tx.db(), projects.collect(), first.now).await?;
    let claimed = key::claim(tx.db(), drafts).await?;
    let mine = |draft: &&Draft| draft.key.is_none() || claimed.contains(&draft.row.id);
    let held = artifacts(tx.db(), drafts.iter().filter(mine)).await?;
    let able = drafts
        .iter()
        .filter(mine)
        .filter(|draft| held.contains(&artifact(&draft.row)));
    let written = rows(tx.db(), able).await?;
    let (written, excessive) = fitting(tx.db(), rooms, drafts, written).await?;
    let lost = |draft: &&Draft| mine(draft) && !written.contains(&draft.row.id);
    key::forget(tx.db(), drafts.iter().filter(lost)).await?;

    let earlier = key::earlier(tx.db(), drafts.iter().filter(|draft| !mine(draft))).await?;
    let mut outcomes = Vec::with_capacity(drafts.len());
    for draft in drafts {
        outcomes.push(match (mine(&draft), written.contains(&draft.row.id)) {
            (true, true) => created(&mut tx, draft),
            (true, false) if let Some(excess) = excessive.get(&draft.row.id) => {
                Err(InsertError::QuotaExceeded(excess.clone()))
            }
            (true, false) if held.contains(&artifact(&draft.row)) => Err(name_taken(&draft.row)?),
            (true, false) => Err(artifact_unknown(&draft.row)?),
            (false, _) => match earlier.outcome(draft) {
                Some(outcome) => outcome,
                // Its twin in this group had the key, and lost it with its name.
                None => Err(name_taken(&draft.row)?),
            },
        });
    }
    tx.commit().await?;
    Ok(outcomes)
}

fn created(tx: &mut Tx<'_>, draft: &Draft) -> Outcome {
    let row = WorkloadRow::try_from(draft.row.clone())?;
    let mut created = event(
        "workload.created",
        &row.facts.id,
        format!("{} was created", row.spec.name),
    );
    created.project = Some(draft.row.project.clone());
    created.data = serde_json::json!({"name": row.spec.name, "goal": row.facts.goal});
    tx.note_by(draft.by(), created);
    Ok(Inserted::New(row))
}

fn names(row: &Model) -> Result<(Name, Name), StoreError> {
    Ok((name(row.project.clone())?, name(row.name.clone())?))
}

fn name_taken(row: &Model) -> Result<InsertError, StoreError> {
    let (project, name) = names(row)?;
    Ok(InsertError::NameTaken { project, name })
}

fn artifact_unknown(row: &Model) -> Result<InsertError, StoreError> {
    let (project, _) = names(row)?;
    Ok(InsertError::ArtifactUnknown {
        project,
        digest: row.artifact.clone(),
    })
}

/// Of what there would be too much, by row.
type Excessive = HashMap<Uuid, QuotaExceeded>;

/// Takes back, in the order in which they were asked for, those of the rows
/// that do not fit into the quotas of their projects; the rest, and why not.
async fn fitting(
    tx: &DatabaseTransaction,
    mut rooms: Rooms,
    drafts: &[Draft],
    mut written: HashSet<Uuid>,
) -> Result<(HashSet<Uuid>, Excessive), StoreError> {
    let mut excessive = Excessive::new();
    for draft in drafts
        .iter()
        .filter(|draft| written.contains(&draft.row.id))
    {
        let asked = Usage::of_workload(draft.row.needs());
        let (project, _) = names(&draft.row)?;
        if let Err(excess) = rooms.take(&project, asked) {
            excessive.insert(draft.row.id, excess);
        }
    }
    if !excessive.is_empty() {
        let ids = filled(excessive.keys().copied());
        let back = Entity::delete_many().filter(Column::Id.is_in(ids));
        back.exec(tx).await.during("taking back workloads")?;
        written.retain(|id| !excessive.contains_key(id));
    }
    Ok((written, excessive))
}

/// A project and a digest.
fn artifact(row: &Model) -> (String, String) {
    (row.project.clone(), row.artifact.clone())
}

/// Those of the drafts' artifacts that their projects hold, kept from being
/// deleted until the commit.
async fn artifacts(
    tx: &DatabaseTransaction,
    drafts: impl Iterator<Item = &Draft>,
) -> Result<HashSet<(String, String)>, StoreError> {
    let wanted: HashSet<_> = drafts.map(|draft| artifact(&draft.row)).collect();
    if wanted.is_empty() {
        return Ok(wanted);
    }
    let pair = Expr::tuple([
        Expr::col(holding::Column::Project),
        Expr::col(holding::Column::Digest),
    ]);
    let held = holding::Entity::find()
        .filter(pair.in_tuples(wanted))
        .lock_shared()
        .all(tx)
        .await
        .during("checking artifacts")?;
    Ok(held
        .into_iter()
        .map(|held| (held.project, held.digest))
        .collect())
}

/// Writes the rows whose names are free; the ids of those.
async fn rows(
    tx: &DatabaseTransaction,
    drafts: impl Iterator<Item = &Draft>,
) -> Result<HashSet<Uuid>, StoreError> {
    let mut models: Vec<_> = drafts.map(|draft| draft.row.clone()).collect();
    models.sort_by(|a, b| (&a.project, &a.name).cmp(&(&b.project, &b.name)));
    let mut written = HashSet::new();
    for models in cut(models) {
        let models = models.into_iter().map(Model::into_active_model);
        let mut insert = Entity::insert_many(models).into_query();
        insert
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .returning(Query::returning().column(Column::Id));
        for row in tx.query_all(&insert).await.during("writing workloads")? {
            written.insert(row.try_get_by_index(0).during("writing workloads")?);
        }
    }
    Ok(written)
}

/// The workloads with these ids.
pub(super) async fn by_ids(
    tx: &DatabaseTransaction,
    ids: Vec<Uuid>,
) -> Result<Vec<Model>, StoreError> {
    let found = Entity::find()
        .filter(Column::Id.is_in(filled(ids)))
        .all(tx)
        .await;
    found.during("reading workloads")
}
