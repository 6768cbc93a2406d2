//! Quotas, where they bind: in the transaction that makes something. The row
//! of each project with a quota is locked, what there is is counted, and what
//! is made is taken from the rest, one after the other; so however many ask at
//! once, and of however many control planes, no more is made than may be.
//!
//! Everything that makes something for a project calls [`Rooms::of`] before
//! it writes, and [`Rooms::take`] for each thing it made.

use std::collections::{BTreeSet, HashMap};

use hostler_core::access::{Excess, Quota, Usage, quota_verdict};
use hostler_core::{Bytes, Cpu, Timestamp};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect, Statement,
};

use super::ProjectRow;
use super::row::{Column, Entity, Model};
use crate::StoreError;
use crate::column::{moment, unsigned};
use crate::error::During;
use crate::rows::filled;

/// How much may still be made in each project that has a quota.
pub(crate) struct Rooms(HashMap<String, (Usage, Quota)>);

impl Rooms {
    /// Of these projects, which stay as they are until the commit. Projects
    /// without a row get one.
    pub(crate) async fn of(
        tx: &DatabaseTransaction,
        projects: BTreeSet<String>,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let known = read(tx, &projects, false).await?;
        let is_unknown = |project: &&String| known.iter().all(|row| &row.name != *project);
        make(tx, projects.iter().filter(is_unknown), now).await?;
        let mut bound = BTreeSet::new();
        for row in known {
            let project = ProjectRow::try_from(row)?;
            if !project.quota.is_boundless() {
                bound.insert(project.name.to_string());
            }
        }
        let mut rooms = HashMap::new();
        for row in read(tx, &bound, true).await? {
            let project = ProjectRow::try_from(row)?;
            let used = used(tx, project.name.as_str()).await?;
            rooms.insert(project.name.to_string(), (used, project.quota));
        }
        Ok(Self(rooms))
    }

    /// Takes this much, or says all that there would be too much of.
    pub(crate) fn take(&mut self, project: &str, asked: Usage) -> Result<(), Vec<Excess>> {
        let Some((used, quota)) = self.0.get_mut(project) else {
            return Ok(());
        };
        quota_verdict(used, &asked, quota)?;
        *used = used.plus(asked);
        Ok(())
    }
}

/// The rows of these projects by name; locked until the commit, if asked.
async fn read(
    tx: &DatabaseTransaction,
    projects: &BTreeSet<String>,
    lock: bool,
) -> Result<Vec<Model>, StoreError> {
    if projects.is_empty() {
        return Ok(Vec::new());
    }
    let mut rows = Entity::find()
        .filter(Column::Name.is_in(filled(projects.iter().cloned())))
        .order_by_asc(Column::Name);
    if lock {
        rows = rows.lock_exclusive();
    }
    rows.all(tx).await.during("reading quotas")
}

async fn make(
    tx: &DatabaseTransaction,
    projects: impl Iterator<Item = &String>,
    now: Timestamp,
) -> Result<(), StoreError> {
    for name in projects {
        let row = Model {
            name: name.clone(),
            description: String::new(),
            quota: serde_json::json!({}),
            created_at: moment(now),
        };
        let once = OnConflict::column(Column::Name).do_nothing().to_owned();
        let insert = Entity::insert(row.into_active_model())
            .on_conflict(once)
            .try_insert();
        let made = insert.exec_without_returning(tx).await;
        made.during("making a project")?;
    }
    Ok(())
}

/// What there is, deleted things included until they are gone. The sums are
/// texts: PostgreSQL adds numbers up to a kind of number of its own.
const WORKLOADS: &str = "SELECT COUNT(*), CAST(COALESCE(SUM(cpu), 0) AS TEXT), \
     CAST(COALESCE(SUM(memory), 0) AS TEXT) FROM workload WHERE project = $1";

/// How much a project has.
pub(crate) async fn used(db: &impl ConnectionTrait, project: &str) -> Result<Usage, StoreError> {
    workloads(db, project).await
}

async fn workloads(db: &impl ConnectionTrait, project: &str) -> Result<Usage, StoreError> {
    let doing = "counting what a project has";
    let values = [project.into()];
    let count = Statement::from_sql_and_values(db.get_database_backend(), WORKLOADS, values);
    let Some(row) = db.query_one_raw(count).await.during(doing)? else {
        return Ok(Usage::default());
    };
    let sum = |at| {
        row.try_get_by_index::<String>(at)
            .during(doing)
            .map(|sum| number(&sum))
    };
    Ok(Usage {
        workloads: unsigned(row.try_get_by_index(0).during(doing)?),
        cpu: Cpu::millis(sum(1)?),
        memory: Bytes::new(sum(2)?),
        ..Usage::default()
    })
}

/// A sum too large to count is larger than any quota.
fn number(sum: &str) -> u64 {
    sum.parse().unwrap_or(u64::MAX)
}
