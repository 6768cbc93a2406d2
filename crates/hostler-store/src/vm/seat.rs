//! Giving seats to VMs: room is taken only if it is free, in the transaction
//! that writes the seat and raises the generation. Nodes first, in the order
//! of their ids, then VMs, so that two transactions never wait in a circle.

use hostler_core::vm::VmRoom;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};

use super::list::seen_by;
use super::row::{Column, Entity};
use super::{VmRow, VmSeat, room};
use crate::column::signed;
use crate::error::During;
use crate::lease::fence;
use crate::tx::{Tx, event};
use crate::{By, Fence, FencedError, SeatOutcome, Store, StoreError};

/// The most seats in one transaction.
const GROUP: usize = 64;

impl Store {
    /// Gives seats; an outcome each, in the order of the requests.
    pub async fn vm_seat_many(
        &self,
        by: &By<'_>,
        requests: &[VmSeat],
        fence: Option<&Fence>,
    ) -> Result<Vec<SeatOutcome>, FencedError> {
        let mut outcomes = vec![SeatOutcome::Stale; requests.len()];
        for (group, outcomes) in requests.chunks(GROUP).zip(outcomes.chunks_mut(GROUP)) {
            self.vm_seat_group(by, group, fence, outcomes).await?;
        }
        Ok(outcomes)
    }

    async fn vm_seat_group(
        &self,
        by: &By<'_>,
        requests: &[VmSeat],
        fence: Option<&Fence>,
        outcomes: &mut [SeatOutcome],
    ) -> Result<(), FencedError> {
        let mut tx = self.begin(by).await?;
        fence::check(tx.db(), fence).await?;
        let mut order: Vec<usize> = (0..requests.len()).collect();
        order.sort_by_key(|at| requests[*at].node);
        let mut reserved = Vec::new();
        for at in order {
            let request = &requests[at];
            let Some(row) = fit(tx.db(), request).await? else {
                continue;
            };
            if take(tx.db(), request, &row).await? {
                reserved.push((at, row));
            } else {
                outcomes[at] = SeatOutcome::NoRoom;
            }
        }
        reserved.sort_by_key(|(_, row)| row.facts.id);
        for (at, row) in reserved {
            let request = &requests[at];
            if write(tx.db(), request).await? {
                outcomes[at] = SeatOutcome::Seated(request.expected.next());
                note(&mut tx, request, &row);
            } else {
                let back = (row.room(), VmRoom::default());
                room::shift(tx.db(), request.node, back, request.limits).await?;
            }
        }
        Ok(tx.commit().await?)
    }
}

/// The VM, if it is as it was when the decision was made.
async fn fit(tx: &DatabaseTransaction, request: &VmSeat) -> Result<Option<VmRow>, StoreError> {
    let row = seen_by(tx, request.vm).await?;
    let row = row.map(VmRow::try_from).transpose()?;
    let current = |row: &VmRow| row.facts.generation == request.expected;
    Ok(row.filter(|row| current(row) && row.facts.seat.is_none()))
}

async fn take(tx: &DatabaseTransaction, request: &VmSeat, row: &VmRow) -> Result<bool, StoreError> {
    let rooms = (VmRoom::default(), row.room());
    Ok(room::is_open(tx, request.node).await?
        && room::shift(tx, request.node, rooms, request.limits).await?)
}

async fn write(tx: &DatabaseTransaction, request: &VmSeat) -> Result<bool, StoreError> {
    let unseen = Expr::value(None::<i64>);
    let seat = Entity::update_many()
        .col_expr(Column::Seat, Expr::value(request.node.uuid()))
        .col_expr(Column::Generation, Expr::col(Column::Generation).add(1))
        .col_expr(Column::DiskLost, Expr::value(false))
        .col_expr(Column::Reason, Expr::value(None::<String>))
        .col_expr(Column::SeenGeneration, unseen)
        .col_expr(Column::SeenState, Expr::value(None::<String>))
        .col_expr(Column::Seen, Expr::value(None::<serde_json::Value>))
        .filter(Column::Id.eq(request.vm.uuid()))
        .filter(Column::Generation.eq(signed(request.expected.number())))
        .filter(Column::Seat.is_null());
    let seated = seat.exec(tx).await.during("seating a VM")?;
    Ok(seated.rows_affected == 1)
}

fn note(tx: &mut Tx<'_>, request: &VmSeat, row: &VmRow) {
    let text = format!("VM {} was given a seat", row.spec.name);
    let mut seated = event("vm.seated", &request.vm, text);
    seated.project = Some(row.spec.project.to_string());
    let generation = request.expected.next();
    seated.data = serde_json::json!({"node": request.node, "generation": generation});
    tx.note(seated);
}
