//! Finding again what an earlier life of the node left.
//!
//! A claimed slot whose agent lives is adopted unseen: whether the agent
//! answers is for its owner to ask. A warm one must answer that it is idle
//! to be ready again. All else is removed: dead agents' leavings, boots cut
//! short, agents that do not answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hostler_core::id::SlotId;
use hostler_wire::agent::AgentPhase;

use super::place::Stage;
use super::release;
use super::shared::Shared;
use super::table::Table;
use crate::hypervisor::{Found, Limits};

/// From our connection until a living agent must have answered: it may have
/// to reconnect first.
const PATIENCE: Duration = Duration::from_secs(3);

/// Claims as they were found, with the limits that were written down.
pub(crate) type Claimed = BTreeMap<SlotId, Option<Limits>>;

/// Puts everything that was found into the table; says which are adopted.
pub(crate) fn enter(table: &Table, found: &[Found], claims: &Claimed) -> Vec<SlotId> {
    let is_adopted = |one: &&Found| one.alive && claims.contains_key(&one.slot);
    for one in found {
        let stage = if is_adopted(&one) {
            Stage::Claimed
        } else {
            Stage::Found
        };
        table.insert(one.slot, stage);
        if let Some(Some(limits)) = claims.get(&one.slot) {
            table.limits_set(one.slot, *limits);
        }
    }
    found
        .iter()
        .filter(is_adopted)
        .map(|one| one.slot)
        .collect()
}

/// Watches the adopted, and makes ready or removes the rest. Returns at once;
/// the work goes on in tasks.
pub(crate) fn sort_out(shared: &Arc<Shared>, found: Vec<Found>, claims: &Claimed) {
    let is_lost = |slot: &&SlotId| found.iter().all(|one| one.slot != **slot);
    for slot in claims.keys().filter(is_lost) {
        if let Err(error) = shared.claims.remove(*slot) {
            tracing::warn!(%slot, %error, "could not remove the claim of a slot that is gone");
        }
    }
    for one in found {
        let shared = Arc::clone(shared);
        let tasks = shared.tasks.clone();
        if shared.adopted.contains(&one.slot) {
            tasks.spawn(take_on(shared, one.slot));
        } else {
            tasks.spawn(warm_or_remove(shared, one));
        }
    }
}

/// Takes an adopted slot on. Its limits are put on again: the earlier life
/// may have ended between the start of the work and the last of them.
async fn take_on(shared: Arc<Shared>, slot: SlotId) {
    tracing::info!(%slot, "adopted a slot");
    shared
        .tasks
        .spawn(release::watch(Arc::clone(&shared), slot));
    if let Some(limits) = shared.table.limits(slot)
        && let Err(error) = shared.vms.limit(slot, limits).await
    {
        tracing::warn!(%slot, %error, "could not limit an adopted slot");
    }
    if let Ok(state) = shared.link.ping(slot, PATIENCE).await
        && state.state == AgentPhase::Running
    {
        let uptime = Duration::from_millis(state.uptime_ms);
        shared.table.deployed(slot, uptime);
    }
}

async fn warm_or_remove(shared: Arc<Shared>, found: Found) {
    let slot = found.slot;
    if found.alive && is_idle(&shared, slot).await && shared.table.found_ready(slot) {
        tracing::info!(%slot, "a warm slot is ready again");
        shared
            .tasks
            .spawn(release::watch(Arc::clone(&shared), slot));
    } else {
        tracing::info!(%slot, alive = found.alive, "removing what an earlier life left");
        if let Err(error) = release::release(&shared, slot, Duration::ZERO).await {
            tracing::error!(%slot, %error, "could not remove what an earlier life left");
        }
    }
    shared.wake.notify_one();
}

async fn is_idle(shared: &Shared, slot: SlotId) -> bool {
    let asked = shared.link.ping(slot, PATIENCE).await;
    asked.is_ok_and(|state| state.state == AgentPhase::Idle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_living_claimed_slot_is_adopted_unseen() {
        let slot = |number| SlotId::from_parts(number, [0; 8]);
        let found = |number, alive| Found {
            slot: slot(number),
            alive,
        };
        let table = Table::default();
        let found = [found(1, true), found(2, false), found(3, true)];
        let claims = [slot(1), slot(2), slot(9)].map(|slot| (slot, None)).into();
        assert_eq!(enter(&table, &found, &claims), [slot(1)]);
        assert_eq!(table.stage(slot(1)), Some(Stage::Claimed));
        assert_eq!(table.claim(), None);
        assert_eq!(table.stage(slot(9)), None);
    }
}
