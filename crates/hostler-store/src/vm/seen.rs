//! The nodes' columns: what is seen of VMs, by the rules of
//! [`crate::Store::workload_seen`].

use std::collections::HashMap;

use hostler_core::id::{NodeId, VmId};
use hostler_core::vm::{VmSeen, VmSeenState, vm_is_later};
use hostler_core::workload::Word as Said;
use hostler_core::{Generation, Timestamp};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};
use uuid::Uuid;

use super::change::write;
use super::row::{Column, Entity, Model};
use super::{VmSeenEntry, snapshot};
use crate::column::{moment, signed, unsigned};
use crate::error::During;
use crate::rows::filled;
use crate::tx::{Tx, event};
use crate::word::Word;
use crate::workload::seen::speaker;
use crate::{By, HeartbeatOrder, Store, StoreError};

impl Store {
    /// Writes down what `node` says of VMs; `order` is the heartbeat it came
    /// with, `None` for the reply to an ensure. Returns the VMs whose state is
    /// another than before, each with an event.
    pub async fn vm_seen(
        &self,
        now: Timestamp,
        node: NodeId,
        entries: &[VmSeenEntry],
        order: Option<HeartbeatOrder>,
    ) -> Result<Vec<VmId>, StoreError> {
        let word = if order.is_some() {
            Said::Heartbeat
        } else {
            Said::Answer
        };
        let known = seated(node, entries).all(self.db()).await;
        let known = known.during("reading what is seen of VMs")?;
        if news(known, entries, word).is_empty() {
            return Ok(Vec::new());
        }
        let mut tx = self.begin(&By::new("hostler", now)).await?;
        let Some(speaker) = speaker(tx.db(), node, order).await? else {
            return Ok(Vec::new());
        };
        let mut turned = Vec::new();
        for (row, entry) in self::news(held(tx.db(), node, entries).await?, entries, word) {
            if is_turn(&row, entry) {
                turned.push(entry.id);
                note(&mut tx, By::new(&speaker, now), (&row, node), entry);
            }
            let current = row.generation == signed(entry.generation.number());
            write(tx.db(), seen(row, entry, now)).await?;
            if current {
                snapshot::seen(tx.db(), entry).await?;
            }
        }
        tx.commit().await?;
        Ok(turned)
    }
}

fn seated(node: NodeId, entries: &[VmSeenEntry]) -> Select<Entity> {
    let ids = filled(entries.iter().map(|entry| entry.id.uuid()));
    Entity::find()
        .filter(Column::Seat.eq(node.uuid()))
        .filter(Column::Id.is_in(ids))
}

async fn held(
    tx: &DatabaseTransaction,
    node: NodeId,
    entries: &[VmSeenEntry],
) -> Result<Vec<Model>, StoreError> {
    let held = seated(node, entries)
        .order_by_asc(Column::Id)
        .lock_exclusive();
    held.all(tx).await.during("reading what is seen of VMs")
}

/// The entries that tell something new, with the rows they tell it of.
fn news(rows: Vec<Model>, entries: &[VmSeenEntry], word: Said) -> Vec<(Model, &VmSeenEntry)> {
    let said: HashMap<Uuid, _> = entries
        .iter()
        .map(|entry| (entry.id.uuid(), entry))
        .collect();
    let pair = |row: Model| said.get(&row.id).map(|entry| (row, *entry));
    rows.into_iter()
        .filter_map(pair)
        .filter(|(row, entry)| is_news(row, entry, word))
        .collect()
}

fn is_news(row: &Model, entry: &VmSeenEntry, word: Said) -> bool {
    let said = VmSeen {
        generation: entry.generation,
        state: entry.state,
    };
    let current = signed(entry.generation.number()) >= row.generation;
    let known = !is_turn(row, entry) && row.seen.as_ref() == Some(&entry.details);
    current && !known && vm_is_later(held_word(row), said, word)
}

fn is_turn(row: &Model, entry: &VmSeenEntry) -> bool {
    row.seen_generation != Some(signed(entry.generation.number()))
        || row.seen_state.as_deref() != Some(entry.state.word())
}

fn held_word(row: &Model) -> Option<VmSeen> {
    let state = VmSeenState::read(row.seen_state.as_deref()?).ok()?;
    let generation = Generation::new(unsigned(row.seen_generation?));
    Some(VmSeen { generation, state })
}

fn seen(row: Model, entry: &VmSeenEntry, now: Timestamp) -> Model {
    Model {
        seen_generation: Some(signed(entry.generation.number())),
        seen_state: Some(entry.state.word().to_owned()),
        seen: Some(entry.details.clone()),
        seen_at: Some(moment(now)),
        ..row
    }
}

fn note(tx: &mut Tx<'_>, by: By<'_>, (row, node): (&Model, NodeId), entry: &VmSeenEntry) {
    let state = entry.state.word();
    let text = match &entry.problem {
        Some(problem) => format!("VM {} is {state}: {problem}", row.name),
        None => format!("VM {} is {state}", row.name),
    };
    let mut told = event(&format!("vm.{state}"), &row.id, text);
    told.project = Some(row.project.clone());
    told.data = serde_json::json!({
        "node": node,
        "generation": entry.generation,
        "problem": entry.problem,
    });
    tx.note_by(by, told);
}
