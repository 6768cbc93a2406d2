//! The head of the event log: one row that holds the last number given out.
//!
//! Advancing it locks it until the commit, so at any moment one transaction
//! is between its events and its commit, and numbers become visible in order.
//! A number is milliseconds and a 12 bit count: 48 + 12 bits of a version 7 UUID, the
//! rest of which is random.

use hostler_core::Timestamp;
use hostler_core::audit::AuditEntry;
use hostler_core::id::EventId;
use sea_orm::{ConnectionTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, Statement};

use super::{Change, NewEvent, row};
use crate::StoreError;
use crate::column::{moment, signed};
use crate::error::{During, corrupt};
use crate::rows::cut;

/// An event and its author.
pub(crate) struct Authored {
    pub(crate) actor: String,
    pub(crate) at: Timestamp,
    /// Where it was asked from, if a person did.
    pub(crate) origin: Option<String>,
    pub(crate) event: NewEvent,
}

impl Authored {
    /// The same for the audit log, if it belongs there.
    pub(crate) fn audited(&self) -> Option<AuditEntry> {
        let origin = self.origin.clone()?;
        Some(AuditEntry {
            number: 0,
            at: self.at,
            actor: self.actor.clone(),
            origin,
            action: self.event.kind.clone(),
            subject: self.event.subject.clone(),
            project: self.event.project.clone(),
            outcome: "done".to_owned(),
            detail: self.event.data.to_string(),
        })
    }
}

const COUNT_BITS: u32 = 12;

const ADVANCE: &str = "UPDATE event_head \
     SET last = (CASE WHEN last < $1 THEN $1 ELSE last END) + $2 RETURNING last";

/// Writes the events, in their order, as the last thing before the commit.
/// Returns the hints to give after it.
pub(crate) async fn append(
    tx: &DatabaseTransaction,
    events: Vec<Authored>,
) -> Result<Vec<Change>, StoreError> {
    let Some(latest) = events.iter().map(|event| event.at).max() else {
        return Ok(Vec::new());
    };
    let count = signed(events.len() as u64);
    let last = advance(tx, latest, count).await?;
    let numbers = last - count + 1..;
    let rows: Vec<_> = numbers
        .zip(events)
        .map(|(number, event)| numbered(number, event))
        .collect();
    let changes = rows.iter().map(hint).collect();
    for rows in cut(rows) {
        let insert = row::Entity::insert_many(rows.into_iter().map(row::Model::into_active_model));
        insert
            .exec_without_returning(tx)
            .await
            .during("writing events")?;
    }
    Ok(changes)
}

async fn advance(
    tx: &DatabaseTransaction,
    latest: Timestamp,
    count: i64,
) -> Result<i64, StoreError> {
    let floor = latest.ms().clamp(0, i64::MAX >> (COUNT_BITS + 1)) << COUNT_BITS;
    let values = [floor.into(), count.into()];
    let advance = Statement::from_sql_and_values(tx.get_database_backend(), ADVANCE, values);
    let head = tx
        .query_one_raw(advance)
        .await
        .during("advancing the event log")?;
    let head = head.ok_or_else(|| corrupt("event log", &"no head"))?;
    head.try_get_by_index(0).during("advancing the event log")
}

fn numbered(number: i64, authored: Authored) -> row::Model {
    let Authored {
        actor, at, event, ..
    } = authored;
    row::Model {
        id: event_id(number).uuid(),
        at: moment(at),
        kind: event.kind,
        actor,
        project: event.project,
        subject: event.subject,
        text: event.text,
        data: event.data,
    }
}

fn event_id(number: i64) -> EventId {
    let number = number.unsigned_abs();
    let mut tail: [u8; 10] = rand::random();
    let count = number & ((1 << COUNT_BITS) - 1);
    tail[..2].copy_from_slice(&count.to_be_bytes()[6..]);
    EventId::from_parts(number >> COUNT_BITS, tail)
}

fn hint(row: &row::Model) -> Change {
    Change {
        id: EventId::from_uuid(row.id),
        kind: row.kind.clone(),
        project: row.project.clone(),
        subject: row.subject.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_as_their_numbers_also_within_a_millisecond() {
        let first = 1_763_672_856_123 << COUNT_BITS;
        let ids: Vec<_> = (first..first + 5_000).map(event_id).collect();
        assert!(ids.is_sorted());
        assert_eq!(ids[0].uuid().get_version_num(), 7);
    }
}
