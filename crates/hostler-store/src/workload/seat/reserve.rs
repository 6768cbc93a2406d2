//! Room on nodes: taken by conditional update, given back by plain update.
//!
//! Hand-written, because one statement for all nodes of a group is what makes
//! seating fast; `VALUES` names its columns `column1`, `column2`, … on both
//! databases.

use std::collections::{BTreeMap, HashSet};

use hostler_core::id::NodeId;
use sea_orm::sea_query::Value;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, Statement,
};
use uuid::Uuid;

use super::Ask;
use crate::StoreError;
use crate::error::During;
use crate::node::row::{Column, Entity};
use crate::rows::{filled, places};
use crate::workload::Limits;

/// The room that some requests take together on one node.
struct Share<'a> {
    node: Uuid,
    limits: Limits,
    asks: Vec<&'a Ask<'a>>,
}

impl Share<'_> {
    /// The row of this share in `VALUES`.
    fn values(&self) -> [Value; 6] {
        let total = |of: fn(&(i64, i64)) -> i64| -> i64 {
            self.asks
                .iter()
                .map(|ask| of(&ask.needs()))
                .fold(0, i64::saturating_add)
        };
        let count = i64::try_from(self.asks.len()).unwrap_or(i64::MAX);
        [
            self.node.into(),
            total(|needs| needs.0).into(),
            total(|needs| needs.1).into(),
            count.into(),
            i64::from(self.limits.cpu_percent).into(),
            i64::from(self.limits.memory_percent).into(),
        ]
    }
}

/// Takes room for as many of `asks` as there is; the places of those.
pub(super) async fn take(
    tx: &DatabaseTransaction,
    asks: &[Ask<'_>],
) -> Result<HashSet<usize>, StoreError> {
    let mut shares: BTreeMap<Uuid, Share<'_>> = BTreeMap::new();
    let mut apart = Vec::new();
    for ask in asks {
        let (node, limits) = (ask.request.node.uuid(), ask.request.limits);
        let share = shares.entry(node).or_insert(Share {
            node,
            limits,
            asks: Vec::new(),
        });
        if share.limits == limits {
            share.asks.push(ask);
        } else {
            apart.push(ask);
        }
    }
    lock(tx, shares.keys().copied()).await?;
    let shares: Vec<_> = shares.into_values().collect();
    let fit = take_shares(tx, &shares).await?;
    let mut taken: HashSet<usize> = HashSet::new();
    for share in &shares {
        if fit.contains(&share.node) {
            taken.extend(share.asks.iter().map(|ask| ask.place));
        } else {
            apart.extend(&share.asks);
        }
    }
    apart.sort_by_key(|ask| ask.place);
    taken.extend(take_singly(tx, &apart).await?);
    Ok(taken)
}

/// In the order of their ids, so that two groups never wait for each other.
async fn lock(
    tx: &DatabaseTransaction,
    nodes: impl Iterator<Item = Uuid>,
) -> Result<(), StoreError> {
    let held = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::Id.is_in(filled(nodes)))
        .order_by_asc(Column::Id)
        .lock_exclusive()
        .into_tuple::<Uuid>()
        .all(tx)
        .await;
    held.map(drop).during("holding nodes to seat on")
}

async fn take_singly(
    tx: &DatabaseTransaction,
    asks: &[&Ask<'_>],
) -> Result<Vec<usize>, StoreError> {
    let mut taken = Vec::new();
    for ask in asks {
        let (node, limits) = (ask.request.node.uuid(), ask.request.limits);
        let alone = Share {
            node,
            limits,
            asks: vec![ask],
        };
        if take_shares(tx, &[alone]).await?.contains(&node) {
            taken.push(ask.place);
        }
    }
    Ok(taken)
}

/// Takes each share that fits as a whole; the nodes of those.
async fn take_shares(
    tx: &DatabaseTransaction,
    shares: &[Share<'_>],
) -> Result<HashSet<Uuid>, StoreError> {
    let shares = filled(shares);
    if shares.is_empty() {
        return Ok(HashSet::new());
    }
    let sql = format!(
        "UPDATE node SET reserved_cpu = reserved_cpu + share.column2, \
         reserved_memory = reserved_memory + share.column3, seated = seated + share.column4 \
         FROM (VALUES {}) AS share WHERE node.id = share.column1 AND scheduling = 'open' \
         AND (reserved_cpu + unclaimed_cpu + vms_cpu + share.column2) * 100 <= cpu * share.column5 \
         AND (reserved_memory + unclaimed_memory + vms_memory + share.column3) * 100 \
             <= memory * share.column6 \
         AND seated + unclaimed_slots + share.column4 <= slots RETURNING id",
        places(shares.len(), 6)
    );
    let values = shares.iter().flat_map(|share| share.values());
    let take = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
    let taken = tx.query_all_raw(take).await.during("taking room")?;
    taken
        .into_iter()
        .map(|row| row.try_get_by_index(0).during("taking room"))
        .collect()
}

/// Gives back what one seat took.
pub(crate) async fn give_back(
    tx: &DatabaseTransaction,
    node: NodeId,
    (cpu, memory): (i64, i64),
) -> Result<(), StoreError> {
    const GIVE_BACK: &str = "UPDATE node SET reserved_cpu = reserved_cpu - $2, \
         reserved_memory = reserved_memory - $3, seated = seated - 1 WHERE id = $1";
    let values = [node.uuid().into(), cpu.into(), memory.into()];
    let give = Statement::from_sql_and_values(tx.get_database_backend(), GIVE_BACK, values);
    tx.execute_raw(give)
        .await
        .map(drop)
        .during("giving room back")
}
