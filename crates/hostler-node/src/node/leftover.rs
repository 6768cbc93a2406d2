//! What a node that is in no fleet holds of one that it was in: it was
//! unregistered, and will join anew, as another node.
//!
//! What still runs by right goes on, and its new fleet may claim it. All else is
//! dropped, and the tombstones are on disk before the node joins: afterwards
//! nobody may be left who knows that work and would tell the node to drop it.

use hostler_core::workload::NodeGoal;

use crate::fence::{Lease, Right};
use crate::ledger::{AppendError, Origin, Record, Recovered, Work};

/// Drops what is left over. To be called before the node joins, and only
/// while it is in no fleet.
pub(super) async fn drop_leftover(
    recovered: &mut Recovered,
    lease: &Lease,
) -> Result<(), AppendError> {
    let covered = lease.covers(Right::Inherited);
    let mut records = Vec::new();
    for work in recovered.book.work.values_mut() {
        if is_left_over(work, covered) {
            tracing::warn!(workload = %work.id, "dropping work of a fleet that this node is not in");
            bury(work);
            records.push(Record::Work(Box::new(work.clone())));
        }
    }
    if records.is_empty() {
        return Ok(());
    }
    recovered.ledger.append(records).await
}

/// Whether it is a fleet's, and the lease, which may hold, does not let it run.
fn is_left_over(work: &Work, covered: bool) -> bool {
    let goes_on = work.wanted() && (covered || !work.leased());
    work.origin == Origin::Fleet && work.goal == NodeGoal::Running && !goes_on
}

fn bury(work: &mut Work) {
    work.goal = NodeGoal::Gone;
    work.fenced = false;
    work.fate = None;
    if work.slot.is_none() {
        work.plan = None;
    }
}
