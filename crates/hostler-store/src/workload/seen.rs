//! The nodes' columns: what is seen. A report changes nothing when it comes
//! from a node on which the workload does not sit, when it speaks of an older
//! generation than the row has or has seen, or when its heartbeat is not the
//! latest of its node. Most reports repeat what is known and write nothing.

use std::collections::HashMap;

use hostler_core::id::{NodeId, WorkloadId};
use hostler_core::workload::{Seen, SeenState, Word as Said, seen_merge};
use hostler_core::{Generation, Timestamp};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect, Select,
};
use uuid::Uuid;

use super::row::{Column, Entity};
use super::{HeartbeatOrder, SeenEntry};
use crate::column::{moment, signed, unsigned};
use crate::error::During;
use crate::node::row as node;
use crate::rows::filled;
use crate::tx::{Tx, event};
use crate::word::Word;
use crate::{By, Store, StoreError};

/// What is known of a workload before a node speaks of it.
#[derive(FromQueryResult)]
struct Known {
    id: Uuid,
    project: String,
    name: String,
    generation: i64,
    seen_generation: Option<i64>,
    seen_state: Option<String>,
    seen_slot: Option<String>,
    seen_restarts: i64,
    seen_problem: Option<String>,
}

const COLUMNS: [Column; 9] = [
    Column::Id,
    Column::Project,
    Column::Name,
    Column::Generation,
    Column::SeenGeneration,
    Column::SeenState,
    Column::SeenSlot,
    Column::SeenRestarts,
    Column::SeenProblem,
];

impl Store {
    /// Writes down what `node` says of workloads; `order` is the heartbeat it
    /// came with, `None` for the reply to an ensure. Returns the workloads
    /// whose state is another than before, each with an event.
    pub async fn workload_seen(
        &self,
        now: Timestamp,
        node: NodeId,
        entries: &[SeenEntry],
        order: Option<HeartbeatOrder>,
    ) -> Result<Vec<WorkloadId>, StoreError> {
        let known = seated(node, entries)
            .into_model::<Known>()
            .all(self.db())
            .await;
        let known = known.during("reading what is seen")?;
        let word = if order.is_some() {
            Said::Heartbeat
        } else {
            Said::Answer
        };
        let news = news(known, entries, word);
        if news.is_empty() {
            return Ok(Vec::new());
        }
        let entries: Vec<_> = news.into_iter().map(|(_, entry)| entry.clone()).collect();
        let mut tx = self.begin(&By::new("hostler", now)).await?;
        let Some(speaker) = speaker(tx.db(), node, order).await? else {
            return Ok(Vec::new());
        };
        let mut turned = Vec::new();
        let held = seated(node, &entries)
            .order_by_asc(Column::Id)
            .lock_exclusive();
        let held = held.into_model::<Known>().all(tx.db()).await;
        let held = held.during("reading what is seen")?;
        for (row, entry) in self::news(held, &entries, word) {
            write(tx.db(), entry, now).await?;
            if row.seen_state.as_deref() != Some(entry.state.word())
                || row.seen_generation != Some(signed(entry.generation.number()))
            {
                turned.push(entry.id);
                note(&mut tx, By::new(&speaker, now), (&row, node), entry);
            }
        }
        tx.commit().await?;
        Ok(turned)
    }
}

fn seated(node: NodeId, entries: &[SeenEntry]) -> Select<Entity> {
    let ids = filled(entries.iter().map(|entry| entry.id.uuid()));
    Entity::find()
        .select_only()
        .columns(COLUMNS)
        .filter(Column::Seat.eq(node.uuid()))
        .filter(Column::Id.is_in(ids))
}

/// The entries that tell something new, with the rows they tell it of.
fn news(rows: Vec<Known>, entries: &[SeenEntry], word: Said) -> Vec<(Known, &SeenEntry)> {
    let said: HashMap<Uuid, _> = entries
        .iter()
        .map(|entry| (entry.id.uuid(), entry))
        .collect();
    let pair = |row: Known| said.get(&row.id).map(|entry| (row, *entry));
    rows.into_iter()
        .filter_map(pair)
        .filter(|(row, entry)| is_news(row, entry, word))
        .collect()
}

fn is_news(row: &Known, entry: &SeenEntry, word: Said) -> bool {
    let generation = signed(entry.generation.number());
    let said = Seen {
        generation: entry.generation,
        state: entry.state,
    };
    let current = generation >= row.generation && seen_merge(held_word(row), said, word) == said;
    let known = row.seen_generation == Some(generation)
        && row.seen_state.as_deref() == Some(entry.state.word())
        && row.seen_slot == entry.slot
        && row.seen_restarts == i64::from(entry.restarts)
        && row.seen_problem == entry.problem;
    current && !known
}

/// What the row holds of its node's last word; a state that no version writes
/// is as good as none.
fn held_word(row: &Known) -> Option<Seen> {
    let state = SeenState::read(row.seen_state.as_deref()?).ok()?;
    let generation = Generation::new(unsigned(row.seen_generation?));
    Some(Seen { generation, state })
}

/// The node's name, if it is registered and `order` is its latest heartbeat.
pub(crate) async fn speaker(
    tx: &DatabaseTransaction,
    node: NodeId,
    order: Option<HeartbeatOrder>,
) -> Result<Option<String>, StoreError> {
    let row = node::Entity::find_by_id(node.uuid())
        .lock_shared()
        .one(tx)
        .await;
    let row = row.during("reading who speaks")?;
    let latest = |row: &node::Model| match order {
        None => true,
        Some(order) => {
            row.boot == Some(order.boot.uuid()) && row.sequence == signed(order.sequence)
        }
    };
    Ok(row.filter(latest).map(|row| row.name))
}

async fn write(
    tx: &DatabaseTransaction,
    entry: &SeenEntry,
    now: Timestamp,
) -> Result<(), StoreError> {
    let change = Entity::update_many()
        .col_expr(
            Column::SeenGeneration,
            Expr::value(signed(entry.generation.number())),
        )
        .col_expr(Column::SeenState, Expr::value(entry.state.word()))
        .col_expr(Column::SeenSlot, Expr::value(entry.slot.clone()))
        .col_expr(Column::SeenRestarts, Expr::value(i64::from(entry.restarts)))
        .col_expr(Column::SeenProblem, Expr::value(entry.problem.clone()))
        .col_expr(Column::SeenAt, Expr::value(moment(now)))
        .filter(Column::Id.eq(entry.id.uuid()));
    change
        .exec(tx)
        .await
        .map(drop)
        .during("writing what is seen")
}

fn note(tx: &mut Tx<'_>, by: By<'_>, (row, node): (&Known, NodeId), entry: &SeenEntry) {
    let state = entry.state.word();
    let text = match &entry.problem {
        Some(problem) => format!("{} is {state}: {problem}", row.name),
        None => format!("{} is {state}", row.name),
    };
    let mut told = event(&format!("workload.{state}"), &row.id, text);
    told.project = Some(row.project.clone());
    told.data = serde_json::json!({
        "node": node,
        "generation": entry.generation,
        "slot": entry.slot,
        "restarts": entry.restarts,
        "problem": entry.problem,
    });
    tx.note_by(by, told);
}
