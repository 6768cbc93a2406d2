//! Reading events, and writing those of changes that are not in the database.

use hostler_core::Timestamp;
use hostler_core::id::EventId;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};

use super::row::{Column, Entity};
use super::{Event, EventFilter, NewEvent};
use crate::error::During;
use crate::{By, Store, StoreError};

impl Store {
    /// At most `limit` events, oldest first: those after `after`, or without
    /// it the latest ones.
    pub async fn event_list(
        &self,
        filter: &EventFilter,
        after: Option<EventId>,
        limit: u64,
    ) -> Result<Vec<Event>, StoreError> {
        let chosen = filtered(filter).limit(limit);
        let chosen = match after {
            Some(id) => chosen
                .filter(Column::Id.gt(id.uuid()))
                .order_by_asc(Column::Id),
            None => chosen.order_by_desc(Column::Id),
        };
        let mut rows = chosen.all(self.db()).await.during("listing events")?;
        if after.is_none() {
            rows.reverse();
        }
        Ok(rows.into_iter().map(Event::from).collect())
    }

    /// Writes an event of a change that is made elsewhere, such as on a node.
    pub async fn event_note(&self, by: &By<'_>, event: NewEvent) -> Result<(), StoreError> {
        let mut tx = self.begin(by).await?;
        tx.note(event);
        tx.commit().await
    }

    /// Forgets events from before `before`; how many.
    pub async fn event_sweep(&self, before: Timestamp) -> Result<u64, StoreError> {
        let first_kept = EventId::from_parts(before.ms().max(0).unsigned_abs(), [0; 10]);
        let tx = self.begin(&By::new("hostler", before)).await?;
        let old = Entity::delete_many().filter(Column::Id.lt(first_kept.uuid()));
        let swept = old.exec(tx.db()).await.during("sweeping events")?;
        tx.commit().await?;
        Ok(swept.rows_affected)
    }
}

fn filtered(filter: &EventFilter) -> Select<Entity> {
    let mut chosen = Entity::find();
    if let Some(projects) = &filter.projects {
        chosen = chosen.filter(Column::Project.is_in(projects));
    }
    if let Some(subject) = &filter.subject {
        chosen = chosen.filter(Column::Subject.eq(subject));
    }
    chosen
}
