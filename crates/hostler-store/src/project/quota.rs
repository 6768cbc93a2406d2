//! Quotas, where they bind: in the transaction that makes something. The row
//! of each project with a quota is locked, what there is is counted, and what
//! is made is taken from the rest, one after the other; so however many ask at
//! once, and of however many control planes, no more is made than may be.
//!
//! Everything that makes something for a project calls [`Rooms::of`] before
//! it writes, and [`Rooms::take`] for each thing it made.

use std::collections::{BTreeSet, HashMap};

use hostler_core::access::{Quota, Usage, quota_verdict};
use hostler_core::{Bytes, Cpu, Name, Timestamp};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect, Statement,
};

use super::row::{Column, Entity, Model};
use super::{ProjectRow, QuotaExceeded};
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
    pub(crate) fn take(&mut self, project: &Name, asked: Usage) -> Result<(), QuotaExceeded> {
        let Some((used, quota)) = self.0.get_mut(project.as_str()) else {
            return Ok(());
        };
        quota_verdict(used, &asked, quota).map_err(|excesses| QuotaExceeded {
            project: project.clone(),
            excesses,
        })?;
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
const VMS: &str = "SELECT COUNT(*) - COUNT(trashed_at), \
     CAST(COALESCE(SUM(CASE WHEN goal IN ('running', 'paused') THEN cpus END), 0) AS TEXT), \
     CAST(COALESCE(SUM(CASE WHEN goal IN ('running', 'paused') THEN memory END), 0) AS TEXT), \
     CAST(COALESCE(SUM(disk), 0) AS TEXT), CAST(COALESCE(SUM(extra_disk), 0) AS TEXT) \
     FROM vm WHERE project = $1";

/// The same of workloads.
const WORKLOADS: &str = "SELECT COUNT(*), CAST(COALESCE(SUM(cpu), 0) AS TEXT), \
     CAST(COALESCE(SUM(memory), 0) AS TEXT) FROM workload WHERE project = $1";

/// How much a project has.
pub(crate) async fn used(db: &impl ConnectionTrait, project: &str) -> Result<Usage, StoreError> {
    Ok(workloads(db, project).await?.plus(vms(db, project).await?))
}

/// As [`Usage::of_vm`] says it of each.
async fn vms(db: &impl ConnectionTrait, project: &str) -> Result<Usage, StoreError> {
    let (count, [cpus, memory, disk, extra]) = sums(db, VMS, project).await?;
    Ok(Usage {
        vms: count,
        cpu: Cpu::millis(cpus.saturating_mul(1_000)),
        memory: Bytes::new(memory),
        disk: Bytes::new(disk.saturating_add(extra)),
        ..Usage::default()
    })
}

async fn workloads(db: &impl ConnectionTrait, project: &str) -> Result<Usage, StoreError> {
    let (count, [cpu, memory]) = sums(db, WORKLOADS, project).await?;
    Ok(Usage {
        workloads: count,
        cpu: Cpu::millis(cpu),
        memory: Bytes::new(memory),
        ..Usage::default()
    })
}

/// A count and `N` sums.
async fn sums<const N: usize>(
    db: &impl ConnectionTrait,
    query: &str,
    project: &str,
) -> Result<(u64, [u64; N]), StoreError> {
    let doing = "counting what a project has";
    let count = Statement::from_sql_and_values(db.get_database_backend(), query, [project.into()]);
    let mut sums = [0; N];
    let Some(row) = db.query_one_raw(count).await.during(doing)? else {
        return Ok((0, sums));
    };
    for (at, sum) in sums.iter_mut().enumerate() {
        *sum = number(&row.try_get_by_index::<String>(at + 1).during(doing)?);
    }
    Ok((unsigned(row.try_get_by_index(0).during(doing)?), sums))
}

/// A sum too large to count is larger than any quota.
fn number(sum: &str) -> u64 {
    sum.parse().unwrap_or(u64::MAX)
}
