//! The workloads' half of a seat: written only where the decision still holds.

use std::collections::HashSet;

use sea_orm::sea_query::Value;
use sea_orm::{ConnectionTrait, DatabaseTransaction, Statement};
use uuid::Uuid;

use super::Ask;
use crate::StoreError;
use crate::column::signed;
use crate::error::During;
use crate::rows::{filled, places};

/// Seats those of `asks` for which room is reserved, unless they have changed
/// since they were read; the workloads of those.
pub(super) async fn seats(
    tx: &DatabaseTransaction,
    asks: &[Ask<'_>],
    reserved: &HashSet<usize>,
) -> Result<HashSet<Uuid>, StoreError> {
    let chosen = filled(asks.iter().filter(|ask| reserved.contains(&ask.place)));
    if chosen.is_empty() {
        return Ok(HashSet::new());
    }
    let sql = format!(
        "UPDATE workload SET seat = given.column3, generation = generation + 1, reason = NULL, \
         seen_generation = NULL, seen_state = NULL, seen_slot = NULL, seen_restarts = 0, \
         seen_problem = NULL, seen_at = NULL FROM (VALUES {}) AS given \
         WHERE workload.id = given.column1 AND generation = given.column2 AND seat IS NULL \
         RETURNING id",
        places(chosen.len(), 3)
    );
    let values = chosen.iter().flat_map(|ask| -> [Value; 3] {
        let expected = signed(ask.request.expected.number());
        [
            ask.candidate.id.into(),
            expected.into(),
            ask.request.node.uuid().into(),
        ]
    });
    let seat = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
    let seated = tx.query_all_raw(seat).await.during("seating")?;
    seated
        .into_iter()
        .map(|row| row.try_get_by_index(0).during("seating"))
        .collect()
}
