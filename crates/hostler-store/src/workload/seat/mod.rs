//! Giving seats: capacity is taken only if it is free, in the transaction that
//! writes the seat and raises the generation. However many ask at once, a node
//! is never promised beyond its limits and a workload never sits twice.
//!
//! Many seats share a transaction. Per node one conditional update takes the
//! room of all its requests together; only where that fails are they tried
//! one by one, in their order.

pub(super) mod reserve;
mod write;

use std::collections::{HashMap, HashSet};

use hostler_core::Generation;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::row::{Column, Entity};
use super::{SeatOutcome, SeatRequest};
use crate::column::signed;
use crate::error::During;
use crate::lease::fence;
use crate::rows::filled;
use crate::tx::{Tx, event};
use crate::{By, Fence, FencedError, Store, StoreError};

/// The most seats in one transaction.
const GROUP: usize = 256;

/// What seating needs to know of a workload. Only `generation` and `seat` can
/// change between reading this and writing; the write looks at both again.
#[derive(Clone, sea_orm::FromQueryResult)]
struct Candidate {
    id: Uuid,
    project: String,
    name: String,
    cpu: i64,
    memory: i64,
    generation: i64,
    seat: Option<Uuid>,
}

/// A request and the workload it is for.
struct Ask<'a> {
    place: usize,
    request: &'a SeatRequest,
    candidate: Candidate,
}

impl Ask<'_> {
    fn needs(&self) -> (i64, i64) {
        (self.candidate.cpu, self.candidate.memory)
    }
}

impl Store {
    /// Gives one seat. Callers with several use [`Self::workload_seat_many`].
    pub async fn workload_seat(
        &self,
        by: &By<'_>,
        request: SeatRequest,
        fence: Option<&Fence>,
    ) -> Result<SeatOutcome, FencedError> {
        let mut outcomes = vec![SeatOutcome::Stale];
        self.seat_group(by, &[request], fence, &mut outcomes)
            .await?;
        Ok(outcomes[0])
    }

    /// Gives seats, many in one transaction; an outcome each, in the order of
    /// the requests. On `NoRoom` choose again before giving up: the choice was
    /// made on facts that have changed.
    pub async fn workload_seat_many(
        &self,
        by: &By<'_>,
        requests: &[SeatRequest],
        fence: Option<&Fence>,
    ) -> Result<Vec<SeatOutcome>, FencedError> {
        let mut outcomes = vec![SeatOutcome::Stale; requests.len()];
        for (group, outcomes) in requests.chunks(GROUP).zip(outcomes.chunks_mut(GROUP)) {
            self.seat_group(by, group, fence, outcomes).await?;
        }
        Ok(outcomes)
    }

    /// `outcomes` is all `Stale` at first, and stays so where nothing was done.
    async fn seat_group(
        &self,
        by: &By<'_>,
        requests: &[SeatRequest],
        fence: Option<&Fence>,
        outcomes: &mut [SeatOutcome],
    ) -> Result<(), FencedError> {
        let mut tx = self.begin(by).await?;
        fence::check(tx.db(), fence).await?;
        let asks = asks(tx.db(), requests).await?;
        let reserved = reserve::take(tx.db(), &asks).await?;
        let seated = write::seats(tx.db(), &asks, &reserved).await?;
        for ask in &asks {
            if !reserved.contains(&ask.place) {
                outcomes[ask.place] = SeatOutcome::NoRoom;
            } else if seated.contains(&ask.candidate.id) {
                outcomes[ask.place] = SeatOutcome::Seated(ask.request.expected.next());
                note(&mut tx, ask);
            } else {
                reserve::give_back(tx.db(), ask.request.node, ask.needs()).await?;
            }
        }
        Ok(tx.commit().await?)
    }
}

/// The requests that may be fulfilled by what is known: at most one for each
/// workload, of the generation it has, and without a seat.
async fn asks<'a>(
    tx: &DatabaseTransaction,
    requests: &'a [SeatRequest],
) -> Result<Vec<Ask<'a>>, StoreError> {
    let ids = requests.iter().map(|request| request.workload.uuid());
    let columns = [
        Column::Id,
        Column::Project,
        Column::Name,
        Column::Cpu,
        Column::Memory,
    ];
    let found = Entity::find()
        .select_only()
        .columns(columns)
        .columns([Column::Generation, Column::Seat])
        .filter(Column::Id.is_in(filled(ids)))
        .into_model::<Candidate>()
        .all(tx)
        .await
        .during("reading workloads to seat")?;
    let found: HashMap<_, _> = found.into_iter().map(|row| (row.id, row)).collect();
    let mut asked = HashSet::new();
    let ask = |(place, request): (usize, &'a SeatRequest)| {
        let candidate = found.get(&request.workload.uuid())?;
        let current = candidate.generation == signed(request.expected.number());
        let fit = current && candidate.seat.is_none() && asked.insert(candidate.id);
        fit.then(|| Ask {
            place,
            request,
            candidate: candidate.clone(),
        })
    };
    Ok(requests.iter().enumerate().filter_map(ask).collect())
}

fn note(tx: &mut Tx<'_>, ask: &Ask<'_>) {
    let Ask {
        request, candidate, ..
    } = ask;
    let text = format!("{} was given a seat", candidate.name);
    let mut seated = event("workload.seated", &candidate.id, text);
    seated.project = Some(candidate.project.clone());
    let generation: Generation = request.expected.next();
    seated.data = serde_json::json!({"node": request.node, "generation": generation});
    tx.note(seated);
}
